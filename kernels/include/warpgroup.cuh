// What the kernels of warpgroups share: operands in shared memory as wgmma wants them described, and products by element
// type. docs/kernels-list.md tells which other compilers write the same descriptors.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

/// Describes an operand in shared memory with 128-byte swizzle; offsets in bytes.
///
/// K-major (rows of 64 16-bit elements along K): `stride` from 8 rows to the next 8, `leading` unused. 16 elements along K
/// further is 32 bytes further. MN-major (rows of 64 elements along M or N, one row for each k): `stride` from 8
/// values of k to the next 8, `leading` from 64 elements along M or N to the next 64.
__device__ __forceinline__ unsigned long long matrix_descriptor(const void* start, int leading, int stride) {
    const unsigned long long swizzle_128 = 1ull << 62;
    return swizzle_128 | static_cast<unsigned long long>(stride >> 4) << 32 | static_cast<unsigned long long>(leading >> 4) << 16 |
           static_cast<unsigned long long>((shared_address(start) & 0x3FFFF) >> 4);
}

/// The same for an operand that begins `bytes` further. One addition: the field of the address holds all of shared memory.
__device__ __forceinline__ unsigned long long further(unsigned long long descriptor, int bytes) {
    return (descriptor & ~0xFFFFFFFFull) | (static_cast<unsigned>(descriptor) + static_cast<unsigned>(bytes >> 4));
}

/// A value that all lanes of a warp have, made known as such: what follows from it can then lie in uniform registers, where
/// wgmma and the barriers want it.
__device__ __forceinline__ int uniform(int value) { return __shfl_sync(0xFFFFFFFFu, value, 0); }

template <typename T>
struct Warpgroup;

template <>
struct Warpgroup<__half> {
    /// d += a * b, both in shared memory, K-major.
    template <int Count>
    static __device__ __forceinline__ void multiply(float (&d)[Count], unsigned long long a, unsigned long long b, bool accumulate) {
        wgmma_f16(d, a, b, accumulate);
    }
    /// d += a * b, a in registers, b in shared memory, N-major.
    template <int Count>
    static __device__ __forceinline__ void multiply_n_major(float (&d)[Count], const unsigned (&a)[4], unsigned long long b) {
        wgmma_f16_n_major(d, a, b, true);
    }
};

template <>
struct Warpgroup<__nv_bfloat16> {
    template <int Count>
    static __device__ __forceinline__ void multiply(float (&d)[Count], unsigned long long a, unsigned long long b, bool accumulate) {
        wgmma_bf16(d, a, b, accumulate);
    }
    template <int Count>
    static __device__ __forceinline__ void multiply_n_major(float (&d)[Count], const unsigned (&a)[4], unsigned long long b) {
        wgmma_bf16_n_major(d, a, b, true);
    }
};

/// The first 1024-byte boundary of dynamic shared memory: swizzled tiles begin there. The launch asks for 1024 bytes more.
__device__ __forceinline__ unsigned char* aligned_shared() {
    unsigned char* const start = dynamic_shared();
    return start + (1024 - shared_address(start) % 1024) % 1024;
}

/// The running number of a tile in a ring of Stages: which slot, and the parity of its barriers' phase.
template <int Stages>
struct Turn {
    int slot = 0;
    unsigned parity = 0;
    __device__ __forceinline__ void next() {
        if (++slot == Stages) {
            slot = 0;
            parity ^= 1;
        }
    }
};
