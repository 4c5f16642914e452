#include "check.hpp"

namespace {
#include "../../kernels/reference/vector_add.cu"
#include "../../kernels/vector_add.cu"
}

int main() {
    for (long long count : {1ll, 7ll, 4096ll, 10007ll}) {
        check::Buffer<TYPE> x(count), y(count), z(count);
        check::Buffer<float> reference(count);
        x.fill_normal();
        y.fill_normal();
        std::vector<double> expected(count);
        for (long long i = 0; i < count; i++) expected[i] = double(to_float(x[i])) + double(to_float(y[i]));
        unsigned chunk = BLOCK * UNROLL * (16 / sizeof(TYPE));
        cuda_shim::launch({unsigned((count + chunk - 1) / chunk)}, {BLOCK}, 0, count, [&] { vector_add(x.data(), y.data(), z.data(), count); });
        double unit = UNIT;
        check::compare("vector_add", z, expected, unit, unit * 8);
        cuda_shim::launch({unsigned((count + 255) / 256)}, {256}, 0, count, [&] { vector_add_reference(x.data(), y.data(), reference.data(), count); });
        check::compare("vector_add_reference", reference, expected, 1e-7, 1e-6);
    }
    return check::finish();
}
