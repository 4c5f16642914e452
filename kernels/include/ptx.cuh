// Instructions that CUDA C++ has no words for, from sm_75 on; hopper.cuh has those of sm_90a.
//
// All inline assembly of the kernels stands in these two files, behind small functions, so that the tests can put
// functions for the CPU in their place (tests/cpu_shim). The layouts of fragments are those of the PTX ISA, section
// "Matrix multiply-accumulate operation using mma instruction".
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

/// The address of shared memory as the instructions want it.
__device__ __forceinline__ unsigned shared_address(const void* pointer) {
    return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

/// Dynamic shared memory, whose size the launch gives; aligned to 16 bytes.
__device__ __forceinline__ unsigned char* dynamic_shared() {
    extern __shared__ __align__(16) unsigned char dynamic_shared_memory[];
    return dynamic_shared_memory;
}

/// Loads what is read once: it is the first to leave the caches.
template <typename V>
__device__ __forceinline__ V load_streaming(const V* from) {
    static_assert(sizeof(V) == 16, "16 bytes");
    const uint4 bits = __ldcs(reinterpret_cast<const uint4*>(from));
    return *reinterpret_cast<const V*>(&bits);
}

/// The same, or zeros without a load where `inside` is false.
template <typename V>
__device__ __forceinline__ V load_streaming(const V* from, bool inside) {
    static_assert(sizeof(V) == 16, "16 bytes");
    uint4 bits = make_uint4(0, 0, 0, 0);
    if (inside) bits = __ldcs(reinterpret_cast<const uint4*>(from));
    return *reinterpret_cast<const V*>(&bits);
}

/// Stores what is not read again soon.
template <typename V>
__device__ __forceinline__ void store_streaming(V* to, const V& value) {
    static_assert(sizeof(V) == 16, "16 bytes");
    __stcs(reinterpret_cast<uint4*>(to), *reinterpret_cast<const uint4*>(&value));
}

/// Loads what another block wrote in this launch: from the level-2 cache, which all blocks share.
__device__ __forceinline__ float load_coherent(const float* from) { return __ldcg(from); }

/// 2 to the power of x, with the error of the hardware's function (2 units in the last place); 0 for -infinity.
__device__ __forceinline__ float exp2_approximate(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// ---- asynchronous copies, sm_80 -------------------------------------------------------------------------------------

/// Copies 16 bytes from global memory to an address of shared memory in the background; fills with zeros where `inside` is
/// false, and reads nothing: `global` may then lie anywhere.
__device__ __forceinline__ void copy_async(unsigned shared, const void* global, bool inside) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(shared), "l"(global), "r"(inside ? 16 : 0) : "memory");
}

/// Makes the copies since the last commit a group.
__device__ __forceinline__ void copy_async_commit() { asm volatile("cp.async.commit_group;\n" ::: "memory"); }

/// Waits until at most `Pending` of this thread's groups are under way. Others see the data after a barrier.
template <int Pending>
__device__ __forceinline__ void copy_async_wait() {
    asm volatile("cp.async.wait_group %0;\n" ::"n"(Pending) : "memory");
}

// ---- tensor cores, one warp -----------------------------------------------------------------------------------------

/// Four 8x8 matrices of 16-bit elements; lanes 0-7 give the addresses of the rows of the first, 8-15 of the second, and so on.
/// Lane l gets elements 2(l%4) and 2(l%4)+1 of row l/4 of each.
__device__ __forceinline__ void load_matrices(unsigned (&fragment)[4], unsigned row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n"
                 : "=r"(fragment[0]), "=r"(fragment[1]), "=r"(fragment[2]), "=r"(fragment[3])
                 : "r"(row)
                 : "memory");
}

/// The same, with every matrix transposed.
__device__ __forceinline__ void load_matrices_transposed(unsigned (&fragment)[4], unsigned row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];\n"
                 : "=r"(fragment[0]), "=r"(fragment[1]), "=r"(fragment[2]), "=r"(fragment[3])
                 : "r"(row)
                 : "memory");
}

// d (16x8) += a (16xK) * b (Kx8), where K elements of a row have 32 bytes.
#define MMA(NAME, SHAPE, ACCUMULATOR, CONSTRAINT)                                                                                   \
    __device__ __forceinline__ void NAME(ACCUMULATOR(&d)[4], const unsigned(&a)[4], unsigned b0, unsigned b1) {                     \
        asm volatile("mma.sync.aligned." SHAPE " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};\n"                 \
                     : CONSTRAINT(d[0]), CONSTRAINT(d[1]), CONSTRAINT(d[2]), CONSTRAINT(d[3])                                       \
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));                                               \
    }
MMA(mma_f16, "m16n8k16.row.col.f32.f16.f16.f32", float, "+f")
MMA(mma_bf16, "m16n8k16.row.col.f32.bf16.bf16.f32", float, "+f")
MMA(mma_tf32, "m16n8k8.row.col.f32.tf32.tf32.f32", float, "+f")
MMA(mma_i8, "m16n8k32.row.col.s32.s8.s8.s32", int, "+r")
MMA(mma_e4m3, "m16n8k32.row.col.f32.e4m3.e4m3.f32", float, "+f")  // sm_89
#undef MMA

template <typename T>
__device__ __forceinline__ void mma(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1);
template <>
__device__ __forceinline__ void mma<__half>(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    mma_f16(d, a, b0, b1);
}
template <>
__device__ __forceinline__ void mma<__nv_bfloat16>(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    mma_bf16(d, a, b0, b1);
}
