// INNER times A * B transposed, a thread an element, in f64; one block for every copy of the product.

#include "element.cuh"

__device__ __forceinline__ double number(const float* row, int i) { return row[i]; }
__device__ __forceinline__ double number(const __half* row, int i) { return to_float(row[i]); }
__device__ __forceinline__ double number(const __nv_bfloat16* row, int i) { return to_float(row[i]); }
__device__ __forceinline__ double number(const signed char* row, int i) { return row[i]; }
/// e4m3: sign, four bits of exponent with bias 7, three of mantissa.
__device__ __forceinline__ double number(const unsigned char* row, int i) {
    const int exponent = row[i] >> 3 & 15, mantissa = row[i] & 7;
    const double magnitude = exponent == 0 ? mantissa / 512.0 : (mantissa + 8) * static_cast<double>(1 << exponent) / 1024.0;
    return row[i] & 128 ? -magnitude : magnitude;
}

extern "C" __global__ void mma_peak_reference(const TYPE* a, const TYPE* b, float* product) {
    constexpr int depth = 128 / sizeof(TYPE);
    for (int at = threadIdx.x; at < ROWS * COLUMNS; at += blockDim.x) {
        double sum = 0.0;
        for (int k = 0; k < depth; k++) sum += number(a + at / COLUMNS * depth, k) * number(b + at % COLUMNS * depth, k);
        product[static_cast<long long>(blockIdx.x) * ROWS * COLUMNS + at] = static_cast<float>(sum * INNER);
    }
}
