// What the programs that check a kernel share: buffers, numbers, comparison. A program includes the kernel's source
// after this file, runs it on small shapes with several orders of warps, and ends with 1 where a result is wrong.
#ifndef CUDA_SHIM_CHECK_HPP  // a guard that holds for the precompiled copy of this file, too
#define CUDA_SHIM_CHECK_HPP

#include "cuda_shim.hpp"

#include "element.cuh"
#include "ptx.cuh"

namespace check {

inline int failures = 0, cases = 0;

/// Device memory: uninitialised until filled, guarded at both ends.
template <typename T>
struct Buffer {
    cuda_shim::Guarded memory;
    size_t count;
    explicit Buffer(size_t elements) : memory(elements * sizeof(T)), count(elements) {}
    T* data() { return reinterpret_cast<T*>(memory.data); }
    T& operator[](size_t i) { return data()[i]; }
    void zero() { memset(memory.data, 0, memory.bytes); }
    void poison() { memset(memory.data, 0xFF, memory.bytes); }
    void fill_uniform(float low, float high) {
        for (size_t i = 0; i < count; i++) data()[i] = from_float<T>(low + (high - low) * float(cuda_shim::random_bits() >> 40) / float(1 << 24));
    }
    /// Sum of four uniform numbers: near enough to normal, deviation 1.
    void fill_normal() {
        for (size_t i = 0; i < count; i++) {
            float sum = 0;
            for (int j = 0; j < 4; j++) sum += float(cuda_shim::random_bits() >> 40) / float(1 << 24) - 0.5f;
            data()[i] = from_float<T>(sum * 1.7320508f);
        }
    }
};

/// Compares in the way of the harness: relative Frobenius error and largest error; NaN is never right.
template <typename T>
inline void compare(const char* name, Buffer<T>& got, const std::vector<double>& expected, double frobenius, double largest) {
    double error = 0, norm = 0, worst = 0;
    size_t where = 0;
    bool nan = false;
    for (size_t i = 0; i < expected.size(); i++) {
        double value = double(to_float(got[i])), difference = std::fabs(value - expected[i]);
        if (!(difference <= 1e300) && !nan) nan = true, where = i;
        if (difference > worst && !nan) worst = difference, where = i;
        error += difference * difference;
        norm += expected[i] * expected[i];
    }
    double relative = norm > 0 ? std::sqrt(error / norm) : std::sqrt(error);
    bool good = !nan && relative <= frobenius && worst <= largest && got.count == expected.size();
    cases++;
    if (!good) {
        failures++;
        printf("WRONG %s: relative error %.3g (at most %.3g), largest %.3g (at most %.3g) at element %zu: %g, expected %g%s\n", name, relative,
               frobenius, worst, largest, where, double(to_float(got[where])), expected[where], nan ? "; NaN" : "");
    }
    got.memory.check("a write before or behind an output");
}

inline int finish() {
    printf("%d results, %d wrong\n", cases, failures);
    return failures == 0 && cases > 0 ? 0 : 1;
}

}  // namespace check

#endif
