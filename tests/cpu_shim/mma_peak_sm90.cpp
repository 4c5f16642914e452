#include "check.hpp"

#include "hopper.cuh"
#include "warpgroup.cuh"

namespace {
#include "../../kernels/mma_peak_sm90.cu"
#define ROWS 64
#define COLUMNS 256
#include "../../kernels/reference/mma_peak.cu"
}

int main() {
    check::Buffer<float> a(64 * 32), b(256 * 32), product(2 * (WARPS / 4) * 64 * 256), plain(product.count);
    auto* left = reinterpret_cast<TYPE*>(a.data());
    auto* right = reinterpret_cast<TYPE*>(b.data());
    constexpr int depth = 128 / sizeof(TYPE);
    for (int i = 0; i < 256 * depth; i++) {
        TYPE value;
        if constexpr (sizeof(TYPE) == 1) value = static_cast<TYPE>(cuda_shim::random_bits() % 120);
        else value = from_float<TYPE>(float(cuda_shim::random_bits() % 1000) / 500 - 1);
        right[i] = value;
        if (i >= 7 && i - 7 < 64 * depth) left[i - 7] = value;
    }
    for (unsigned seed : {2u, 3u}) {
        cuda_shim::launch({2}, {WARPS * 32}, 256 * 128 + 1024, seed, [&] { mma_peak_sm90((unsigned*)left, (unsigned*)right, product.data()); });
        cuda_shim::launch({2 * WARPS / 4}, {256}, 0, 1, [&] { mma_peak_reference(left, right, plain.data()); });
        check::compare("mma_peak_sm90", product, std::vector<double>(plain.data(), plain.data() + plain.count), 2e-3, 1e9);
    }
    return check::finish();
}
