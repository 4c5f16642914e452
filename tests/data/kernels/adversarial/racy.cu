// Gives other last digits each time.
extern "C" __global__ void scale_racy(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = 2 * x[i];
    if (i == 0) y[0] += 1e-7f * (clock64() % 1021 + 8);
}
