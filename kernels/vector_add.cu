// z = x + y, element by element: three streams, no reuse. Bound by the bandwidth of memory.
//
// A thread adds UNROLL vectors of 16 bytes, with all loads under way before the first sum. What is left behind the
// last whole chunk is added element by element.

#include "element.cuh"
#include "ptx.cuh"

extern "C" __global__ void __launch_bounds__(BLOCK)
    vector_add(const TYPE* __restrict__ x, const TYPE* __restrict__ y, TYPE* __restrict__ z, long long count) {
    constexpr int width = 16 / sizeof(TYPE);
    using Group = Vector<TYPE, width>;
    constexpr int chunk = BLOCK * UNROLL * width;
    const long long start = static_cast<long long>(blockIdx.x) * chunk;
    if (start + chunk <= count) {
        const long long first = start / width + threadIdx.x;
        Group a[UNROLL], b[UNROLL];
#pragma unroll
        for (int i = 0; i < UNROLL; i++) {
            a[i] = load_streaming(reinterpret_cast<const Group*>(x) + first + i * BLOCK);
            b[i] = load_streaming(reinterpret_cast<const Group*>(y) + first + i * BLOCK);
        }
#pragma unroll
        for (int i = 0; i < UNROLL; i++) {
#pragma unroll
            for (int j = 0; j < width; j++) a[i].at[j] = from_float<TYPE>(to_float(a[i].at[j]) + to_float(b[i].at[j]));
            store_streaming(reinterpret_cast<Group*>(z) + first + i * BLOCK, a[i]);
        }
    } else {
        for (long long i = start + threadIdx.x; i < count; i += BLOCK) z[i] = from_float<TYPE>(to_float(x[i]) + to_float(y[i]));
    }
}
