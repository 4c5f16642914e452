// Who waits for whom in gemm_sm90.cu, without its data, under many interleavings: blocks alone and in clusters, with no tile
// of C, one or several.
#define PROTOCOL_ONLY
#include "check.hpp"

#include "fragment.cuh"
#include "hopper.cuh"
#include "warpgroup.cuh"

namespace {
#include "../../kernels/gemm_sm90.cu"
}

int main() {
    const int n = BLOCK_N, k = 64 * STAGES + 64;
    const unsigned shared = STAGES * (BLOCK_M + BLOCK_N) * 128 + 1024 + STAGES * 16;
    for (int tiles : {1, 3, 4}) {
        const int m = BLOCK_M * CLUSTER * tiles;
        check::Buffer<TYPE> a(m * k), b(n * k), c(m * n);
        TensorMap map_a = cuda_shim::tensor_map(a.data(), 2, {k, m}, {64, BLOCK_M});
        TensorMap map_b = cuda_shim::tensor_map(b.data(), 2, {k, n}, {64, BLOCK_N / CLUSTER});
        auto body = [&] { gemm_sm90(a.data(), b.data(), map_a, map_b, c.data(), m, n, k); };
        for (unsigned seed = 0; seed < SEEDS; seed++) {
            cuda_shim::launch({2 * CLUSTER}, {threads}, shared, seed, body, CLUSTER);
            check::cases++;
        }
    }
    return check::finish();
}
