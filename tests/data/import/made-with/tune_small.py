"""Tunes a C function with Kernel Tuner's C backend, which needs no GPU, into cache.json; `simulated` reads it for t4.json."""

import sys

import numpy
from kernel_tuner import tune_kernel
from kernel_tuner.file_utils import store_output_file

SOURCE = """
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec * 1e-6;
}

float scale(float *out, const float *in, int n) {
    double begin = now();
    for (int start = 0; start < n; start += tile)
        for (int i = start; i < start + tile && i < n; i++)
            out[i] = 2.0f * in[i];
    return now() - begin;
}
"""

n = numpy.int32(100_000)
numbers = numpy.ones(n, dtype=numpy.float32)
parameters = {"tile": [16, 32, 64], "unroll": ["no", "yes"]}

def tune(**options):
    results, _ = tune_kernel(
        "scale",
        SOURCE,
        int(n),
        [numpy.zeros_like(numbers), numbers, n],
        parameters,
        lang="C",
        iterations=5,
        restrictions=lambda p: not (p["tile"] == 16 and p["unroll"] == "yes"),
        metrics={"GB/s": lambda p: 8 * int(n) / p["time"] / 1e6},
        cache="cache.json",
        **options,
    )
    return results


if sys.argv[1:] == ["simulated"]:
    store_output_file("t4.json", tune(simulation_mode=True), parameters)
else:
    tune()
