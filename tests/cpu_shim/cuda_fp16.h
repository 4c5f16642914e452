// Stands in for CUDA's header: the half type as its bits, and the conversions that the kernels use.
#pragma once
#include <cstdint>
#include <cstring>

struct alignas(2) __half {
    uint16_t bits;
};
struct alignas(4) __half2 {
    __half x, y;
};

inline float __half2float(__half value) {
    static float* table = [] {
        auto* all = new float[65536];
        for (unsigned h = 0; h < 65536; h++) {
            unsigned sign = h >> 15, exponent = h >> 10 & 31, mantissa = h & 1023;
            float magnitude = exponent == 31  ? (mantissa ? __builtin_nanf("") : __builtin_inff())
                              : exponent == 0 ? __builtin_ldexpf(float(mantissa), -24)
                                              : __builtin_ldexpf(float(mantissa + 1024), int(exponent) - 25);
            all[h] = sign ? -magnitude : magnitude;
        }
        return all;
    }();
    return table[value.bits];
}

/// Rounds to nearest, ties to even.
inline __half __float2half(float value) {
    uint32_t x;
    memcpy(&x, &value, 4);
    uint32_t sign = x >> 16 & 0x8000, magnitude = x & 0x7FFFFFFF;
    if (magnitude > 0x7F800000) return {uint16_t(sign | 0x7E00)};
    if (magnitude >= 0x477FF000) return {uint16_t(sign | 0x7C00)};
    if (magnitude < 0x38800000) {
        float shifted;
        memcpy(&shifted, &magnitude, 4);
        shifted += 0.5f;  // the unit in the last place of 0.5 is that of the smallest half numbers
        uint32_t bits;
        memcpy(&bits, &shifted, 4);
        return {uint16_t(sign | (bits - 0x3F000000))};
    }
    uint32_t odd = magnitude >> 13 & 1;
    return {uint16_t(sign | ((magnitude - 0x38000000 + 0xFFF + odd) >> 13))};
}
inline __half __float2half_rn(float value) { return __float2half(value); }
inline __half2 __floats2half2_rn(float x, float y) { return {__float2half(x), __float2half(y)}; }
