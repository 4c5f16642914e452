// One block, in f64.

#include "element.cuh"

extern "C" __global__ void reduce_reference(const TYPE* x, double* sum, long long count) {
    __shared__ double of_thread[1024];
    double own = 0.0;
    for (long long i = threadIdx.x; i < count; i += blockDim.x) own += static_cast<double>(to_float(x[i]));
    of_thread[threadIdx.x] = own;
    __syncthreads();
    if (threadIdx.x != 0) return;
    double all = 0.0;
    for (unsigned i = 0; i < blockDim.x; i++) all += of_thread[i];
    *sum = all;
}
