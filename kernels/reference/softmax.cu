// One block a row, three passes, in f32 with the accurate exponential; the sum in f64.

#include "element.cuh"

extern "C" __global__ void softmax_reference(const TYPE* x, float* y, int) {
    __shared__ float maxima[256];
    __shared__ double sums[256];
    const TYPE* from = x + static_cast<long long>(blockIdx.x) * COLUMNS;
    float* to = y + static_cast<long long>(blockIdx.x) * COLUMNS;

    float maximum = to_float(from[0]);
    for (int i = threadIdx.x; i < COLUMNS; i += 256) maximum = fmaxf(maximum, to_float(from[i]));
    maxima[threadIdx.x] = maximum;
    __syncthreads();
    for (int i = 0; i < 256; i++) maximum = fmaxf(maximum, maxima[i]);

    double sum = 0.0;
    for (int i = threadIdx.x; i < COLUMNS; i += 256) sum += static_cast<double>(expf(to_float(from[i]) - maximum));
    sums[threadIdx.x] = sum;
    __syncthreads();
    sum = 0.0;
    for (int i = 0; i < 256; i++) sum += sums[i];

    for (int i = threadIdx.x; i < COLUMNS; i += 256) to[i] = static_cast<float>(static_cast<double>(expf(to_float(from[i]) - maximum)) / sum);
}
