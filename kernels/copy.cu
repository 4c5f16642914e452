// Copies a buffer much larger than the caches: the bandwidth of the memory that other kernels are held against.
//
// A thread has UNROLL loads of 16 bytes under way before it stores the first. Neighbouring threads touch neighbouring
// vectors. Loads and stores are marked as streaming, for nothing of it is used twice.

#include "ptx.cuh"

extern "C" __global__ void __launch_bounds__(BLOCK) copy(const uint4* __restrict__ from, uint4* __restrict__ to, long long vectors) {
    constexpr long long chunk = static_cast<long long>(BLOCK) * UNROLL;
    for (long long start = blockIdx.x * chunk; start < vectors; start += gridDim.x * chunk) {
        const long long first = start + threadIdx.x;
        if (start + chunk <= vectors) {
            uint4 held[UNROLL];
#pragma unroll
            for (int i = 0; i < UNROLL; i++) held[i] = load_streaming(from + first + i * BLOCK);
#pragma unroll
            for (int i = 0; i < UNROLL; i++) store_streaming(to + first + i * BLOCK, held[i]);
        } else {
            for (long long i = first; i < vectors; i += BLOCK) store_streaming(to + i, load_streaming(from + i));
        }
    }
}
