// gemm.cu for sm_90a: the same product with TMA and wgmma.
//
// One thread of the first warpgroup keeps STAGES tiles of A and B on their way to shared memory; BLOCK_M / 64 further
// warpgroups multiply them, 64 x BLOCK_N each, with the accumulators in registers. Two rings of barriers: `full` counts
// the bytes of a slot, `empty` the warps that have read it. A block stays for as many tiles of C as come to it
// (persistent), and loads for the next one while it stores the last.
//
// CLUSTER blocks, one tile of C below the other, need the same tile of B: each loads its share and sends it to all of them.
// A slot is then free when it has been read in all of them, and a block takes its leave with the others.

#include "element.cuh"

#include "fragment.cuh"
#include "hopper.cuh"
#include "warpgroup.cuh"

constexpr int consumers = BLOCK_M / 64;
constexpr int threads = 128 + 128 * consumers;
constexpr int block_k = 64;  // 128 bytes: the span of the swizzle
constexpr int bytes_a = BLOCK_M * block_k * 2, bytes_b = BLOCK_N * block_k * 2;
constexpr int share_n = BLOCK_N / CLUSTER, everybody = (1 << CLUSTER) - 1;
// Of the 168 registers that three warpgroups have at launch, what the loading one gives back the others take. Two
// warpgroups have enough from the start.
constexpr bool shift_registers = consumers == 2;

static_assert(BLOCK_M == 64 || BLOCK_M == 128, "one or two warpgroups multiply");
static_assert(BLOCK_N == 64 || BLOCK_N == 128 || BLOCK_N == 256, "the widths that hopper.cuh has");
static_assert(STAGES >= 2, "one slot computes while another loads");
static_assert(CLUSTER == 1 || CLUSTER == 2, "one block, or two that share B");

struct Tile {
    int m, n;
};

/// Where tile number `number` of a cluster begins: in groups of GROUP_M rows of tiles, which share tiles of B in the level-2
/// cache.
__device__ __forceinline__ Tile tile_of(int number, int rows, int columns) {
    const int group = number / (GROUP_M * columns), first = group * GROUP_M;
    const int height = min(rows - first, GROUP_M), within = number - group * GROUP_M * columns;
    return {(first + within % height) * BLOCK_M * CLUSTER, within / height * BLOCK_N};
}

/// Tells all who load into this slot that this warp has read it.
__device__ __forceinline__ void release(Barrier* empty, int lane) {
    if constexpr (CLUSTER == 1) {
        if (lane == 0) barrier_arrive(empty);
    } else {
        if (lane < CLUSTER) cluster_arrive(empty, lane);
    }
}

extern "C" __global__ void __launch_bounds__(threads, 1)
    gemm_sm90(const TYPE*, const TYPE*, const __grid_constant__ TensorMap a, const __grid_constant__ TensorMap b, TYPE* __restrict__ c, int m,
              int n, int k) {
    unsigned char* const tiles_a = aligned_shared();
    unsigned char* const tiles_b = tiles_a + STAGES * bytes_a;
    Barrier* const full = reinterpret_cast<Barrier*>(tiles_b + STAGES * bytes_b);
    Barrier* const empty = full + STAGES;

    const int warpgroup = uniform(threadIdx.x / 128);
    const int rows = ceil_div(m, BLOCK_M * CLUSTER), columns = ceil_div(n, BLOCK_N), steps = ceil_div(k, block_k);
    const int rank = CLUSTER == 1 ? 0 : cluster_rank();
    const int first_tile = blockIdx.x / CLUSTER, stride = gridDim.x / CLUSTER;

    if (threadIdx.x == 0) {
        for (int i = 0; i < STAGES; i++) {
            barrier_init(full + i, 1);
            barrier_init(empty + i, 4 * consumers * CLUSTER);
        }
        barrier_fence_init();
    }
    if constexpr (CLUSTER == 1) __syncthreads();
    else cluster_sync();

    Turn<STAGES> turn;
    if (warpgroup == 0) {
        if constexpr (shift_registers) registers_decrease<40>();
        if (threadIdx.x == 0) {
            tensor_prefetch(a);
            tensor_prefetch(b);
            for (int number = first_tile; number < rows * columns; number += stride) {
                const Tile tile = tile_of(number, rows, columns);
                for (int step = 0; step < steps; step++) {
                    Barrier* const slot = full + turn.slot;
                    unsigned char* const to_a = tiles_a + turn.slot * bytes_a;
                    unsigned char* const to_b = tiles_b + turn.slot * bytes_b;
                    barrier_wait(empty + turn.slot, turn.parity ^ 1);
                    barrier_expect(slot, bytes_a + bytes_b);
                    tensor_load(to_a, a, slot, step * block_k, tile.m + rank * BLOCK_M);
                    if constexpr (CLUSTER == 1) tensor_load(to_b, b, slot, step * block_k, tile.n);
                    else cluster_load(to_b + rank * share_n * 128, b, slot, everybody, step * block_k, tile.n + rank * share_n);
                    turn.next();
                }
            }
        }
    } else {
        if constexpr (shift_registers) registers_increase<232>();
        const int part = warpgroup - 1, lane = threadIdx.x % 32;
        const int row_of_thread = rank * BLOCK_M + part * 64 + threadIdx.x % 128 / 32 * 16 + lane / 4;
        const unsigned long long first_a = matrix_descriptor(tiles_a + part * 64 * 128, 16, 1024);
        const unsigned long long first_b = matrix_descriptor(tiles_b, 16, 1024);

        for (int number = first_tile; number < rows * columns; number += stride) {
            const Tile tile = tile_of(number, rows, columns);
            // Zeroed although the first product overwrites it: registers that nobody has defined get copies in the loop, by
            // which the assembler of CUDA 12 serialises wgmma (its advice C7515).
            float sum[BLOCK_N / 2] = {};
            int previous = 0;
            for (int step = 0; step < steps; step++) {
                barrier_wait(full + turn.slot, turn.parity);
                const unsigned long long left = further(first_a, turn.slot * bytes_a), right = further(first_b, turn.slot * bytes_b);
                warpgroup_registers(sum);
                warpgroup_fence();
#pragma unroll
                for (int inner = 0; inner < block_k / 16; inner++)
                    Warpgroup<TYPE>::multiply(sum, further(left, inner * 32), further(right, inner * 32), step > 0 || inner > 0);
                warpgroup_commit();
                // The products of the step before are done: its slot may be loaded again.
                warpgroup_wait<1>();
                if (step > 0) release(empty + previous, lane);
                previous = turn.slot;
                turn.next();
            }
            warpgroup_wait<0>();
            warpgroup_registers(sum);
            release(empty + previous, lane);

#pragma unroll
            for (int half = 0; half < 2; half++) {
                const int row = tile.m + row_of_thread + half * 8;
#pragma unroll
                for (int j = 0; j < BLOCK_N / 8; j += 4) {
                    unsigned packed[4];
#pragma unroll
                    for (int l = 0; l < 4; l++) packed[l] = pack<TYPE>(sum[(j + l) * 4 + half * 2], sum[(j + l) * 4 + half * 2 + 1]);
                    store_32_columns(c + static_cast<long long>(row) * n, tile.n + j * 8, n, row < m, packed[0], packed[1], packed[2], packed[3]);
                }
            }
        }
    }
    if constexpr (CLUSTER > 1) cluster_sync();
}
