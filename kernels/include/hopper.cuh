// Instructions of sm_90a: barriers that count bytes, copies of tensor tiles (TMA), clusters of blocks, products of a whole
// warpgroup (wgmma).
//
// What must hold, and is not seen by a compiler (PTX ISA, "Asynchronous warpgroup level matrix instructions" and
// "Tensor copy"):
//  - wgmma reads registers and shared memory asynchronously: warpgroup_fence() before the first after registers were
//    touched, warpgroup_commit() and warpgroup_wait() before results are read or operands are written again;
//  - shared memory that ordinary stores wrote needs fence_async() before wgmma or TMA touches it;
//  - a tile with 128-byte swizzle begins at a multiple of 1024 bytes: 8 rows of 128 bytes, chunk c of row r at c ^ r;
//  - a block reaches into another of its cluster only between a cluster_sync() behind the making of barriers and one at
//    the end: before, the other has no barriers, and after it no shared memory.
// tests/cpu_shim/hopper.cuh stands in for this file on a CPU.
#pragma once

#include "ptx.cuh"

/// What cuTensorMapEncodeTiled writes; passed by value as `const __grid_constant__`.
struct alignas(64) TensorMap {
    unsigned long long words[16];
};

// ---- barriers in shared memory --------------------------------------------------------------------------------------

using Barrier = unsigned long long;

/// Makes a barrier whose phases end after `arrivals` arrivals and all expected bytes.
__device__ __forceinline__ void barrier_init(Barrier* barrier, int arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;\n" ::"r"(shared_address(barrier)), "r"(arrivals) : "memory");
}

/// Makes fresh barriers visible to TMA; other threads see them after __syncthreads.
__device__ __forceinline__ void barrier_fence_init() {
    asm volatile("fence.mbarrier_init.release.cluster;\nfence.proxy.async.shared::cta;\n" ::: "memory");
}

__device__ __forceinline__ void barrier_arrive(Barrier* barrier) {
    asm volatile("mbarrier.arrive.release.cta.shared::cta.b64 _, [%0];\n" ::"r"(shared_address(barrier)) : "memory");
}

/// Arrives, and lets the phase wait for this many bytes, too.
__device__ __forceinline__ void barrier_expect(Barrier* barrier, int bytes) {
    asm volatile("mbarrier.arrive.expect_tx.release.cta.shared::cta.b64 _, [%0], %1;\n" ::"r"(shared_address(barrier)), "r"(bytes) : "memory");
}

/// Waits for the end of the phase of this parity: 0 is the first, 1 the second, 0 the third … A fresh barrier lets a
/// wait for parity 1 pass.
__device__ __forceinline__ void barrier_wait(Barrier* barrier, unsigned parity) {
    unsigned done;
    do {
        asm volatile(
            "{\n"
            ".reg .pred done;\n"
            "mbarrier.try_wait.parity.acquire.cta.shared::cta.b64 done, [%1], %2;\n"
            "selp.u32 %0, 1, 0, done;\n"
            "}\n"
            : "=r"(done)
            : "r"(shared_address(barrier)), "r"(parity)
            : "memory");
    } while (!done);
}

/// Waits until `threads` threads (whole warps) have come to barrier `id` with this function or the next.
__device__ __forceinline__ void named_barrier_sync(int id, int threads) {
    asm volatile("bar.sync %0, %1;\n" ::"r"(id), "r"(threads) : "memory");
}
__device__ __forceinline__ void named_barrier_arrive(int id, int threads) {
    asm volatile("bar.arrive %0, %1;\n" ::"r"(id), "r"(threads) : "memory");
}

// ---- TMA --------------------------------------------------------------------------------------------------------------

__device__ __forceinline__ void tensor_prefetch(const TensorMap& map) {
    asm volatile("prefetch.tensormap [%0];\n" ::"l"(&map) : "memory");
}

/// Copies the tile at (x, y) or (x, y, z) to shared memory; `barrier` gets its bytes. What lies outside becomes zero,
/// and counts as bytes all the same.
__device__ __forceinline__ void tensor_load(void* to, const TensorMap& map, Barrier* barrier, int x, int y) {
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4}], [%2];\n" ::"r"(
                     shared_address(to)),
                 "l"(&map), "r"(shared_address(barrier)), "r"(x), "r"(y)
                 : "memory");
}
__device__ __forceinline__ void tensor_load(void* to, const TensorMap& map, Barrier* barrier, int x, int y, int z) {
    asm volatile("cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5}], [%2];\n" ::"r"(
                     shared_address(to)),
                 "l"(&map), "r"(shared_address(barrier)), "r"(x), "r"(y), "r"(z)
                 : "memory");
}

// ---- clusters: blocks that reach each other's shared memory -----------------------------------------------------------

/// The number of this block in its cluster.
__device__ __forceinline__ unsigned cluster_rank() {
    unsigned rank;
    asm volatile("mov.u32 %0, %%cluster_ctarank;\n" : "=r"(rank));
    return rank;
}

/// The barrier of all threads of the cluster. It publishes no writes but those of barrier_fence_init(): a release for the
/// cluster would be one for the whole GPU, and wait for every store under way.
__device__ __forceinline__ void cluster_sync() {
    asm volatile("barrier.cluster.arrive.relaxed;\nbarrier.cluster.wait.acquire;\n" ::: "memory");
}

/// Arrives at the barrier that lies at this place in block `rank` of the cluster. For who has read, and whose reads are over:
/// it publishes no writes to other blocks, for the reason above.
__device__ __forceinline__ void cluster_arrive(Barrier* barrier, unsigned rank) {
    asm volatile(
        "{\n"
        ".reg .b32 there;\n"
        "mapa.shared::cluster.u32 there, %0, %1;\n"
        "mbarrier.arrive.shared::cluster.b64 _, [there];\n"
        "}\n" ::"r"(shared_address(barrier)),
        "r"(rank)
        : "memory");
}

/// tensor_load() to this place in every block of `mask` (bit r is block r); the barrier at this place of each gets the bytes.
__device__ __forceinline__ void cluster_load(void* to, const TensorMap& map, Barrier* barrier, unsigned mask, int x, int y) {
    asm volatile(
        "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster [%0], [%1, {%3, %4}], [%2], %5;\n" ::"r"(
            shared_address(to)),
        "l"(&map), "r"(shared_address(barrier)), "r"(x), "r"(y), "h"(static_cast<unsigned short>(mask))
        : "memory");
}

/// Stores 16 bytes; the tests see these stores, and miss fence_async() behind them.
__device__ __forceinline__ void store_shared(void* to, const uint4& value) { *reinterpret_cast<uint4*>(to) = value; }

/// Orders this thread's ordinary accesses to shared memory before later ones of TMA and wgmma.
__device__ __forceinline__ void fence_async() { asm volatile("fence.proxy.async.shared::cta;\n" ::: "memory"); }

// ---- registers --------------------------------------------------------------------------------------------------------

/// Gives back, or takes, registers of each thread of the warpgroup. The kernel needs __launch_bounds__ with both numbers.
template <int Registers>
__device__ __forceinline__ void registers_decrease() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;\n" ::"n"(Registers));
}
template <int Registers>
__device__ __forceinline__ void registers_increase() {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;\n" ::"n"(Registers));
}

// ---- wgmma ------------------------------------------------------------------------------------------------------------

__device__ __forceinline__ void warpgroup_fence() { asm volatile("wgmma.fence.sync.aligned;\n" ::: "memory"); }
__device__ __forceinline__ void warpgroup_commit() { asm volatile("wgmma.commit_group.sync.aligned;\n" ::: "memory"); }

/// Waits until at most `Pending` groups of this warp are under way.
template <int Pending>
__device__ __forceinline__ void warpgroup_wait() {
    asm volatile("wgmma.wait_group.sync.aligned %0;\n" ::"n"(Pending) : "memory");
}

/// Holds back what follows until `value`, which is never negative, is known: a branch that is never taken. ptxas moves a wait
/// upwards past arithmetic that does not depend on it, and so undoes the overlap that the source asks for; past a branch it
/// moves nothing.
__device__ __forceinline__ void finished(float value) {
    if (value < 0.0f) asm volatile("nanosleep.u32 0;\n" ::: "memory");
}

/// Tells the compiler that these registers change here: it moves no use of them across. Around waits, for the compiler does
/// not know that wgmma goes on writing after its instruction.
template <int Count>
__device__ __forceinline__ void warpgroup_registers(float (&registers)[Count]) {
#pragma unroll
    for (int i = 0; i < Count; i++) asm volatile("" : "+f"(registers[i])::"memory");
}
template <int Count>
__device__ __forceinline__ void warpgroup_registers(int (&registers)[Count]) {
#pragma unroll
    for (int i = 0; i < Count; i++) asm volatile("" : "+r"(registers[i])::"memory");
}

// d (64 x N) = a (64 x K) * b (K x N), + d where `accumulate`; K elements have 32 bytes. Warp w has rows 16 w to 16 w + 15,
// laid out in each thread as by mma.m16n8k16: d[4 j + 2 h + l] is row lane / 4 + 8 h, column 8 j + 2 (lane % 4) + l.
// Operand b is a descriptor, a is one (SHARED) or the fragment of mma.m16n8k16 (REGISTERS).
#define PLACES_32 \
    "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, " \
    "%23, %24, %25, %26, %27, %28, %29, %30, %31}"
#define PLACES_64 \
    "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, " \
    "%23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, " \
    "%44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}"
#define PLACES_128 \
    "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, " \
    "%23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, " \
    "%44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, %64, " \
    "%65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, %80, %81, %82, %83, %84, %85, " \
    "%86, %87, %88, %89, %90, %91, %92, %93, %94, %95, %96, %97, %98, %99, %100, %101, %102, %103, %104, " \
    "%105, %106, %107, %108, %109, %110, %111, %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, " \
    "%122, %123, %124, %125, %126, %127}"
#define EIGHT(C, i) C(d[i]), C(d[i + 1]), C(d[i + 2]), C(d[i + 3]), C(d[i + 4]), C(d[i + 5]), C(d[i + 6]), C(d[i + 7])
#define REGISTERS_32(C, i) EIGHT(C, i), EIGHT(C, i + 8), EIGHT(C, i + 16), EIGHT(C, i + 24)
#define REGISTERS_64(C, i) REGISTERS_32(C, i), REGISTERS_32(C, i + 32)
#define REGISTERS_128(C, i) REGISTERS_64(C, i), REGISTERS_64(C, i + 64)

// FLAGS: what follows the predicate: the signs of the operands and, for 16-bit types, whether they are transposed.
#define WGMMA_SHARED(NAME, SHAPE, COUNT, SUM, C, A, B, P, FLAGS)                                                                    \
    __device__ __forceinline__ void NAME(SUM(&d)[COUNT], unsigned long long a, unsigned long long b, bool accumulate) {             \
        asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, " P ", 0;\nwgmma.mma_async.sync.aligned." SHAPE " " PLACES_##COUNT ", " A    \
                     ", " B ", p" FLAGS ";\n}\n"                                                                                    \
                     : REGISTERS_##COUNT(C, 0)                                                                                      \
                     : "l"(a), "l"(b), "r"(static_cast<int>(accumulate)));                                                          \
    }
#define WGMMA_REGISTERS(NAME, SHAPE, COUNT, SUM, C, A, B, P, FLAGS)                                                                 \
    __device__ __forceinline__ void NAME(SUM(&d)[COUNT], const unsigned(&a)[4], unsigned long long b, bool accumulate) {            \
        asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, " P ", 0;\nwgmma.mma_async.sync.aligned." SHAPE " " PLACES_##COUNT ", " A    \
                     ", " B ", p" FLAGS ";\n}\n"                                                                                    \
                     : REGISTERS_##COUNT(C, 0)                                                                                      \
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<int>(accumulate)));                      \
    }
#define SHARED_32(NAME, SHAPE, FLAGS) WGMMA_SHARED(NAME, SHAPE, 32, float, "+f", "%32", "%33", "%34", FLAGS)
#define SHARED_64(NAME, SHAPE, FLAGS) WGMMA_SHARED(NAME, SHAPE, 64, float, "+f", "%64", "%65", "%66", FLAGS)
#define SHARED_128(NAME, SHAPE, FLAGS) WGMMA_SHARED(NAME, SHAPE, 128, float, "+f", "%128", "%129", "%130", FLAGS)
#define REGISTERS_32_A(NAME, SHAPE, FLAGS) WGMMA_REGISTERS(NAME, SHAPE, 32, float, "+f", "{%32, %33, %34, %35}", "%36", "%37", FLAGS)
#define REGISTERS_64_A(NAME, SHAPE, FLAGS) WGMMA_REGISTERS(NAME, SHAPE, 64, float, "+f", "{%64, %65, %66, %67}", "%68", "%69", FLAGS)
#define REGISTERS_128_A(NAME, SHAPE, SUM, C, FLAGS) WGMMA_REGISTERS(NAME, SHAPE, 128, SUM, C, "{%128, %129, %130, %131}", "%132", "%133", FLAGS)

// Both operands in shared memory, K-major.
SHARED_32(wgmma_f16, "m64n64k16.f32.f16.f16", ", 1, 1, 0, 0")
SHARED_64(wgmma_f16, "m64n128k16.f32.f16.f16", ", 1, 1, 0, 0")
SHARED_128(wgmma_f16, "m64n256k16.f32.f16.f16", ", 1, 1, 0, 0")
SHARED_32(wgmma_bf16, "m64n64k16.f32.bf16.bf16", ", 1, 1, 0, 0")
SHARED_64(wgmma_bf16, "m64n128k16.f32.bf16.bf16", ", 1, 1, 0, 0")
SHARED_128(wgmma_bf16, "m64n256k16.f32.bf16.bf16", ", 1, 1, 0, 0")
// a in registers, b in shared memory, N-major.
REGISTERS_32_A(wgmma_f16_n_major, "m64n64k16.f32.f16.f16", ", 1, 1, 1")
REGISTERS_64_A(wgmma_f16_n_major, "m64n128k16.f32.f16.f16", ", 1, 1, 1")
REGISTERS_32_A(wgmma_bf16_n_major, "m64n64k16.f32.bf16.bf16", ", 1, 1, 1")
REGISTERS_64_A(wgmma_bf16_n_major, "m64n128k16.f32.bf16.bf16", ", 1, 1, 1")
// a in registers, b in shared memory, K-major: for the ceilings.
REGISTERS_128_A(wgmma_peak_f16, "m64n256k16.f32.f16.f16", float, "+f", ", 1, 1, 0")
REGISTERS_128_A(wgmma_peak_bf16, "m64n256k16.f32.bf16.bf16", float, "+f", ", 1, 1, 0")
REGISTERS_128_A(wgmma_peak_tf32, "m64n256k8.f32.tf32.tf32", float, "+f", ", 1, 1")
REGISTERS_128_A(wgmma_peak_i8, "m64n256k32.s32.s8.s8", int, "+r", "")
REGISTERS_128_A(wgmma_peak_e4m3, "m64n256k32.f32.e4m3.e4m3", float, "+f", ", 1, 1")

#undef SHARED_32
#undef SHARED_64
#undef SHARED_128
#undef REGISTERS_32_A
#undef REGISTERS_64_A
#undef REGISTERS_128_A
#undef WGMMA_SHARED
#undef WGMMA_REGISTERS
#undef REGISTERS_32
#undef REGISTERS_64
#undef REGISTERS_128
#undef EIGHT
#undef PLACES_32
#undef PLACES_64
#undef PLACES_128
