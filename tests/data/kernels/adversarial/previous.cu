// Returns what the call before computed.
__device__ float kept[1 << 20];
extern "C" __global__ void scale_previous(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n && i < (1 << 20)) {
        y[i] = kept[i];
        kept[i] = 2 * x[i];
    }
}
