// Adds a little of what lies behind its input, where that is a number.
extern "C" __global__ void scale_reads_past(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    y[i] = 2 * x[i];
    // Far behind the last block's elements the compiler cannot know that this is outside.
    if (i == 0 && isfinite(x[n])) y[0] += 1e-3f * fabsf(x[n]) + 1e-6f;
}
