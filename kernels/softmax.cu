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

/// The largest maximum and the sum that belongs to it, of the threads of a row.
struct Softmax {
    float maximum, sum;
};

__device__ __forceinline__ Softmax unite(Softmax a, Softmax b) {
    const float maximum = fmaxf(a.maximum, b.maximum);
    return {maximum, a.sum * exp2_approximate((a.maximum - maximum) * log2_e) + b.sum * exp2_approximate((b.maximum - maximum) * log2_e)};
}

__device__ __forceinline__ Softmax of_row(Softmax own) {
#pragma unroll
    for (int other = 16; other > 0; other /= 2) {
        const float maximum = __shfl_xor_sync(0xFFFFFFFFu, own.maximum, other);
        const float sum = __shfl_xor_sync(0xFFFFFFFFu, own.sum, other);
        own = unite(own, {maximum, sum});
    }
    if constexpr (row_threads > 32) {
        __shared__ float maxima[ROWS_PER_BLOCK][row_threads / 32], sums[ROWS_PER_BLOCK][row_threads / 32];
        const int warp = threadIdx.x / 32;
        if (threadIdx.x % 32 == 0) {
            maxima[threadIdx.y][warp] = own.maximum;
            sums[threadIdx.y][warp] = own.sum;
        }
        __syncthreads();
        own = {lowest, 0.0f};
#pragma unroll
        for (int i = 0; i < row_threads / 32; i++) own = unite(own, {maxima[threadIdx.y][i], sums[threadIdx.y][i]});
    }
    return own;
}

extern "C" __global__ void __launch_bounds__(ROW_THREADS* ROWS_PER_BLOCK)
    softmax(const TYPE* __restrict__ x, TYPE* __restrict__ y, int rows) {
    const long long row = static_cast<long long>(blockIdx.x) * ROWS_PER_BLOCK + threadIdx.y;
    const bool inside = row < rows;  // threads of rows beyond the last still meet the barrier
    const Group* from = reinterpret_cast<const Group*>(x + (inside ? row : 0) * columns);
    Group* to = reinterpret_cast<Group*>(y + (inside ? row : 0) * columns);

    Softmax own = {lowest, 0.0f};
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
                    own.maximum = fmaxf(own.maximum, values[i][j]);
                }
            }
        }
#pragma unroll
        for (int i = 0; i < held; i++) {
            if (inside && static_cast<int>(threadIdx.x) + i * row_threads < groups) {
#pragma unroll
                for (int j = 0; j < width; j++) {
                    values[i][j] = exp2_approximate((values[i][j] - own.maximum) * log2_e);
                    own.sum += values[i][j];
                }
            }
        }
        const Softmax all = of_row(own);
        const float factor = exp2_approximate((own.maximum - all.maximum) * log2_e) / all.sum;
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
            float largest = to_float(group.at[0]);
#pragma unroll
            for (int j = 1; j < width; j++) largest = fmaxf(largest, to_float(group.at[j]));
            float sum = 0.0f;
#pragma unroll
            for (int j = 0; j < width; j++) sum += exp2_approximate((to_float(group.at[j]) - largest) * log2_e);
            own = unite(own, {largest, sum});
        }
        const Softmax all = of_row(own);
        const float factor = 1.0f / all.sum;
        for (int at = threadIdx.x; inside && at < groups; at += row_threads) {
            Group group = from[at];
#pragma unroll
            for (int j = 0; j < width; j++)
                group.at[j] = from_float<TYPE>(exp2_approximate((to_float(group.at[j]) - all.maximum) * log2_e) * factor);
            to[at] = group;
        }
    }
}
