// The rate of the tensor cores with one instruction after the other and operands in registers: the ceiling for
// matrix products with mma.sync.
//
// A warp holds A (32 rows) and B (32 columns), 128 bytes along K each, and adds their product to its accumulators
// INNER times, then begins at zero again, OUTER times in all: sums stay small, so that also instructions that
// accumulate with few bits give a result that can be checked. TYPE says which instruction: float stands for tf32,
// signed char for s8, unsigned char for e4m3.
// The operands are random numbers: tensor cores draw less power, and clock higher, on zeros.

#include "ptx.cuh"

template <typename T>
struct Instruction;
#define INSTRUCTION(TYPE_, SUM, FUNCTION)                                                                                   \
    template <>                                                                                                             \
    struct Instruction<TYPE_> {                                                                                             \
        using Sum = SUM;                                                                                                    \
        static __device__ __forceinline__ void add(SUM(&d)[4], const unsigned(&a)[4], const unsigned(&b)[2]) {              \
            FUNCTION(d, a, b[0], b[1]);                                                                                     \
        }                                                                                                                   \
    };
INSTRUCTION(__half, float, mma_f16)
INSTRUCTION(__nv_bfloat16, float, mma_bf16)
INSTRUCTION(float, float, mma_tf32)
INSTRUCTION(signed char, int, mma_i8)
INSTRUCTION(unsigned char, float, mma_e4m3)
#undef INSTRUCTION

constexpr int rows = 32, columns = 32, row_words = 32, steps = 4;  // a step is 32 bytes along K

extern "C" __global__ void __launch_bounds__(WARPS * 32)
    mma_peak(const unsigned* __restrict__ a, const unsigned* __restrict__ b, float* __restrict__ product) {
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    unsigned left[rows / 16][steps][4], right[columns / 8][steps][2];
#pragma unroll
    for (int step = 0; step < steps; step++) {
        const int word = step * 8 + lane % 4;
#pragma unroll
        for (int i = 0; i < rows / 16; i++)
#pragma unroll
            for (int part = 0; part < 4; part++)
                left[i][step][part] = a[(i * 16 + part % 2 * 8 + lane / 4) * row_words + word + part / 2 * 4];
#pragma unroll
        for (int j = 0; j < columns / 8; j++)
#pragma unroll
            for (int part = 0; part < 2; part++) right[j][step][part] = b[(j * 8 + lane / 4) * row_words + word + part * 4];
    }

    typename Instruction<TYPE>::Sum sum[rows / 16][columns / 8][4];
    for (int outer = 0; outer < OUTER; outer++) {
#pragma unroll
        for (int i = 0; i < rows / 16; i++)
#pragma unroll
            for (int j = 0; j < columns / 8; j++)
#pragma unroll
                for (int l = 0; l < 4; l++) sum[i][j][l] = 0;
#pragma unroll 1
        for (int inner = 0; inner < INNER; inner++)
#pragma unroll
            for (int step = 0; step < steps; step++)
#pragma unroll
                for (int i = 0; i < rows / 16; i++)
#pragma unroll
                    for (int j = 0; j < columns / 8; j++)
                        Instruction<TYPE>::add(sum[i][j], left[i][step], right[j][step]);
    }

    float* const to = product + static_cast<long long>(blockIdx.x * WARPS + warp) * rows * columns;
#pragma unroll
    for (int i = 0; i < rows / 16; i++)
#pragma unroll
        for (int j = 0; j < columns / 8; j++)
#pragma unroll
            for (int l = 0; l < 4; l++) to[(i * 16 + l / 2 * 8 + lane / 4) * columns + j * 8 + lane % 4 * 2 + l % 2] = static_cast<float>(sum[i][j][l]);
}
