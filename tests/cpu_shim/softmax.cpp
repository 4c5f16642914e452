#include "check.hpp"

namespace {
#include "../../kernels/softmax.cu"
#include "../../kernels/reference/softmax.cu"
}

int main() {
    for (int rows : {1, 2, 7}) {
        check::Buffer<TYPE> x(rows * COLUMNS), y(rows * COLUMNS);
        check::Buffer<float> plain(rows * COLUMNS);
        x.fill_normal();
        for (size_t i = 0; i < x.count; i++) x[i] = from_float<TYPE>(to_float(x[i]) * 3);
        if (rows == 7) x[COLUMNS + 5] = from_float<TYPE>(60.0f);  // one element that takes nearly all
        std::vector<double> expected(rows * COLUMNS);
        for (int row = 0; row < rows; row++) {
            double maximum = -1e300, sum = 0;
            for (int i = 0; i < COLUMNS; i++) maximum = std::fmax(maximum, double(to_float(x[row * COLUMNS + i])));
            for (int i = 0; i < COLUMNS; i++) sum += std::exp(double(to_float(x[row * COLUMNS + i])) - maximum);
            for (int i = 0; i < COLUMNS; i++) expected[row * COLUMNS + i] = std::exp(double(to_float(x[row * COLUMNS + i])) - maximum) / sum;
        }
        unsigned grid = (rows + ROWS_PER_BLOCK - 1) / ROWS_PER_BLOCK;
        cuda_shim::launch({grid}, {ROW_THREADS, ROWS_PER_BLOCK}, 0, rows, [&] { softmax(x.data(), y.data(), rows); });
        check::compare("softmax", y, expected, UNIT, UNIT);
        cuda_shim::launch({unsigned(rows)}, {256}, 0, rows, [&] { softmax_reference(x.data(), plain.data(), rows); });
        check::compare("softmax_reference", plain, expected, 1e-5, 1e-6);
    }
    return check::finish();
}
