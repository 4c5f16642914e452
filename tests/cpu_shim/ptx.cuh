// Stands in for kernels/include/ptx.cuh on a CPU: the same functions, from the descriptions in the PTX ISA.
#pragma once

#include "cuda_shim.hpp"

#include "cuda_bf16.h"
#include "cuda_fp16.h"

inline unsigned char* dynamic_shared() { return cuda_shim::block->shared; }
inline unsigned shared_address(const void* pointer) {
    auto at = static_cast<const unsigned char*>(pointer) - cuda_shim::block->shared_window;
    return static_cast<unsigned>(at);
}

template <typename V>
inline V load_streaming(const V* from) {
    if (reinterpret_cast<uintptr_t>(from) % 16 != 0) cuda_shim::fail("a load of 16 bytes is not aligned");
    V value;
    memcpy(&value, from, sizeof(V));
    return value;
}
template <typename V>
inline V load_streaming(const V* from, bool inside) {
    return inside ? load_streaming(from) : V{};
}
template <typename V>
inline void store_streaming(V* to, const V& value) {
    if (reinterpret_cast<uintptr_t>(to) % 16 != 0) cuda_shim::fail("a store of 16 bytes is not aligned");
    memcpy(to, &value, sizeof(V));
}
inline float load_coherent(const float* from) { return *from; }
inline float exp2_approximate(float x) { return std::exp2(x); }

// ---- cp.async: done when committed and waited for, or at once, by the seed ---------------------------------------------

inline void shim_copy(const cuda_shim::Thread::Copy& copy) {
    memset(copy.to, 0, 16);
    memcpy(copy.to, copy.from, copy.bytes);
}
inline void copy_async(unsigned shared, const void* global, bool inside) {
    if (shared % 16 != 0) cuda_shim::fail("cp.async to an address that is not aligned");
    if (inside && reinterpret_cast<uintptr_t>(global) % 16 != 0) cuda_shim::fail("cp.async from an address that is not aligned");
    unsigned char* to = cuda_shim::block->shared_window + shared;
    if (to < cuda_shim::block->shared || to + 16 > cuda_shim::block->shared + cuda_shim::block->shared_bytes)
        cuda_shim::fail("cp.async to outside dynamic shared memory");
    cuda_shim::Thread::Copy copy{to, global, inside ? 16u : 0u};
    if (cuda_shim::block->eager) {
        shim_copy(copy);
        copy.bytes = ~0u;
    } else {
        memset(to, 0xFF, 16);  // nobody may rely on what was there
    }
    cuda_shim::current->open_copies.push_back(copy);
}
inline void copy_async_commit() {
    cuda_shim::current->copy_groups.push_back(std::move(cuda_shim::current->open_copies));
    cuda_shim::current->open_copies.clear();
}
template <int Pending>
inline void copy_async_wait() {
    auto& groups = cuda_shim::current->copy_groups;
    while (groups.size() > Pending) {
        for (auto& copy : groups.front())
            if (copy.bytes != ~0u) shim_copy(copy);
        groups.erase(groups.begin());
    }
}

// ---- tensor cores ------------------------------------------------------------------------------------------------------

namespace cuda_shim {

struct Fragment4 {
    unsigned at[4];
};

inline Fragment4 load_matrices(const char* kind, const void* row, bool transposed) {
    return collective<const void*, Fragment4>(kind, row, [&](const void* const* rows, Fragment4* out) {
        for (unsigned matrix = 0; matrix < 4; matrix++) {
            uint16_t element[8][8];
            unsigned banks = 0;  // groups of four, 16 bytes
            for (unsigned r = 0; r < 8; r++) {
                const void* from = rows[matrix * 8 + r];
                if (reinterpret_cast<uintptr_t>(from) % 16 != 0) fail("a row of ldmatrix is not aligned");
                memcpy(element[r], from, 16);
                banks |= 1u << shared_address(from) / 16 % 8;
            }
            if (banks != 0xFF) fail("rows of a matrix that ldmatrix loads lie in the same banks");
            for (unsigned lane = 0; lane < 32; lane++) {
                unsigned r = lane / 4, c = lane % 4 * 2;
                unsigned low = transposed ? element[c][r] : element[r][c], high = transposed ? element[c + 1][r] : element[r][c + 1];
                out[lane].at[matrix] = low | high << 16;
            }
        }
    });
}

inline float as_f16(unsigned bits) { return __half2float({uint16_t(bits)}); }
inline float as_bf16(unsigned bits) { return __bfloat162float({uint16_t(bits)}); }
inline float as_tf32(unsigned bits) {
    bits &= 0xFFFFE000;  // the low 13 bits are ignored
    float value;
    memcpy(&value, &bits, 4);
    return value;
}
inline float as_i8(unsigned bits) { return float(int8_t(bits)); }
inline float as_e4m3(unsigned bits) {
    unsigned exponent = bits >> 3 & 15, mantissa = bits & 7;
    float magnitude = (bits & 127) == 127 ? __builtin_nanf("")
                      : exponent == 0     ? __builtin_ldexpf(float(mantissa), -9)
                                          : __builtin_ldexpf(float(mantissa + 8), int(exponent) - 10);
    return bits & 128 ? -magnitude : magnitude;
}

/// Element number `index` of a register that holds elements of `bits` bits.
template <unsigned bits>
inline unsigned element_of(unsigned value, unsigned index) {
    return bits == 32 ? value : value >> (index * bits) & ((1u << (bits % 32)) - 1);
}

/// mma.sync of shape m16n8kK, where K elements have 32 bytes. A register of A and of B holds 32/bits neighbours along K.
template <unsigned bits, typename Accumulator, typename Decode>
inline void mma_sync(const char* kind, Accumulator (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1, Decode decode) {
    struct In {
        unsigned a[4], b[2];
        Accumulator d[4];
    };
    struct Out {
        Accumulator d[4];
    };
    In in{{a[0], a[1], a[2], a[3]}, {b0, b1}, {d[0], d[1], d[2], d[3]}};
    Out result = collective<In, Out>(kind, in, [&](const In* lanes, Out* out) {
        constexpr unsigned per = 32 / bits, half = 4 * per, k_count = 2 * half;
        float left[16][k_count], right[k_count][8];
        for (unsigned row = 0; row < 16; row++)
            for (unsigned k = 0; k < k_count; k++)
                left[row][k] = decode(element_of<bits>(lanes[row % 8 * 4 + k % half / per].a[row / 8 + 2 * (k / half)], k % per));
        for (unsigned k = 0; k < k_count; k++)
            for (unsigned column = 0; column < 8; column++)
                right[k][column] = decode(element_of<bits>(lanes[column * 4 + k % half / per].b[k / half], k % per));
        for (unsigned row = 0; row < 16; row++) {
            float sum[8] = {};
            for (unsigned k = 0; k < k_count; k++)
                for (unsigned column = 0; column < 8; column++) sum[column] += left[row][k] * right[k][column];
            for (unsigned column = 0; column < 8; column++) {
                unsigned lane = row % 8 * 4 + column / 2, which = row / 8 * 2 + column % 2;
                out[lane].d[which] = lanes[lane].d[which] + Accumulator(sum[column]);
            }
        }
    });
    for (unsigned i = 0; i < 4; i++) d[i] = result.d[i];
}

}  // namespace cuda_shim

inline void load_matrices(unsigned (&fragment)[4], unsigned row) {
    auto got = cuda_shim::load_matrices("ldmatrix", cuda_shim::block->shared_window + row, false);
    memcpy(fragment, got.at, sizeof fragment);
}
inline void load_matrices_transposed(unsigned (&fragment)[4], unsigned row) {
    auto got = cuda_shim::load_matrices("ldmatrix.trans", cuda_shim::block->shared_window + row, true);
    memcpy(fragment, got.at, sizeof fragment);
}

inline void mma_f16(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    cuda_shim::mma_sync<16>("mma.f16", d, a, b0, b1, cuda_shim::as_f16);
}
inline void mma_bf16(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    cuda_shim::mma_sync<16>("mma.bf16", d, a, b0, b1, cuda_shim::as_bf16);
}
inline void mma_tf32(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    cuda_shim::mma_sync<32>("mma.tf32", d, a, b0, b1, cuda_shim::as_tf32);
}
inline void mma_i8(int (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    cuda_shim::mma_sync<8>("mma.s8", d, a, b0, b1, cuda_shim::as_i8);
}
inline void mma_e4m3(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    cuda_shim::mma_sync<8>("mma.e4m3", d, a, b0, b1, cuda_shim::as_e4m3);
}
template <typename T>
inline void mma(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1);
template <>
inline void mma<__half>(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) { mma_f16(d, a, b0, b1); }
template <>
inline void mma<__nv_bfloat16>(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) { mma_bf16(d, a, b0, b1); }
