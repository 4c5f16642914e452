// Does what it says: y = 2 x.
extern "C" __global__ void scale_honest(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = 2 * x[i];
}
