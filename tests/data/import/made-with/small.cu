__global__ void twice(float* p) { *p *= 2; }
