// What the tensor-core kernels share: where a 16-byte chunk of a tile lies in shared memory, and how fragments leave
// registers.
#pragma once

#include "element.cuh"

__device__ __forceinline__ float minus_infinity() { return __uint_as_float(0xFF800000u); }

/// Where chunk `chunk` of row `row` lies, in chunks of 16 bytes, in a tile of rows of CHUNKS chunks. Eight rows at the same
/// chunk, or one row's chunks, touch all banks once: the chunk is exclusive-ored with the row.
template <int CHUNKS>
__device__ __forceinline__ int swizzled(int row, int chunk) {
    static_assert(CHUNKS == 4 || CHUNKS % 8 == 0, "rows of 64 bytes, or of a multiple of 128");
    if constexpr (CHUNKS == 4) return row * 4 + (chunk ^ (row / 2 % 4));
    else return row * CHUNKS + (chunk ^ (row % 8));
}

/// The byte of a tile at which chunk swizzled(row, chunk) begins.
template <int CHUNKS>
__device__ __forceinline__ unsigned place_of(int row, int chunk) {
    return swizzled<CHUNKS>(row, chunk) * 16;
}

/// From place_of(row, chunk) that of (row + rows, chunk + columns), for `rows` that are a multiple of 8 and `columns` that
/// share no bit with `chunk`. Where both are constants, columns cost one instruction for all rows, and rows cost none: they
/// become the offset of a load.
template <int CHUNKS>
__device__ __forceinline__ unsigned moved(unsigned place, int rows, int columns) {
    return (place ^ columns * 16) + rows * CHUNKS * 16;
}

/// Transposes a 4x4 matrix of registers over the four lanes of a quad: lane q gives row q and gets column q.
/// Thus four accumulators of neighbouring 8-column blocks become 16 contiguous bytes of one block.
__device__ __forceinline__ uint4 transposed_in_quad(unsigned v0, unsigned v1, unsigned v2, unsigned v3) {
    const bool odd = threadIdx.x % 2 != 0, upper = threadIdx.x % 4 >= 2;
    const unsigned first = __shfl_xor_sync(0xFFFFFFFFu, odd ? v0 : v1, 1);
    const unsigned second = __shfl_xor_sync(0xFFFFFFFFu, odd ? v2 : v3, 1);
    if (odd) {
        v0 = first;
        v2 = second;
    } else {
        v1 = first;
        v3 = second;
    }
    const unsigned third = __shfl_xor_sync(0xFFFFFFFFu, upper ? v0 : v2, 2);
    const unsigned fourth = __shfl_xor_sync(0xFFFFFFFFu, upper ? v1 : v3, 2);
    return upper ? make_uint4(third, fourth, v2, v3) : make_uint4(v0, v1, third, fourth);
}

/// The largest of the values of a quad's lanes, and their sum.
__device__ __forceinline__ float max_of_quad(float value) {
    value = fmaxf(value, __shfl_xor_sync(0xFFFFFFFFu, value, 1));
    return fmaxf(value, __shfl_xor_sync(0xFFFFFFFFu, value, 2));
}
__device__ __forceinline__ float sum_of_quad(float value) {
    value += __shfl_xor_sync(0xFFFFFFFFu, value, 1);
    return value + __shfl_xor_sync(0xFFFFFFFFu, value, 2);
}

/// Stores columns [column, column + 32) of one row of accumulators: v[0..3] are this lane's pairs of four 8-column blocks.
/// `to` is the row; whole 16-byte stores where the row length allows, else element by element.
template <typename T>
__device__ __forceinline__ void store_32_columns(T* to, int column, int columns, bool inside, unsigned v0, unsigned v1, unsigned v2,
                                                 unsigned v3) {
    const uint4 eight = transposed_in_quad(v0, v1, v2, v3);
    const int first = column + static_cast<int>(threadIdx.x % 4) * 8;
    if (!inside || first >= columns) return;
    if (columns % 8 == 0) {
        *reinterpret_cast<uint4*>(to + first) = eight;
    } else {
        const unsigned words[4] = {eight.x, eight.y, eight.z, eight.w};
#pragma unroll
        for (int i = 0; i < 8; i++) {
            const unsigned short bits = static_cast<unsigned short>(words[i / 2] >> (i % 2 * 16));
            if (first + i < columns) *reinterpret_cast<unsigned short*>(to + first + i) = bits;
        }
    }
}
