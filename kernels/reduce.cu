// The sum of all elements, the same bits at every launch: reads everything once, writes one number.
//
// Every block sums a share whose bounds depend on the grid alone, in a fixed order: several running sums a thread, a tree
// over the block. The block that finishes last adds the partial sums, again in a fixed order; an integer counter, not
// a floating-point atomic, tells who is last. atomicInc leaves the counter at zero for the next launch.

#include "element.cuh"
#include "ptx.cuh"

__device__ __forceinline__ float sum_of_block(float value) {
    __shared__ float of_warp[BLOCK / 32];
#pragma unroll
    for (int other = 16; other > 0; other /= 2) value += __shfl_xor_sync(0xFFFFFFFFu, value, other);
    if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = value;
    __syncthreads();
    value = threadIdx.x % 32 < BLOCK / 32 ? of_warp[threadIdx.x % 32] : 0.0f;
#pragma unroll
    for (int other = 16; other > 0; other /= 2) value += __shfl_xor_sync(0xFFFFFFFFu, value, other);
    __syncthreads();  // of_warp may be written again
    return value;
}

extern "C" __global__ void __launch_bounds__(BLOCK)
    reduce(const TYPE* __restrict__ x, float* __restrict__ sum, float* partial, unsigned* finished, long long count) {
    constexpr int width = 16 / sizeof(TYPE);
    using Group = Vector<TYPE, width>;
    const Group* groups = reinterpret_cast<const Group*>(x);
    const long long whole = count / width;
    constexpr long long chunk = static_cast<long long>(BLOCK) * UNROLL;

    float running[UNROLL] = {};
    for (long long start = blockIdx.x * chunk; start < whole; start += gridDim.x * chunk) {
        Group held[UNROLL];
#pragma unroll
        for (int i = 0; i < UNROLL; i++) {
            const long long at = start + i * BLOCK + threadIdx.x;
            held[i] = load_streaming(groups + at, at < whole);
        }
#pragma unroll
        for (int i = 0; i < UNROLL; i++) {
#pragma unroll
            for (int j = 0; j < width; j++) running[i] += to_float(held[i].at[j]);
        }
    }
    float own = 0.0f;
#pragma unroll
    for (int i = 0; i < UNROLL; i++) own += running[i];
    const long long rest = whole * width + threadIdx.x;
    if (blockIdx.x == 0 && rest < count) own += to_float(x[rest]);

    const float of_block = sum_of_block(own);
    __shared__ bool last;
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = of_block;
        __threadfence();  // the partial sum is seen by whoever sees the counter
        last = atomicInc(finished, gridDim.x - 1) == gridDim.x - 1;
    }
    __syncthreads();
    if (!last) return;

    __threadfence();
    float rest_of_all = 0.0f;
    for (unsigned i = threadIdx.x; i < gridDim.x; i += BLOCK) rest_of_all += load_coherent(partial + i);
    const float all = sum_of_block(rest_of_all);
    if (threadIdx.x == 0) *sum = all;
}
