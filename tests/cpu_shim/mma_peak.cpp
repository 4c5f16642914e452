#include "check.hpp"

namespace {
#include "../../kernels/mma_peak.cu"
#define ROWS 32
#define COLUMNS 32
#include "../../kernels/reference/mma_peak.cu"
}

int main() {
    check::Buffer<float> a(32 * 32), b(32 * 32);
    auto* left = reinterpret_cast<TYPE*>(a.data());
    auto* right = reinterpret_cast<TYPE*>(b.data());
    constexpr int depth = 128 / sizeof(TYPE);
    for (int i = 0; i < 32 * depth; i++) {
        if constexpr (sizeof(TYPE) == 1) {
            left[i] = static_cast<TYPE>(cuda_shim::random_bits() % 120);
            right[i] = static_cast<TYPE>(cuda_shim::random_bits() % 120);
        } else {
            left[i] = from_float<TYPE>(float(cuda_shim::random_bits() % 1000) / 500 - 1);
            right[i] = from_float<TYPE>(float(cuda_shim::random_bits() % 1000) / 500 - 1);
        }
    }
    check::Buffer<float> product(2 * WARPS * 32 * 32), plain(product.count);
    cuda_shim::launch({2}, {WARPS * 32}, 0, 1, [&] { mma_peak((unsigned*)left, (unsigned*)right, product.data()); });
    cuda_shim::launch({2 * WARPS}, {256}, 0, 1, [&] { mma_peak_reference(left, right, plain.data()); });
    std::vector<double> expected(product.count), by_loops(product.count);
    for (size_t at = 0; at < product.count; at++) {
        expected[at] = double(plain[at]);
        for (int k = 0; k < depth; k++) by_loops[at] += INNER * number(left + at / 32 % 32 * depth, k) * number(right + at % 32 * depth, k);
    }
    check::compare("mma_peak_reference", plain, by_loops, 1e-6, 1e9);
    check::compare("mma_peak", product, expected, 2e-3, 1e9);
    return check::finish();
}
