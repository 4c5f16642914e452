// A warp a query row: all in f32 with the accurate exponential, keys one after the other, running maximum and sum.

#include "element.cuh"

extern "C" __global__ void flash_attention_reference(const TYPE* q, const TYPE* k, const TYPE* v, float* o, int queries, int keys, int group) {
    constexpr int of_lane = HEAD_DIM / 32;
    const int rows = group * queries, lane = threadIdx.x % 32;
    const int row = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32;
    const long long head = blockIdx.y;
    if (row >= rows) return;
    const int seen = CAUSAL ? min(keys, row % queries + keys - queries + 1) : keys;
    float query[of_lane], output[of_lane] = {}, maximum = -3.4e38f, sum = 0.0f;
    for (int i = 0; i < of_lane; i++) query[i] = to_float(q[(head * rows + row) * HEAD_DIM + i * 32 + lane]) * rsqrtf(HEAD_DIM);
    for (int key = 0; key < seen; key++) {
        const long long from = (head * keys + key) * HEAD_DIM + lane;
        float score = 0.0f;
        for (int i = 0; i < of_lane; i++) score = fmaf(query[i], to_float(k[from + i * 32]), score);
        for (int other = 16; other > 0; other /= 2) score += __shfl_xor_sync(0xFFFFFFFFu, score, other);
        const float larger = fmaxf(maximum, score);
        const float shrink = expf(maximum - larger), p = expf(score - larger);
        maximum = larger;
        sum = sum * shrink + p;
        for (int i = 0; i < of_lane; i++) output[i] = fmaf(p, to_float(v[from + i * 32]), output[i] * shrink);
    }
    for (int i = 0; i < of_lane; i++) o[(head * rows + row) * HEAD_DIM + i * 32 + lane] = sum > 0.0f ? output[i] / sum : 0.0f;
}
