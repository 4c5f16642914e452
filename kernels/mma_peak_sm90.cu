// mma_peak.cu for sm_90a: the rate of the tensor cores with wgmma, which mma.sync does not reach on this chip.
//
// A warpgroup multiplies A (64 rows, in registers) and B (256 columns, in shared memory), 128 bytes along K each, INNER
// times with one accumulator, then begins at zero again, OUTER times in all. TYPE is as in mma_peak.cu.

#include "element.cuh"

#include "hopper.cuh"
#include "warpgroup.cuh"

template <typename T>
struct Instruction;
#define INSTRUCTION(TYPE_, SUM, FUNCTION)                                                                                        \
    template <>                                                                                                                  \
    struct Instruction<TYPE_> {                                                                                                  \
        using Sum = SUM;                                                                                                         \
        static __device__ __forceinline__ void add(SUM(&d)[128], const unsigned(&a)[4], unsigned long long b, bool accumulate) { \
            FUNCTION(d, a, b, accumulate);                                                                                       \
        }                                                                                                                        \
    };
INSTRUCTION(__half, float, wgmma_peak_f16)
INSTRUCTION(__nv_bfloat16, float, wgmma_peak_bf16)
INSTRUCTION(float, float, wgmma_peak_tf32)
INSTRUCTION(signed char, int, wgmma_peak_i8)
INSTRUCTION(unsigned char, float, wgmma_peak_e4m3)
#undef INSTRUCTION

constexpr int rows = 64, columns = 256, row_words = 32, steps = 4;  // a step is 32 bytes along K
constexpr int threads = 32 * WARPS;

extern "C" __global__ void __launch_bounds__(threads, 1)
    mma_peak_sm90(const unsigned* __restrict__ a, const unsigned* __restrict__ b, float* __restrict__ product) {
    unsigned char* const tile = aligned_shared();
    for (int i = threadIdx.x; i < columns * 8; i += threads) {
        const int row = i / 8, chunk = i % 8;
        store_shared(tile + row * 128 + (chunk ^ (row % 8)) * 16, reinterpret_cast<const uint4*>(b)[i]);
    }
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    unsigned left[steps][4];
#pragma unroll
    for (int step = 0; step < steps; step++)
#pragma unroll
        for (int part = 0; part < 4; part++)
            left[step][part] = a[(warp % 4 * 16 + part % 2 * 8 + lane / 4) * row_words + step * 8 + lane % 4 + part / 2 * 4];
    fence_async();
    __syncthreads();

    const unsigned long long right = matrix_descriptor(tile, 16, 1024);
    // Zeroed although the first product overwrites it: registers that nobody has defined get copies in the loop, by
    // which the assembler of CUDA 12 serialises wgmma (its advice C7515).
    typename Instruction<TYPE>::Sum sum[columns / 2] = {};
    warpgroup_registers(sum);
    for (int outer = 0; outer < OUTER; outer++) {
#pragma unroll 1
        for (int inner = 0; inner < INNER; inner++) {
            warpgroup_fence();
#pragma unroll
            for (int step = 0; step < steps; step++)
                Instruction<TYPE>::add(sum, left[step], further(right, step * 32), inner > 0 || step > 0);
            warpgroup_commit();
            warpgroup_wait<1>();
        }
    }
    warpgroup_wait<0>();
    warpgroup_registers(sum);

    float* const to = product + static_cast<long long>(blockIdx.x * (WARPS / 4) + warp / 4) * rows * columns;
#pragma unroll
    for (int i = 0; i < columns / 2; i++)
        to[(warp % 4 * 16 + i / 2 % 2 * 8 + lane / 4) * columns + i / 4 * 8 + lane % 4 * 2 + i % 2] = static_cast<float>(sum[i]);
}
