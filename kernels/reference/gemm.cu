// A 16x16 tile of C a block, products in f32, sums in f32 with compensation.

#include "element.cuh"

extern "C" __global__ void gemm_reference(const TYPE* a, const TYPE* b, float* c, int m, int n, int k) {
    __shared__ float rows[16][17], columns[16][17];
    const int row = blockIdx.y * 16 + threadIdx.y, column = blockIdx.x * 16 + threadIdx.x;
    const int column_to_load = blockIdx.x * 16 + threadIdx.y;
    float sum = 0.0f, lost = 0.0f;
    for (int start = 0; start < k; start += 16) {
        const int at = start + threadIdx.x;
        rows[threadIdx.y][threadIdx.x] = row < m && at < k ? to_float(a[static_cast<long long>(row) * k + at]) : 0.0f;
        columns[threadIdx.y][threadIdx.x] =
            column_to_load < n && at < k ? to_float(b[static_cast<long long>(column_to_load) * k + at]) : 0.0f;
        __syncthreads();
        float partial = 0.0f;
        for (int i = 0; i < 16; i++) partial = fmaf(rows[threadIdx.y][i], columns[threadIdx.x][i], partial);
        // Kahan's summation over the tiles
        const float next = partial - lost, total = sum + next;
        lost = (total - sum) - next;
        sum = total;
        __syncthreads();
    }
    if (row < m && column < n) c[static_cast<long long>(row) * n + column] = sum;
}
