// C (M x N) = A (M x K) * B (N x K) transposed, as a linear layer does; 16-bit elements, f32 accumulation, tensor cores.
//
// A block computes a BLOCK_M x BLOCK_N tile of C. STAGES tiles of A and B are on their way to shared memory at any time
// (cp.async); a warp multiplies its part with mma.m16n8k16 from fragments loaded with ldmatrix. Chunks of 16 bytes are
// swizzled, so that neither copies nor ldmatrix meet bank conflicts. Blocks run through C in groups of GROUP_M
// rows of tiles, which share their tiles of B in the level-2 cache. M and N may be anything, K a multiple of 8 (16-byte
// rows); what lies outside is read as zero.

#include "fragment.cuh"
#include "ptx.cuh"

constexpr int threads = 32 * WARPS_M * WARPS_N;
constexpr int warp_m = BLOCK_M / WARPS_M, warp_n = BLOCK_N / WARPS_N;
constexpr int tiles_m = warp_m / 16, tiles_n = warp_n / 8;
constexpr int chunks = BLOCK_K / 8;  // of 16 bytes in a row of a tile
constexpr int bytes_a = BLOCK_M * BLOCK_K * 2, bytes_b = BLOCK_N * BLOCK_K * 2;

static_assert(warp_m % 16 == 0 && warp_n % 32 == 0, "a warp computes whole fragments");
static_assert(STAGES >= 2, "one stage computes while another loads");

/// Starts copying ROWS rows of BLOCK_K elements from column `k` on to the tile at `tile`. What lies outside is not read.
template <int ROWS>
__device__ __forceinline__ void load_tile(unsigned tile, const TYPE* matrix, int first_row, int rows, int k, int depth) {
    constexpr int rows_at_once = threads / chunks;
    static_assert(ROWS % rows_at_once == 0, "every thread copies as much");
    const int row = static_cast<int>(threadIdx.x) / chunks, chunk = threadIdx.x % chunks;
    const TYPE* const from = matrix + static_cast<long long>(first_row + row) * depth + k + chunk * 8;
#pragma unroll
    for (int i = 0; i < ROWS; i += rows_at_once)
        copy_async(tile + moved<chunks>(place_of<chunks>(row + i % 8, chunk), i / 8 * 8, 0), from + static_cast<long long>(i) * depth,
                   first_row + row + i < rows && k + chunk * 8 < depth);
}

/// This block's tile of C.
__device__ __forceinline__ int2 tile_of_block(int m, int n) {
    const int rows = ceil_div(m, BLOCK_M), columns = ceil_div(n, BLOCK_N);
    const int number = static_cast<int>(blockIdx.x), group = number / (GROUP_M * columns);
    const int first = group * GROUP_M, height = min(rows - first, GROUP_M);
    const int within = number - group * GROUP_M * columns;
    return {first + within % height, within / height};
}

extern "C" __global__ void __launch_bounds__(threads)
    gemm(const TYPE* __restrict__ a, const TYPE* __restrict__ b, TYPE* __restrict__ c, int m, int n, int k) {
    const unsigned tiles = shared_address(dynamic_shared());
    const int2 tile = tile_of_block(m, n);
    const int first_m = tile.x * BLOCK_M, first_n = tile.y * BLOCK_N;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int row_of_warp = warp / WARPS_N * warp_m, column_of_warp = warp % WARPS_N * warp_n;
    const unsigned place_a = place_of<chunks>(row_of_warp + lane % 16, lane / 16);
    const unsigned place_b = place_of<chunks>(column_of_warp + lane % 8 + lane / 16 * 8, lane / 8 % 2);
    const int steps = ceil_div(k, BLOCK_K);

    const auto load = [&](int step) {
        const unsigned tile_a = tiles + step % STAGES * (bytes_a + bytes_b);
        load_tile<BLOCK_M>(tile_a, a, first_m, m, step * BLOCK_K, k);
        load_tile<BLOCK_N>(tile_a + bytes_a, b, first_n, n, step * BLOCK_K, k);
    };
#pragma unroll
    for (int step = 0; step < STAGES - 1; step++) {
        if (step < steps) load(step);
        copy_async_commit();
    }

    float sum[tiles_m][tiles_n][4] = {};
    for (int step = 0; step < steps; step++) {
        copy_async_wait<STAGES - 2>();
        __syncthreads();  // this step's tiles are there, and nobody reads those of the step before any more
        if (step + STAGES - 1 < steps) load(step + STAGES - 1);
        copy_async_commit();

        const unsigned tile_a = tiles + step % STAGES * (bytes_a + bytes_b), tile_b = tile_a + bytes_a;
#pragma unroll
        for (int inner = 0; inner < BLOCK_K / 16; inner++) {
            unsigned left[tiles_m][4], right[tiles_n / 2][4];
#pragma unroll
            for (int i = 0; i < tiles_m; i++) load_matrices(left[i], tile_a + moved<chunks>(place_a, i * 16, inner * 2));
#pragma unroll
            for (int j = 0; j < tiles_n / 2; j++) load_matrices(right[j], tile_b + moved<chunks>(place_b, j * 16, inner * 2));
#pragma unroll
            for (int i = 0; i < tiles_m; i++)
#pragma unroll
                for (int j = 0; j < tiles_n; j++) mma<TYPE>(sum[i][j], left[i], right[j / 2][j % 2 * 2], right[j / 2][j % 2 * 2 + 1]);
        }
    }
    copy_async_wait<0>();

#pragma unroll
    for (int i = 0; i < tiles_m; i++)
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const int row = first_m + row_of_warp + i * 16 + half * 8 + lane / 4;
#pragma unroll
            for (int j = 0; j < tiles_n; j += 4) {
                unsigned packed[4];
#pragma unroll
                for (int l = 0; l < 4; l++) packed[l] = pack<TYPE>(sum[i][j + l][half * 2], sum[i][j + l][half * 2 + 1]);
                store_32_columns(c + static_cast<long long>(row) * n, first_n + column_of_warp + j * 8, n, row < m, packed[0], packed[1],
                                 packed[2], packed[3]);
            }
        }
}
