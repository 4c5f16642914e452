// What measuring itself runs on the device.

// Reads `count` vectors, so that the second-level cache holds these and nothing else. Reading leaves no changed lines
// behind, which would have to be written back while the next kernel is timed. The sum is used, so the reads stay.
extern "C" __global__ void ratchet_flush(const uint4* data, unsigned long long count, unsigned int* sink) {
    unsigned long long step = (unsigned long long)gridDim.x * blockDim.x;
    unsigned int sum = 0;
    for (unsigned long long i = (unsigned long long)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) {
        uint4 vector = __ldcg(data + i);
        sum += vector.x ^ vector.y ^ vector.z ^ vector.w;
    }
    if (sum == 0x9e3779b9u) {
        *sink = sum;
    }
}

// Cycles of a multiprocessor and nanoseconds of the whole device over the same stretch of about 20 microseconds.
extern "C" __global__ void ratchet_clock(unsigned long long* out) {
    unsigned long long time, began;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(time));
    // From one step of the timer to another: it may step by a microsecond.
    do {
        asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(began));
    } while (began == time);
    long long cycles = clock64();
    do {
        asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(time));
    } while (time - began < 20000);
    out[0] = (unsigned long long)(clock64() - cycles);
    out[1] = time - began;
}
