#include "check.hpp"

#include "fragment.cuh"
#include "hopper.cuh"
#include "warpgroup.cuh"

namespace {
#include "../../kernels/flash_attention_sm90.cu"
}

#include "attention.hpp"

int main() {
    unsigned grid = 1;
    for (const Shape& s : shapes) {
        int heads = s.batch * s.key_heads, rows = s.group * s.queries;
        check::Buffer<TYPE> q(size_t(heads) * rows * HEAD_DIM), k(size_t(heads) * s.keys * HEAD_DIM), v(k.count), o(q.count);
        q.fill_normal();
        k.fill_normal();
        v.fill_normal();
        std::vector<double> expected = attention(s, q, k, v);
        TensorMap map_q = cuda_shim::tensor_map(q.data(), 2, {HEAD_DIM, rows, heads}, {64, BLOCK_M, 1});
        TensorMap map_k = cuda_shim::tensor_map(k.data(), 2, {HEAD_DIM, s.keys, heads}, {64, BLOCK_N, 1});
        TensorMap map_v = cuda_shim::tensor_map(v.data(), 2, {HEAD_DIM, s.keys, heads}, {64, BLOCK_N, 1});
        unsigned shared = (BLOCK_M + 2 * NUM_STAGES * BLOCK_N) * HEAD_DIM * 2 + 2048;
        for (unsigned seed : {2u, 3u}) {
            o.poison();
            cuda_shim::launch({grid}, {threads}, shared, seed,
                              [&] {
                                  flash_attention_sm90(q.data(), k.data(), v.data(), map_q, map_k, map_v, o.data(), heads, s.queries, s.keys,
                                                       s.group);
                              });
            check::compare("flash_attention_sm90", o, expected, UNIT, UNIT * 6);
        }
        grid = grid % 3 + 1;  // fewer blocks than tiles, as many, more
    }
    return check::finish();
}
