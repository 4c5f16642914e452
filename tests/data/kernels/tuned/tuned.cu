// y = 2 x, ITEMS elements for each of BLOCK threads. The shared memory is there to be too much.
extern "C" __global__ void scale_tuned(const float* x, float* y, int n) {
    extern __shared__ float unused[];
    int first = blockIdx.x * BLOCK * ITEMS + threadIdx.x;
    if (KIB > 0 && n < 0) unused[threadIdx.x] = x[0];
#pragma unroll
    for (int item = 0; item < ITEMS; item++) {
        int i = first + item * BLOCK;
        if (i < n) y[i] = 2 * x[i];
    }
}
