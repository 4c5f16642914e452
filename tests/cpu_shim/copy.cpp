#include "check.hpp"

namespace {
#include "../../kernels/copy.cu"
#include "../../kernels/reference/copy.cu"
}

int main() {
    for (long long vectors : {1ll, 255ll, 1024ll, 5003ll})
        for (unsigned grid : {0u, 3u}) {
            check::Buffer<float> from(vectors * 4), to(vectors * 4);
            from.fill_normal();
            std::vector<double> expected(from.data(), from.data() + from.count);
            auto* source = reinterpret_cast<uint4*>(from.data());
            auto* target = reinterpret_cast<uint4*>(to.data());
            unsigned blocks = grid ? grid : unsigned((vectors + BLOCK * UNROLL - 1) / (BLOCK * UNROLL));
            cuda_shim::launch({blocks}, {BLOCK}, 0, grid, [&] { copy(source, target, vectors); });
            check::compare("copy", to, expected, 0, 0);
            to.poison();
            cuda_shim::launch({unsigned((vectors + 255) / 256)}, {256}, 0, 0, [&] { copy_reference(source, target, vectors); });
            check::compare("copy_reference", to, expected, 0, 0);
        }
    return check::finish();
}
