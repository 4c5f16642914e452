// Softmax of every row. Bound by the bandwidth of memory: a row is read once and written once.
//
// ROW_THREADS threads share a row, ROWS_PER_BLOCK rows a block. Rows that fit in registers stay there between the two
// passes (largest element, then sum of exponentials); longer ones are read twice, with an online first pass that
// rescales the sum whenever the maximum grows (Milakov and Gimelshein, 2018), so that the second read is the last.

#include "element.cuh"
#include "ptx.cuh"

constexpr int columns = COLUMNS;
constexpr int row_threads = ROW_THREADS;
constexpr int width = VECTOR;
constexpr int groups = columns / width;
constexpr int held = ceil_div(groups, row_threads);  // groups of a thread
constexpr bool in_registers = held * width <= 64;
constexpr float log2_e = 1.4426950408889634f;
constexpr float lowest = -3.4e38f;
using Group = Vector<TYPE, width>;

static_assert(columns % width == 0, "a row is whole vectors");

/// What `unite` makes of the values of all threads of a row. `of_warps` has a place for each warp of the block, and is used once.
template <typename Unite>
__device__ __forceinline__ float over_row(float value, float (&of_warps)[ROWS_PER_BLOCK][ceil_div(row_threads, 32)], Unite unite) {
#pragma unroll
    for (int other = 16; other > 0; other /= 2) value = unite(value, __shfl_xor_sync(0xFFFFFFFFu, value, other));
    if constexpr (row_threads > 32) {
        if (threadIdx.x % 32 == 0) of_warps[threadIdx.y][threadIdx.x / 32] = value;
        __syncthreads();
        value = of_warps[threadIdx.y][0];
#pragma unroll
        for (int i = 1; i < row_threads / 32; i++) value = unite(value, of_warps[threadIdx.y][i]);
    }
    return value;
}

__device__ __forceinline__ float max_of_row(float value) {
    __shared__ float of_warps[ROWS_PER_BLOCK][ceil_div(row_threads, 32)];
    return over_row(value, of_warps, [](float a, float b) { return fmaxf(a, b); });
}

__device__ __forceinline__ float sum_of_row(float value) {
    __shared__ float of_warps[ROWS_PER_BLOCK][ceil_div(row_threads, 32)];
    return over_row(value, of_warps, [](float a, float b) { return a + b; });
}

extern "C" __global__ void __launch_bounds__(ROW_THREADS* ROWS_PER_BLOCK)
    softmax(const TYPE* __restrict__ x, TYPE* __restrict__ y, int rows) {
    const long long row = static_cast<long long>(blockIdx.x) * ROWS_PER_BLOCK + threadIdx.y;
    const bool inside = row < rows;  // threads of rows beyond the last still meet the barrier
    const Group* from = reinterpret_cast<const Group*>(x + (inside ? row : 0) * columns);
    Group* to = reinterpret_cast<Group*>(y + (inside ? row : 0) * columns);

    float largest = lowest, sum = 0.0f;
    if constexpr (in_registers) {
        float values[held][width];
#pragma unroll
        for (int i = 0; i < held; i++) {
            const int at = threadIdx.x + i * row_threads;
            if (inside && at < groups) {
                const Group group = from[at];
#pragma unroll
                for (int j = 0; j < width; j++) {
                    values[i][j] = to_float(group.at[j]);
                    largest = fmaxf(largest, values[i][j]);
                }
            }
        }
        largest = max_of_row(largest);
#pragma unroll
        for (int i = 0; i < held; i++) {
            if (inside && static_cast<int>(threadIdx.x) + i * row_threads < groups) {
#pragma unroll
                for (int j = 0; j < width; j++) {
                    values[i][j] = exp2_approximate((values[i][j] - largest) * log2_e);
                    sum += values[i][j];
                }
            }
        }
        const float factor = 1.0f / sum_of_row(sum);
#pragma unroll
        for (int i = 0; i < held; i++) {
            const int at = threadIdx.x + i * row_threads;
            if (inside && at < groups) {
                Group group;
#pragma unroll
                for (int j = 0; j < width; j++) group.at[j] = from_float<TYPE>(values[i][j] * factor);
                to[at] = group;
            }
        }
    } else {
        for (int at = threadIdx.x; inside && at < groups; at += row_threads) {
            const Group group = from[at];
            const float before = largest;
#pragma unroll
            for (int j = 0; j < width; j++) largest = fmaxf(largest, to_float(group.at[j]));
            sum *= exp2_approximate((before - largest) * log2_e);
#pragma unroll
            for (int j = 0; j < width; j++) sum += exp2_approximate((to_float(group.at[j]) - largest) * log2_e);
        }
        const float largest_of_row = max_of_row(largest);
        const float factor = 1.0f / sum_of_row(sum * exp2_approximate((largest - largest_of_row) * log2_e));
        for (int at = threadIdx.x; inside && at < groups; at += row_threads) {
            Group group = from[at];
#pragma unroll
            for (int j = 0; j < width; j++)
                group.at[j] = from_float<TYPE>(exp2_approximate((to_float(group.at[j]) - largest_of_row) * log2_e) * factor);
            to[at] = group;
        }
    }
}
