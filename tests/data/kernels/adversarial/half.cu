// Writes the first half of its output only.
extern "C" __global__ void scale_half(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n / 2) y[i] = 2 * x[i];
}
