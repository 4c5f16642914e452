// flash_attention.cu for sm_90a: the same result with TMA and wgmma (after Shah et al. 2024, FlashAttention-3).
//
// One thread of the first warpgroup brings Q, K and V to shared memory; NUM_WARPS / 4 further warpgroups compute 64 rows
// each. While a warpgroup takes the exponentials of one tile of scores, the tensor cores multiply its last
// probabilities with V; and while one warpgroup has the tensor cores, another takes its exponentials: they come to them
// in turns (named barriers). A block stays for as many tiles of rows as come to it (persistent): the first keys of the
// next one load while it stores. Rows, heads and masks are as in flash_attention.cu.

#include "element.cuh"

#include "fragment.cuh"
#include "hopper.cuh"
#include "warpgroup.cuh"

constexpr int consumers = NUM_WARPS / 4;
constexpr int threads = 128 + 128 * consumers;
constexpr int panels = HEAD_DIM / 64;  // 64 elements are 128 bytes, the span of the swizzle: a wider row is several panels
constexpr int panel_q = BLOCK_M * 128, panel_k = BLOCK_N * 128;  // bytes
constexpr int bytes_q = panels * panel_q, bytes_k = panels * panel_k;
constexpr int columns = BLOCK_N / 8, columns_d = HEAD_DIM / 8;
constexpr float log2_e = 1.4426950408889634f;
constexpr float scale = log2_e * (HEAD_DIM == 64 ? 0.125f : 0.08838834764831845f);  // 1 / sqrt(D)

static_assert(HEAD_DIM == 64 || HEAD_DIM == 128, "head dimensions");
static_assert(BLOCK_M == 64 * consumers && consumers >= 1 && consumers <= 3, "64 rows a warpgroup");
static_assert(BLOCK_N == 64 || BLOCK_N == 128, "the widths that hopper.cuh has");
static_assert(NUM_STAGES >= 2, "one slot computes while another loads");

/// What one block does in one turn: BLOCK_M rows of one key head.
struct Work {
    int first_row, head, steps, seen_by_all;
};

__device__ __forceinline__ Work work_of(int number, int heads, int rows, int queries, int keys) {
    const int tiles = ceil_div(rows, BLOCK_M);
    Work work;
    if constexpr (CAUSAL) {
        // The longest first, so that no block ends long after the others; 16 heads together, for the level-2 cache.
        const int section = number / (16 * tiles), width = min(heads - section * 16, 16);
        const int within = number - section * 16 * tiles;
        work.head = section * 16 + within % width;
        work.first_row = (tiles - 1 - within / width) * BLOCK_M;
    } else {
        work.head = number / tiles;
        work.first_row = number % tiles * BLOCK_M;
    }
    const int last_row = min(work.first_row + BLOCK_M, rows) - 1;
    const bool one_head = work.first_row / queries == last_row / queries;
    const int offset = keys - queries;
    const int seen_by_last = CAUSAL ? min(keys, (one_head ? last_row % queries : queries - 1) + offset + 1) : keys;
    work.seen_by_all = CAUSAL ? min(keys, (one_head ? work.first_row % queries : 0) + offset + 1) : keys;
    work.steps = max(1, ceil_div(max(seen_by_last, 0), BLOCK_N));
    return work;
}

struct Ring {
    Barrier full[NUM_STAGES], empty[NUM_STAGES];
};
struct Barriers {
    Ring k, v;
    Barrier full_q, empty_q;
};

extern "C" __global__ void __launch_bounds__(threads, 1)
    flash_attention_sm90(const TYPE*, const TYPE*, const TYPE*, const __grid_constant__ TensorMap q, const __grid_constant__ TensorMap k,
                         const __grid_constant__ TensorMap v, TYPE* __restrict__ o, int heads, int queries, int keys, int group) {
    unsigned char* const tile_q = aligned_shared();
    unsigned char* const tiles_k = tile_q + bytes_q;
    unsigned char* const tiles_v = tiles_k + NUM_STAGES * bytes_k;
    Barriers* const barriers = reinterpret_cast<Barriers*>(tiles_v + NUM_STAGES * bytes_k);

    const int rows = group * queries, works = ceil_div(rows, BLOCK_M) * heads;
    const int warpgroup = uniform(threadIdx.x / 128);

    if (threadIdx.x == 0) {
        for (int i = 0; i < NUM_STAGES; i++) {
            barrier_init(&barriers->k.full[i], 1);
            barrier_init(&barriers->v.full[i], 1);
            barrier_init(&barriers->k.empty[i], NUM_WARPS);
            barrier_init(&barriers->v.empty[i], NUM_WARPS);
        }
        barrier_init(&barriers->full_q, 1);
        barrier_init(&barriers->empty_q, NUM_WARPS);
        barrier_fence_init();
    }
    __syncthreads();

    Turn<NUM_STAGES> turn_k, turn_v;
    Turn<1> turn_q;
    if (warpgroup == 0) {
        if constexpr (consumers > 1) registers_decrease<24>();
        if (threadIdx.x == 0) {
            tensor_prefetch(q);
            tensor_prefetch(k);
            tensor_prefetch(v);
            const auto load = [&](Ring& ring, unsigned char* tiles, const TensorMap& map, Turn<NUM_STAGES>& turn, int key, int head) {
                barrier_wait(&ring.empty[turn.slot], turn.parity ^ 1);
                barrier_expect(&ring.full[turn.slot], bytes_k);
                for (int panel = 0; panel < panels; panel++)
                    tensor_load(tiles + turn.slot * bytes_k + panel * panel_k, map, &ring.full[turn.slot], panel * 64, key, head);
                turn.next();
            };
            for (int number = blockIdx.x; number < works; number += gridDim.x) {
                const Work work = work_of(number, heads, rows, queries, keys);
                barrier_wait(&barriers->empty_q, turn_q.parity ^ 1);
                barrier_expect(&barriers->full_q, bytes_q);
                for (int panel = 0; panel < panels; panel++)
                    tensor_load(tile_q + panel * panel_q, q, &barriers->full_q, panel * 64, work.first_row, work.head);
                turn_q.next();
                for (int step = 0; step < work.steps; step++) {
                    const int key = (work.steps - 1 - step) * BLOCK_N;
                    load(barriers->k, tiles_k, k, turn_k, key, work.head);
                    load(barriers->v, tiles_v, v, turn_v, key, work.head);
                }
            }
        }
    } else {
        if constexpr (consumers == 2) registers_increase<240>();
        if constexpr (consumers == 3) registers_increase<160>();
        const int part = warpgroup - 1, lane = threadIdx.x % 32;
        const int row_in_tile = part * 64 + threadIdx.x % 128 / 32 * 16 + lane / 4;
        const int next_part = (part + 1) % consumers;
        const unsigned long long own_q = matrix_descriptor(tile_q + part * 64 * 128, 16, 1024);
        const unsigned long long first_k = matrix_descriptor(tiles_k, 16, 1024), first_v = matrix_descriptor(tiles_v, panel_k, 1024);
        // The tensor cores go from warpgroup to warpgroup: barrier 1 + part is the turn of `part`.
        constexpr bool in_turns = IN_TURNS && consumers > 1;
        if constexpr (in_turns)
            if (part == consumers - 1 && static_cast<int>(blockIdx.x) < works) named_barrier_arrive(1, 256);
        const auto take_turn = [&] {
            if constexpr (in_turns) named_barrier_sync(1 + part, 256);
        };
        const auto pass_turn = [&](bool last) {
            if constexpr (in_turns)
                if (!last || part != consumers - 1) named_barrier_arrive(1 + next_part, 256);
        };

        for (int number = blockIdx.x; number < works; number += gridDim.x) {
            const Work work = work_of(number, heads, rows, queries, keys);
            const bool last_work = number + static_cast<int>(gridDim.x) >= works;
            int seen[2];
#pragma unroll
            for (int half = 0; half < 2; half++)
                seen[half] = CAUSAL ? min(keys, (work.first_row + row_in_tile + half * 8) % queries + keys - queries + 1) : keys;

            float score[BLOCK_N / 2], output[HEAD_DIM / 2];
            unsigned probability[BLOCK_N / 16][4];
            float maximum[2] = {minus_infinity(), minus_infinity()}, sum[2] = {0.0f, 0.0f}, shrink[2];
#pragma unroll
            for (int i = 0; i < HEAD_DIM / 2; i++) output[i] = 0.0f;

            const auto multiply_keys = [&] {
                const unsigned long long tile = further(first_k, turn_k.slot * bytes_k);
                warpgroup_registers(score);
                warpgroup_fence();
#pragma unroll
                for (int d = 0; d < HEAD_DIM / 16; d++)
                    Warpgroup<TYPE>::multiply(score, further(own_q, d / 4 * panel_q + d % 4 * 32), further(tile, d / 4 * panel_k + d % 4 * 32),
                                              d > 0);
                warpgroup_commit();
            };
            const auto multiply_values = [&] {
                const unsigned long long tile = further(first_v, turn_v.slot * bytes_k);
                warpgroup_registers(output);
                warpgroup_fence();
#pragma unroll
                for (int j = 0; j < BLOCK_N / 16; j++)
                    Warpgroup<TYPE>::multiply_n_major(output, probability[j], further(tile, j * 16 * 128));
                warpgroup_commit();
            };
            // Scores become exponentials; `shrink` is what all that was summed before must be multiplied with.
            const auto take_exponentials = [&](int first_key) {
                if (first_key + BLOCK_N > work.seen_by_all) {
#pragma unroll
                    for (int j = 0; j < columns; j++)
#pragma unroll
                        for (int l = 0; l < 4; l++)
                            if (first_key + j * 8 + lane % 4 * 2 + l % 2 >= seen[l / 2]) score[j * 4 + l] = minus_infinity();
                }
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    float largest = maximum[half];
#pragma unroll
                    for (int j = 0; j < columns; j++) largest = fmaxf(largest, fmaxf(score[j * 4 + half * 2], score[j * 4 + half * 2 + 1]));
                    largest = max_of_quad(largest);
                    const float subtracted = largest == minus_infinity() ? 0.0f : largest * scale;
                    shrink[half] = exp2_approximate(maximum[half] * scale - subtracted);
                    maximum[half] = largest;
                    float of_tile = 0.0f;
#pragma unroll
                    for (int j = 0; j < columns; j++)
#pragma unroll
                        for (int l = 0; l < 2; l++) {
                            float& p = score[j * 4 + half * 2 + l];
                            p = exp2_approximate(p * scale - subtracted);
                            of_tile += p;
                        }
                    sum[half] = sum[half] * shrink[half] + of_tile;
                }
            };
            // Accumulators of two 8-column blocks are the left fragment of 16 values of k.
            const auto take_probabilities = [&] {
#pragma unroll
                for (int j = 0; j < BLOCK_N / 16; j++)
#pragma unroll
                    for (int l = 0; l < 4; l++) probability[j][l] = pack<TYPE>(score[j * 8 + l * 2], score[j * 8 + l * 2 + 1]);
            };

            barrier_wait(&barriers->full_q, turn_q.parity);
            turn_q.next();
            barrier_wait(&barriers->k.full[turn_k.slot], turn_k.parity);
            take_turn();
            multiply_keys();
            pass_turn(last_work && work.steps == 1);
            warpgroup_wait<0>();
            warpgroup_registers(score);
            if (lane == 0) barrier_arrive(&barriers->k.empty[turn_k.slot]);
            turn_k.next();
            take_exponentials((work.steps - 1) * BLOCK_N);
            take_probabilities();

            for (int step = 1; step < work.steps; step++) {
                barrier_wait(&barriers->k.full[turn_k.slot], turn_k.parity);
                take_turn();
                multiply_keys();
                barrier_wait(&barriers->v.full[turn_v.slot], turn_v.parity);
                multiply_values();
                pass_turn(last_work && step == work.steps - 1);
                warpgroup_wait<1>();  // the scores; the product with V goes on
                warpgroup_registers(score);
                if (lane == 0) barrier_arrive(&barriers->k.empty[turn_k.slot]);
                turn_k.next();
                take_exponentials((work.steps - 1 - step) * BLOCK_N);
                finished(sum[0] + sum[1]);  // the exponentials come before the wait, while the tensor cores work
                warpgroup_wait<0>();
                warpgroup_registers(output);
                if (lane == 0) barrier_arrive(&barriers->v.empty[turn_v.slot]);
                turn_v.next();
                take_probabilities();
#pragma unroll
                for (int i = 0; i < HEAD_DIM / 2; i++) output[i] *= shrink[i / 2 % 2];
            }

            // The last scores are there: Q may be loaded for the next tile.
            if (lane == 0) barrier_arrive(&barriers->empty_q);
            barrier_wait(&barriers->v.full[turn_v.slot], turn_v.parity);
            multiply_values();
            warpgroup_wait<0>();
            warpgroup_registers(output);
            if (lane == 0) barrier_arrive(&barriers->v.empty[turn_v.slot]);
            turn_v.next();

#pragma unroll
            for (int half = 0; half < 2; half++) {
                const int row = work.first_row + row_in_tile + half * 8;
                const float all = sum_of_quad(sum[half]);
                const float factor = all > 0.0f ? 1.0f / all : 0.0f;  // a row that sees no key is zero
                TYPE* const to = o + (static_cast<long long>(work.head) * rows + row) * HEAD_DIM;
#pragma unroll
                for (int j = 0; j < columns_d; j += 4) {
                    unsigned packed[4];
#pragma unroll
                    for (int l = 0; l < 4; l++)
                        packed[l] = pack<TYPE>(output[(j + l) * 4 + half * 2] * factor, output[(j + l) * 4 + half * 2 + 1] * factor);
                    store_32_columns(to, j * 8, HEAD_DIM, row < rows, packed[0], packed[1], packed[2], packed[3]);
                }
            }
        }
    }
}
