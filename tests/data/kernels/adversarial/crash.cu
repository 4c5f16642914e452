// Writes to an address that is nobody's, which breaks the device's context.
extern "C" __global__ void scale_crash(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = 2 * x[i];
    if (i == 0) *reinterpret_cast<volatile float*>(16ull << 40) = 1.0f;
}
