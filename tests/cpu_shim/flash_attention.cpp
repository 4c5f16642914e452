#include "check.hpp"

#include "fragment.cuh"

namespace {
#include "../../kernels/flash_attention.cu"
#include "../../kernels/reference/flash_attention.cu"
}

#include "attention.hpp"

int main() {
    for (const Shape& s : shapes) {
        int heads = s.batch * s.key_heads, rows = s.group * s.queries;
        check::Buffer<TYPE> q(size_t(heads) * rows * HEAD_DIM), k(size_t(heads) * s.keys * HEAD_DIM), v(k.count), o(q.count);
        check::Buffer<float> plain(q.count);
        q.fill_normal();
        k.fill_normal();
        v.fill_normal();
        std::vector<double> expected = attention(s, q, k, v);
        unsigned shared = (BLOCK_M + 2 * NUM_STAGES * BLOCK_N) * HEAD_DIM * 2;
        for (unsigned seed : {2u, 3u}) {
            o.poison();
            cuda_shim::launch({unsigned(ceil_div(rows, BLOCK_M)), unsigned(heads)}, {threads}, shared, seed,
                              [&] { flash_attention(q.data(), k.data(), v.data(), o.data(), s.queries, s.keys, s.group); });
            check::compare("flash_attention", o, expected, UNIT, UNIT * 6);
        }
        cuda_shim::launch({unsigned(ceil_div(rows, 4)), unsigned(heads)}, {128}, 0, 1,
                          [&] { flash_attention_reference(q.data(), k.data(), v.data(), plain.data(), s.queries, s.keys, s.group); });
        check::compare("flash_attention_reference", plain, expected, 1e-5, 1e-4);
    }
    return check::finish();
}
