#include "check.hpp"

namespace {
#include "../../kernels/reduce.cu"
#include "../../kernels/reference/reduce.cu"
}

int main() {
    for (long long count : {1ll, 3ll, 4096ll, 10007ll, 70001ll})
        for (unsigned grid : {1u, 5u, 40u}) {
            check::Buffer<TYPE> x(count);
            check::Buffer<float> sum(1), partial(grid);
            check::Buffer<unsigned> finished(1);
            x.fill_uniform(0, 1);
            finished.zero();
            double expected = 0;
            for (long long i = 0; i < count; i++) expected += double(to_float(x[i]));
            float first = 0;
            // Twice, with the blocks in another order: the counter must be back at zero and the bits the same.
            for (unsigned turn = 0; turn < 2; turn++) {
                sum.poison();
                cuda_shim::launch({grid}, {BLOCK}, 0, grid * 2 + turn, [&] { reduce(x.data(), sum.data(), partial.data(), finished.data(), count); });
                check::compare("reduce", sum, {expected}, 1e-5, 1e-5 * count);
                if (turn == 1 && sum[0] != first) check::compare("reduce again", sum, {first}, 0, 0);
                first = sum[0];
            }
            if (grid == 1) {
                double result = 0;
                cuda_shim::launch({1}, {1024}, 0, 1, [&] { reduce_reference(x.data(), &result, count); });
                sum[0] = float(result);
                check::compare("reduce_reference", sum, {expected}, 1e-7, 1e-7 * count);
            }
        }
    return check::finish();
}
