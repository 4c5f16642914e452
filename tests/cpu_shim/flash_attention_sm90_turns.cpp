// Who waits for whom in flash_attention_sm90.cu, without its data, under many interleavings: barriers and named barriers,
// blocks with no tile of rows, one or several, of different numbers of steps.
#define PROTOCOL_ONLY
#define TYPE __half
#include "check.hpp"

#include "fragment.cuh"
#include "hopper.cuh"
#include "warpgroup.cuh"

namespace {
#include "../../kernels/flash_attention_sm90.cu"
}

struct Shape {
    int heads, group, queries, keys;
};
// Heads of one tile and of several; steps that are all alike, that grow (causal), and fewer than there are slots.
const Shape shapes[] = {{3, 1, BLOCK_M, BLOCK_N}, {1, 1, 3 * BLOCK_M, 3 * BLOCK_M}, {2, 2, BLOCK_M - 7, 5 * BLOCK_N - 3}};

int main() {
    for (const Shape& s : shapes) {
        int rows = s.group * s.queries, works = ceil_div(rows, BLOCK_M) * s.heads;
        check::Buffer<TYPE> q(size_t(s.heads) * rows * HEAD_DIM), k(size_t(s.heads) * s.keys * HEAD_DIM), v(k.count), o(q.count);
        TensorMap map_q = cuda_shim::tensor_map(q.data(), 2, {HEAD_DIM, rows, s.heads}, {64, BLOCK_M, 1});
        TensorMap map_k = cuda_shim::tensor_map(k.data(), 2, {HEAD_DIM, s.keys, s.heads}, {64, BLOCK_N, 1});
        TensorMap map_v = cuda_shim::tensor_map(v.data(), 2, {HEAD_DIM, s.keys, s.heads}, {64, BLOCK_N, 1});
        unsigned shared = (BLOCK_M + 2 * NUM_STAGES * BLOCK_N) * HEAD_DIM * 2 + 2048;
        for (unsigned seed = 0; seed < SEEDS; seed++) {
            unsigned grid = seed % (works + 1) + 1;
            cuda_shim::launch({grid}, {threads}, shared, seed, [&] {
                flash_attention_sm90(q.data(), k.data(), v.data(), map_q, map_k, map_v, o.data(), s.heads, s.queries, s.keys, s.group);
            });
            check::cases++;
        }
    }
    return check::finish();
}
