#include "check.hpp"

#include "fragment.cuh"

struct int2 {
    int x, y;
};

namespace {
#include "../../kernels/gemm.cu"
#include "../../kernels/reference/gemm.cu"
}

int main() {
    struct {
        int m, n, k;
    } shapes[] = {{BLOCK_M, BLOCK_N, BLOCK_K}, {BLOCK_M * 2 + 17, BLOCK_N + 40, 5 * BLOCK_K + 8}, {3, 21, 8}, {BLOCK_M + 1, 33, 40}};
    for (auto [m, n, k] : shapes) {
        check::Buffer<TYPE> a(m * k), b(n * k), c(m * n);
        check::Buffer<float> plain(m * n);
        a.fill_normal();
        b.fill_normal();
        std::vector<double> expected(m * n);
        for (int row = 0; row < m; row++)
            for (int column = 0; column < n; column++)
                for (int i = 0; i < k; i++) expected[row * n + column] += double(to_float(a[row * k + i])) * double(to_float(b[column * k + i]));
        unsigned grid = ceil_div(m, BLOCK_M) * ceil_div(n, BLOCK_N);
        for (unsigned seed : {2u, 3u}) {
            c.poison();
            cuda_shim::launch({grid}, {threads}, STAGES * (BLOCK_M + BLOCK_N) * BLOCK_K * 2, seed,
                              [&] { gemm(a.data(), b.data(), c.data(), m, n, k); });
            check::compare("gemm", c, expected, UNIT, UNIT * 70);
        }
        if (m > 100) continue;
        cuda_shim::launch({unsigned(ceil_div(n, 16)), unsigned(ceil_div(m, 16))}, {16, 16}, 0, 1,
                          [&] { gemm_reference(a.data(), b.data(), plain.data(), m, n, k); });
        check::compare("gemm_reference", plain, expected, 1e-6, 1e-4);
    }
    return check::finish();
}
