#include "check.hpp"

#include "fragment.cuh"
#include "hopper.cuh"
#include "warpgroup.cuh"

namespace {
#include "../../kernels/gemm_sm90.cu"
}

int main() {
    struct {
        int m, n, k;
        unsigned grid;
    } shapes[] = {{BLOCK_M, BLOCK_N, 64, 1}, {BLOCK_M * 2 + 17, BLOCK_N + 40, 328, 2}, {3, 21, 8, 4}, {BLOCK_M + 1, 2 * BLOCK_N, 64 * STAGES + 8, 1}};
    // `grid` counts clusters.
    for (auto [m, n, k, grid] : shapes) {
        check::Buffer<TYPE> a(m * k), b(n * k), c(m * n);
        a.fill_normal();
        b.fill_normal();
        std::vector<float> left(m * k), right(n * k);
        for (int i = 0; i < m * k; i++) left[i] = to_float(a[i]);
        for (int i = 0; i < n * k; i++) right[i] = to_float(b[i]);
        std::vector<double> expected(m * n);
        for (int row = 0; row < m; row++)
            for (int column = 0; column < n; column++)
                for (int i = 0; i < k; i++) expected[row * n + column] += double(left[row * k + i]) * double(right[column * k + i]);
        TensorMap map_a = cuda_shim::tensor_map(a.data(), 2, {k, m}, {64, BLOCK_M});
        TensorMap map_b = cuda_shim::tensor_map(b.data(), 2, {k, n}, {64, BLOCK_N / CLUSTER});
        unsigned shared = STAGES * (BLOCK_M + BLOCK_N) * 128 + 1024 + STAGES * 16;
        for (unsigned seed : {2u, 3u}) {
            c.poison();
            auto body = [&] { gemm_sm90(a.data(), b.data(), map_a, map_b, c.data(), m, n, k); };
            cuda_shim::launch({grid * CLUSTER}, {threads}, shared, seed, body, CLUSTER);
            check::compare("gemm_sm90", c, expected, UNIT, UNIT * 70);
        }
    }
    return check::finish();
}
