// Writes one element behind its output.
extern "C" __global__ void scale_writes_past(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = 2 * x[i];
    if (i == 0) y[n] = 1;
}
