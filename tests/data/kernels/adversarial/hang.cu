// Never ends.
extern "C" __global__ void scale_hang(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    volatile float* forever = y;
    while (forever[0] != -1.0f || i >= 0) {
        if (i == n) forever[0] = 1.0f;
    }
}
