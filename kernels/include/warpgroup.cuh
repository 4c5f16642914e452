// Products of a warpgroup, by element type: which of hopper.cuh's instructions it is.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

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
