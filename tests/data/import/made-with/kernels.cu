// Small kernels of every kind that tests/data/import/cubin is about: templates, overloads, a kernel that only this file sees, one
// that calls a function, one that spills.
template <typename T, int Threads>
__global__ void reduce(const T* x, T* sum, int n) {
    __shared__ T part[Threads];
    T own = 0;
#pragma unroll 1
    for (int i = threadIdx.x; i < n; i += Threads) own += x[i];
    part[threadIdx.x] = own;
    __syncthreads();
#pragma unroll 1
    for (int half = Threads / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) part[threadIdx.x] += part[threadIdx.x + half];
        __syncthreads();
    }
    if (threadIdx.x == 0) *sum = part[0];
}
template __global__ void reduce<float, 256>(const float*, float*, int);
template __global__ void reduce<double, 128>(const double*, double*, int);

__global__ void twice(float* p) { *p *= 2; }
__global__ void twice(double* p) { *p *= 2; }

namespace {
__global__ void hidden(int* p) { *p = 1; }
}

__device__ __noinline__ float squared(float x, int n) {
#pragma unroll 1
    for (int i = 0; i < n; i++) x = x * x + n;
    return x;
}
extern "C" __global__ void calls(float* p, int n) { p[threadIdx.x] = squared(p[threadIdx.x], n); }

extern "C" __global__ void __launch_bounds__(1024) spills(float* y, int n) {
    float r[70];
#pragma unroll
    for (int i = 0; i < 70; i++) r[i] = y[i * n];
#pragma unroll 1
    for (int k = 0; k < n; k++)
#pragma unroll
        for (int i = 0; i < 70; i++) r[i] += y[k + i];
#pragma unroll
    for (int i = 0; i < 70; i++) y[i * n] = r[i];
}

void launch(int* p) { hidden<<<1, 1>>>(p); }
