// Attention, forward: O = softmax(Q K^T / sqrt(D)) V, without ever writing the scores (Dao 2023, FlashAttention-2).
//
// Q and O are (batch, heads, queries, D), K and V (batch, key heads, keys, D), contiguous. The query heads that share a key
// head lie next to each other, so that for one key head they are just more rows: `group * queries` of them. A block takes
// BLOCK_M of these rows and walks over the keys, BLOCK_N at a time, last ones first: with CAUSAL a row sees the keys up to
// its own position, the last query the last key. NUM_STAGES tiles of K and V are on their way (cp.async). A warp
// has BLOCK_M / NUM_WARPS rows for itself: its Q stays in registers, the scores of a tile become the left operand of the
// second product without leaving registers. Running maximum and sum are kept in units of log2 (exp2 is the hardware's).

#include "fragment.cuh"
#include "ptx.cuh"

constexpr int threads = 32 * NUM_WARPS;
constexpr int tiles_m = BLOCK_M / (16 * NUM_WARPS);  // 16-row tiles of a warp
constexpr int tiles_n = BLOCK_N / 8, tiles_d = HEAD_DIM / 8;
constexpr int chunks = HEAD_DIM / 8;  // of 16 bytes in a row
constexpr int bytes_q = BLOCK_M * HEAD_DIM * 2, bytes_k = BLOCK_N * HEAD_DIM * 2;
constexpr float log2_e = 1.4426950408889634f;
constexpr float scale = log2_e * (HEAD_DIM == 64 ? 0.125f : 0.08838834764831845f);  // 1 / sqrt(D)

static_assert(HEAD_DIM == 64 || HEAD_DIM == 128, "head dimensions");
static_assert(BLOCK_M % (16 * NUM_WARPS) == 0 && BLOCK_N % 16 == 0, "whole fragments");
static_assert(NUM_STAGES >= 2, "one stage computes while another loads");

/// Starts copying ROWS rows from row `first` on to the tile at `tile`. What lies outside is not read.
template <int ROWS>
__device__ __forceinline__ void load_rows(unsigned tile, const TYPE* matrix, int first, int rows) {
    constexpr int rows_at_once = threads / chunks;
    static_assert(ROWS % rows_at_once == 0, "every thread copies as much");
    const int row = static_cast<int>(threadIdx.x) / chunks, chunk = threadIdx.x % chunks;
#pragma unroll
    for (int i = 0; i < ROWS; i += rows_at_once)
        copy_async(tile + moved<chunks>(place_of<chunks>(row + i % 8, chunk), i / 8 * 8, 0),
                   matrix + static_cast<long long>(first + row + i) * HEAD_DIM + chunk * 8, first + row + i < rows);
}

// 128 registers are enough for 16 rows of 64 elements, and let two blocks of 8 warps run on a multiprocessor.
constexpr int resident = HEAD_DIM == 64 && tiles_m == 1 && threads <= 256 ? 2 : 1;

extern "C" __global__ void __launch_bounds__(threads, resident)
    flash_attention(const TYPE* __restrict__ q, const TYPE* __restrict__ k, const TYPE* __restrict__ v, TYPE* __restrict__ o, int queries,
                    int keys, int group) {
    const unsigned tile_q = shared_address(dynamic_shared()), tiles_k = tile_q + bytes_q, tiles_v = tiles_k + NUM_STAGES * bytes_k;

    const int rows = group * queries;
    // The last rows have most to do when causal: they go first.
    const int first_row = static_cast<int>(CAUSAL ? gridDim.x - 1 - blockIdx.x : blockIdx.x) * BLOCK_M;
    const long long head = blockIdx.y;  // of batch * key heads
    const TYPE* const keys_of_head = k + head * keys * HEAD_DIM;
    const TYPE* const values_of_head = v + head * keys * HEAD_DIM;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int row_of_warp = warp * tiles_m * 16;
    const unsigned place_q = place_of<chunks>(row_of_warp + lane % 16, lane / 16), place_v = place_of<chunks>(lane % 16, lane / 16);
    const unsigned place_k = place_of<chunks>(lane % 8 + lane / 16 * 8, lane / 8 % 2);

    // Positions of this block's rows: the last query sees the last key. A block with rows of two heads has all positions.
    const int last_row = min(first_row + BLOCK_M, rows) - 1;
    const bool one_head = first_row / queries == last_row / queries;
    const int offset = keys - queries;
    const int seen_by_last = CAUSAL ? min(keys, (one_head ? last_row % queries : queries - 1) + offset + 1) : keys;
    const int seen_by_all = CAUSAL ? min(keys, (one_head ? first_row % queries : 0) + offset + 1) : keys;
    const int steps = seen_by_last > 0 ? ceil_div(seen_by_last, BLOCK_N) : 0;

    const auto load_step = [&](unsigned tiles, const TYPE* matrix, int step) {
        if (step < steps) load_rows<BLOCK_N>(tiles + step % NUM_STAGES * bytes_k, matrix, (steps - 1 - step) * BLOCK_N, keys);
        copy_async_commit();
    };
    load_rows<BLOCK_M>(tile_q, q + head * rows * HEAD_DIM, first_row, rows);
#pragma unroll
    for (int step = 0; step < NUM_STAGES - 1; step++) {
        load_step(tiles_k, keys_of_head, step);
        load_step(tiles_v, values_of_head, step);
    }

    unsigned query[tiles_m][HEAD_DIM / 16][4];
    copy_async_wait<2 * NUM_STAGES - 3>();
    __syncthreads();  // Q is there
#pragma unroll
    for (int i = 0; i < tiles_m; i++)
#pragma unroll
        for (int d = 0; d < HEAD_DIM / 16; d++) load_matrices(query[i][d], tile_q + moved<chunks>(place_q, i * 16, d * 2));

    float output[tiles_m][tiles_d][4] = {};
    float maximum[tiles_m][2], sum[tiles_m][2] = {};
#pragma unroll
    for (int i = 0; i < tiles_m; i++) maximum[i][0] = maximum[i][1] = minus_infinity();

    for (int step = 0; step < steps; step++) {
        const int first_key = (steps - 1 - step) * BLOCK_N;
        copy_async_wait<2 * NUM_STAGES - 3>();
        __syncthreads();  // K is there, and everyone has left the tiles that are loaded next
        load_step(tiles_k, keys_of_head, step + NUM_STAGES - 1);
        load_step(tiles_v, values_of_head, step + NUM_STAGES - 1);

        float score[tiles_m][tiles_n][4] = {};
        const unsigned tile_k = tiles_k + step % NUM_STAGES * bytes_k;
#pragma unroll
        for (int d = 0; d < HEAD_DIM / 16; d++)
#pragma unroll
            for (int j = 0; j < tiles_n / 2; j++) {
                unsigned right[4];
                load_matrices(right, tile_k + moved<chunks>(place_k, j * 16, d * 2));
#pragma unroll
                for (int i = 0; i < tiles_m; i++) {
                    mma<TYPE>(score[i][j * 2], query[i][d], right[0], right[1]);
                    mma<TYPE>(score[i][j * 2 + 1], query[i][d], right[2], right[3]);
                }
            }

        if (first_key + BLOCK_N > seen_by_all) {
#pragma unroll
            for (int i = 0; i < tiles_m; i++)
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    const int row = first_row + row_of_warp + i * 16 + half * 8 + lane / 4;
                    const int seen = CAUSAL ? min(keys, row % queries + offset + 1) : keys;
#pragma unroll
                    for (int j = 0; j < tiles_n; j++)
#pragma unroll
                        for (int l = 0; l < 2; l++)
                            if (first_key + j * 8 + lane % 4 * 2 + l >= seen) score[i][j][half * 2 + l] = minus_infinity();
                }
        }

#pragma unroll
        for (int i = 0; i < tiles_m; i++)
#pragma unroll
            for (int half = 0; half < 2; half++) {
                float largest = maximum[i][half];
#pragma unroll
                for (int j = 0; j < tiles_n; j++) largest = fmaxf(largest, fmaxf(score[i][j][half * 2], score[i][j][half * 2 + 1]));
                largest = max_of_quad(largest);
                // A row that has seen no key yet has no maximum: nothing is subtracted, every exponential is 0.
                const float subtracted = largest == minus_infinity() ? 0.0f : largest * scale;
                const float shrink = exp2_approximate(maximum[i][half] * scale - subtracted);
                maximum[i][half] = largest;
                float of_tile = 0.0f;
#pragma unroll
                for (int j = 0; j < tiles_n; j++)
#pragma unroll
                    for (int l = 0; l < 2; l++) {
                        float& p = score[i][j][half * 2 + l];
                        p = exp2_approximate(p * scale - subtracted);
                        of_tile += p;
                    }
                sum[i][half] = sum[i][half] * shrink + of_tile;
#pragma unroll
                for (int d = 0; d < tiles_d; d++) {
                    output[i][d][half * 2] *= shrink;
                    output[i][d][half * 2 + 1] *= shrink;
                }
            }

        copy_async_wait<2 * NUM_STAGES - 2>();
        __syncthreads();  // V is there
        const unsigned tile_v = tiles_v + step % NUM_STAGES * bytes_k;
#pragma unroll
        for (int j = 0; j < tiles_n / 2; j++) {
            unsigned left[tiles_m][4];
#pragma unroll
            for (int i = 0; i < tiles_m; i++)
#pragma unroll
                for (int part = 0; part < 4; part++)
                    left[i][part] = pack<TYPE>(score[i][j * 2 + part / 2][part % 2 * 2], score[i][j * 2 + part / 2][part % 2 * 2 + 1]);
#pragma unroll
            for (int d = 0; d < tiles_d / 2; d++) {
                unsigned right[4];
                load_matrices_transposed(right, tile_v + moved<chunks>(place_v, j * 16, d * 2));
#pragma unroll
                for (int i = 0; i < tiles_m; i++) {
                    mma<TYPE>(output[i][d * 2], left[i], right[0], right[1]);
                    mma<TYPE>(output[i][d * 2 + 1], left[i], right[2], right[3]);
                }
            }
        }
    }
    copy_async_wait<0>();

#pragma unroll
    for (int i = 0; i < tiles_m; i++)
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const int row = first_row + row_of_warp + i * 16 + half * 8 + lane / 4;
            const float all = sum_of_quad(sum[i][half]);
            const float factor = all > 0.0f ? 1.0f / all : 0.0f;  // a row that sees no key is zero
            TYPE* const to = o + (head * rows + row) * HEAD_DIM;
#pragma unroll
            for (int d = 0; d < tiles_d; d += 4) {
                unsigned packed[4];
#pragma unroll
                for (int l = 0; l < 4; l++) packed[l] = pack<TYPE>(output[i][d + l][half * 2] * factor, output[i][d + l][half * 2 + 1] * factor);
                store_32_columns(to, d * 8, HEAD_DIM, row < rows, packed[0], packed[1], packed[2], packed[3]);
            }
        }
}
