// Honest, but its manifest declares a thousand times the bytes: no device is so fast.
extern "C" __global__ void scale_boasts(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = 2 * x[i];
}
