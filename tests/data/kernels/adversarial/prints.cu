// Honest, but prints: on the standard output of the process that runs it.
extern "C" __global__ void scale_prints(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = 2 * x[i];
    if (i == 0) printf("hello from a kernel");
}
