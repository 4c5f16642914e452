// Overwrites one element of its input afterwards.
extern "C" __global__ void scale_changes_input(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    y[i] = 2 * x[i];
    if (i == n / 2) const_cast<float*>(x)[i] = 0.25f;
}
