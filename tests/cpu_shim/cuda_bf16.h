// Stands in for CUDA's header: the bfloat16 type as its bits, and the conversions that the kernels use.
#pragma once
#include <cstdint>
#include <cstring>

struct alignas(2) __nv_bfloat16 {
    uint16_t bits;
};
struct alignas(4) __nv_bfloat162 {
    __nv_bfloat16 x, y;
};

inline float __bfloat162float(__nv_bfloat16 value) {
    uint32_t bits = uint32_t(value.bits) << 16;
    float result;
    memcpy(&result, &bits, 4);
    return result;
}

/// Rounds to nearest, ties to even.
inline __nv_bfloat16 __float2bfloat16(float value) {
    uint32_t x;
    memcpy(&x, &value, 4);
    if ((x & 0x7FFFFFFF) > 0x7F800000) return {0x7FFF};
    return {uint16_t((x + 0x7FFF + (x >> 16 & 1)) >> 16)};
}
inline __nv_bfloat16 __float2bfloat16_rn(float value) { return __float2bfloat16(value); }
inline __nv_bfloat162 __floats2bfloat162_rn(float x, float y) { return {__float2bfloat16(x), __float2bfloat16(y)}; }
