/* A CUDA driver of ordinary memory and simulated time, so that the whole program runs end to end without a GPU: the
 * same binary, the same foreign calls, the same worker processes. Kernels are C functions under the names of the entry
 * points in tests/data/kernels; of machine code only its parameters are read.
 *
 * FAKE_CUDA in the environment plants what is wrong with the driver itself: no_device, old_driver, driver_12, small_memory, or
 * blocking, where a launch is waited for as soon as it is queued. With
 * any_kernel every other kernel can be launched, too: it writes zeros into all buffers that are poisoned, and nothing else.
 * Built with -DWITHOUT_GRAPHS it lacks a function, as an old driver does.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int CUresult;
typedef int CUdevice;
typedef void *Handle;
typedef uint64_t CUdeviceptr;

enum { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NO_DEVICE = 100, NOT_FOUND = 500, ILLEGAL_ADDRESS = 700, OUT_OF_RESOURCES = 701, LAUNCH_TIMEOUT = 702 };

static double now_seconds = 0.0;
static CUresult broken = SUCCESS;
static int hangs = 0;
static uint64_t free_bytes, total_bytes;
static uint32_t *gate_word = NULL;
static uint32_t gate_turn = 0;
static uint64_t launches = 0;

static int planted(const char *fault) {
    const char *faults = getenv("FAKE_CUDA");
    return faults != NULL && strstr(faults, fault) != NULL;
}

/* --- memory and machine code --------------------------------------------------------------------------------------- */

/* Before and behind each buffer of the harness, and of a block of ours. */
enum { GUARD = 64 << 10, HEAD = 256, MOST_BLOCKS = 4096, MOST_PARAMETERS = 16, PARAMETER = 128 };

/* Memory that is allocated: its first word is its size. */
static size_t *blocks[MOST_BLOCKS];

static size_t *block_of_buffer(uint64_t address) {
    for (int i = 0; i < MOST_BLOCKS; i++) {
        if (blocks[i] != NULL && (uint64_t)(uintptr_t)blocks[i] + HEAD + GUARD == address) return blocks[i];
    }
    return NULL;
}

/* Kernels whose machine code was loaded, with the sizes of their parameters. */
typedef struct { char name[64]; int count; unsigned sizes[MOST_PARAMETERS]; } Known;
static Known known[64];
static int known_count = 0;

static Known *known_as(const char *name) {
    for (int i = 0; i < known_count; i++) {
        if (strcmp(known[i].name, name) == 0) return &known[i];
    }
    return NULL;
}

static uint16_t half_at(const unsigned char *at) { return (uint16_t)(at[0] | at[1] << 8); }
static uint32_t word_at(const unsigned char *at) { return half_at(at) | (uint32_t)half_at(at + 2) << 16; }
static uint64_t long_at(const unsigned char *at) { return word_at(at) | (uint64_t)word_at(at + 4) << 32; }

/* Reads the parameters of every kernel of a CUBIN: attributes 0x17 (KPARAM_INFO) of the sections .nv.info.KERNEL. */
static void learn(const unsigned char *image) {
    const unsigned char *sections = image + long_at(image + 40);
    unsigned size = half_at(image + 58), count = half_at(image + 60);
    const unsigned char *names = image + long_at(sections + half_at(image + 62) * size + 24);
    for (unsigned i = 0; i < count; i++) {
        const unsigned char *section = sections + i * size;
        const char *name = (const char *)names + word_at(section);
        if (strncmp(name, ".nv.info.", 9) != 0 || known_as(name + 9) != NULL || known_count == 64) continue;
        Known *kernel = &known[known_count++];
        snprintf(kernel->name, sizeof kernel->name, "%s", name + 9);
        const unsigned char *at = image + long_at(section + 24), *end = at + long_at(section + 32);
        while (at + 4 <= end) {
            int has_payload = at[0] == 4;
            if (has_payload && at[1] == 0x17 && kernel->count < MOST_PARAMETERS) {
                kernel->sizes[half_at(at + 8) % MOST_PARAMETERS] = word_at(at + 12) >> 18;
                kernel->count++;
            }
            at += 4 + (has_payload ? half_at(at + 2) : 0);
        }
    }
}

/* What a kernel does that nobody wrote in C: so does its reference, and the two agree. */
static double run_unknown(const Known *kernel, void **parameters) {
    for (int i = 0; i < kernel->count; i++) {
        uint64_t address;
        memcpy(&address, parameters[i], kernel->sizes[i] < 8 ? 4 : 8);
        size_t *block = kernel->sizes[i] < 8 ? NULL : block_of_buffer(address);
        if (block == NULL) continue;
        unsigned char *bytes = (unsigned char *)(uintptr_t)address;
        int is_poisoned = (bytes[0] == 0xFF || bytes[0] == 0xA5) && memcmp(bytes, bytes + 1, 3) == 0;
        if (is_poisoned) memset(bytes, 0, block[0] - 2 * GUARD);
    }
    return 20e-3;
}

/* --- kernels ------------------------------------------------------------------------------------------------------ */

#define MOST_KEPT (1 << 20)
static float kept[MOST_KEPT];
static int has_kept = 0;
static uint64_t seen[4096];
static int seen_count = 0;

static int was_seen(uint64_t key) {
    for (int i = 0; i < seen_count; i++) {
        if (seen[i] == key) return 1;
    }
    if (seen_count < 4096) seen[seen_count++] = key;
    return 0;
}

static uint32_t bits(float value) {
    uint32_t word;
    memcpy(&word, &value, 4);
    return word;
}

/* How the kernel that runs was launched. */
typedef struct { unsigned grid, block, shared; } Shape;
static Shape shape;

/* The tunable ITEMS of scale_tuned, which shows in its grid. */
static int items_of(const Shape *of, int n) {
    int items = 1;
    while ((long long)of->grid * of->block * items < n) items *= 2;
    return items;
}

/* Least time at 256 threads with 4 items each, without shared memory. The point with 8 items is faster, and wrong; the
 * one with 512 threads and 4 items hangs. */
static double run_tuned(float *y, int n) {
    int items = items_of(&shape, n);
    if (shape.block == 256 && items == 8) {
        y[n / 2] += 1;
        return 20e-6;
    }
    if (shape.block == 512 && items == 4) hangs = 1;
    double block = log2(shape.block) - 8, item = log2(items) - 2;
    return 100e-6 * (1 + 0.05 * block * block) * (1 + 0.1 * item * item) * (shape.shared > 0 ? 1.1 : 1.0);
}

/* What one launch does, and the seconds that it takes. */
static double run(const char *name, void **parameters) {
    launches++;
    if (strcmp(name, "ratchet_flush") == 0) return 30e-6;
    if (strcmp(name, "ratchet_clock") == 0) {
        uint64_t *out = *(uint64_t **)parameters[0];
        out[0] = 39600;
        out[1] = 20000;
        return 20e-6;
    }
    if (strncmp(name, "scale_", 6) != 0) return run_unknown(known_as(name), parameters) * (1.0 + 1e-4 * (double)(launches % 7));
    float *x = *(float **)parameters[0];
    float *y = *(float **)parameters[1];
    int n = *(int *)parameters[2];
    double seconds = 100e-6 * (1.0 + 0.0005 * ((double)(launches * 7919 % 101) / 50.0 - 1.0));
    if (strcmp(name, "scale_slow") == 0) seconds *= 1.5;
    if (strcmp(name, "scale_crash") == 0) {
        broken = ILLEGAL_ADDRESS;
        return seconds;
    }
    if (strcmp(name, "scale_hang") == 0) {
        hangs = 1;
        return seconds;
    }
    if (strcmp(name, "scale_prints") == 0) printf("hello from a kernel");
    if (strcmp(name, "scale_by_pointer") == 0 && was_seen((uint64_t)(uintptr_t)x)) return 1e-6;
    if (strcmp(name, "scale_by_content") == 0) {
        uint64_t key = (uint64_t)bits(x[0]) << 32 | (bits(x[n / 2]) ^ (uint32_t)(uintptr_t)y);
        static int launches_of_it = 0;
        if (was_seen(key) && ++launches_of_it > 100) return 1e-6;
    }
    if (strcmp(name, "scale_previous") == 0) {
        for (int i = 0; i < n && i < MOST_KEPT; i++) {
            float last = has_kept ? kept[i] : 2 * x[i];
            kept[i] = 2 * x[i];
            y[i] = last;
        }
        has_kept = 1;
        return seconds;
    }
    int count = strcmp(name, "scale_half") == 0 ? n / 2 : n;
    for (int i = 0; i < count; i++) y[i] = strcmp(name, "scale_nan") == 0 ? NAN : 2 * x[i];
    if (strcmp(name, "scale_writes_past") == 0) y[n] = 1;
    if (strcmp(name, "scale_changes_input") == 0) x[n / 2] = 0.25f;
    if (strcmp(name, "scale_racy") == 0) y[0] += 1e-5f * (float)(launches % 7 + 1);
    if (strcmp(name, "scale_tuned") == 0) seconds *= run_tuned(y, n) / 100e-6;
    if (strcmp(name, "scale_reads_past") == 0 && isfinite(x[n])) y[0] += 1e-3f * fabsf(x[n]) + 1e-6f;
    return seconds;
}

/* --- the driver --------------------------------------------------------------------------------------------------- */

CUresult cuInit(unsigned flags) {
    (void)flags;
    total_bytes = free_bytes = planted("small_memory") ? 32ull << 20 : 4ull << 30;
    return planted("no_device") ? NO_DEVICE : SUCCESS;
}
/* NVRTC asks the driver for a table of internals, and takes nothing from one that says it is short. */
CUresult cuGetExportTable(const void **table, const void *which) {
    static const uint64_t empty[8] = {16};
    (void)which;
    *table = empty;
    return SUCCESS;
}
CUresult cuDriverGetVersion(int *version) {
    *version = planted("old_driver") ? 11040 : planted("driver_12") ? 12040 : 13000;
    return SUCCESS;
}
CUresult cuDeviceGetCount(int *count) { *count = 1; return SUCCESS; }
CUresult cuDeviceGet(CUdevice *device, int ordinal) { *device = ordinal; return SUCCESS; }
CUresult cuDeviceGetName(char *name, int length, CUdevice device) {
    (void)device;
    snprintf(name, (size_t)length, "Fake H200");
    return SUCCESS;
}
CUresult cuDeviceGetUuid_v2(unsigned char *uuid, CUdevice device) { (void)device; memset(uuid, 0x11, 16); return SUCCESS; }
CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device) { (void)device; *bytes = total_bytes; return SUCCESS; }
CUresult cuDeviceGetAttribute(int *value, unsigned attribute, CUdevice device) {
    (void)device;
    switch (attribute) {
        case 1: *value = 1024; return SUCCESS;
        case 10: *value = 32; return SUCCESS;
        case 13: *value = 1980000; return SUCCESS;
        case 16: *value = 132; return SUCCESS;
        case 32: *value = 1; return SUCCESS;
        case 36: *value = 3201000; return SUCCESS;
        case 37: *value = 6144; return SUCCESS;
        case 38: *value = 1 << 20; return SUCCESS;
        case 75: *value = 9; return SUCCESS;
        case 76: *value = 0; return SUCCESS;
        case 97: *value = 232448; return SUCCESS;
        default: return INVALID_VALUE;
    }
}
CUresult cuDevicePrimaryCtxRetain(Handle *context, CUdevice device) { (void)device; *context = &free_bytes; return SUCCESS; }
CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) { (void)device; return SUCCESS; }
CUresult cuCtxSetCurrent(Handle context) { (void)context; return SUCCESS; }

/* The usual end of a process waits for kernels, too. */
__attribute__((destructor)) static void at_the_end(void) {
    while (hangs) pause();
}

/* Waits for everything: for ever where a kernel hangs, and with an error where held work was never released. */
static CUresult wait(void) {
    while (hangs) pause();
    if (gate_word != NULL && *gate_word < gate_turn) return LAUNCH_TIMEOUT;
    fflush(stdout);
    return broken;
}
CUresult cuCtxSynchronize(void) { return wait(); }
CUresult cuStreamSynchronize(Handle stream) { (void)stream; return wait(); }
CUresult cuCtxResetPersistingL2Cache(void) { return SUCCESS; }

CUresult cuMemGetInfo_v2(size_t *available, size_t *total) { *available = free_bytes; *total = total_bytes; return broken; }
CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t bytes) {
    if (broken) return broken;
    if (bytes > free_bytes) return OUT_OF_MEMORY;
    size_t *block = aligned_alloc(256, (bytes + 511) / 256 * 256);
    if (block == NULL) return OUT_OF_MEMORY;
    block[0] = bytes;
    free_bytes -= bytes;
    *address = (CUdeviceptr)(uintptr_t)block + HEAD;
    for (int i = 0; i < MOST_BLOCKS; i++) {
        if (blocks[i] == NULL) {
            blocks[i] = block;
            break;
        }
    }
    return SUCCESS;
}
CUresult cuMemFree_v2(CUdeviceptr address) {
    size_t *block = (size_t *)(uintptr_t)(address - HEAD);
    free_bytes += block[0];
    for (int i = 0; i < MOST_BLOCKS; i++) {
        if (blocks[i] == block) blocks[i] = NULL;
    }
    free(block);
    return SUCCESS;
}
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, Handle stream) {
    (void)stream;
    memcpy((void *)(uintptr_t)to, from, bytes);
    return broken;
}
CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, Handle stream) {
    (void)stream;
    memcpy(to, (const void *)(uintptr_t)from, bytes);
    return broken;
}
CUresult cuMemsetD8Async(CUdeviceptr at, unsigned char byte, size_t bytes, Handle stream) {
    (void)stream;
    memset((void *)(uintptr_t)at, byte, bytes);
    now_seconds += 1e-6;
    return broken;
}
CUresult cuMemHostAlloc(void **memory, size_t bytes, unsigned flags) {
    (void)flags;
    *memory = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    return *memory == NULL ? OUT_OF_MEMORY : SUCCESS;
}
CUresult cuMemFreeHost(void *memory) { free(memory); return SUCCESS; }
CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr *address, void *memory, unsigned flags) {
    (void)flags;
    *address = (CUdeviceptr)(uintptr_t)memory;
    return SUCCESS;
}
CUresult cuStreamWaitValue32_v2(Handle stream, CUdeviceptr address, uint32_t value, unsigned flags) {
    (void)stream;
    if (flags != 0) return INVALID_VALUE;
    gate_word = (uint32_t *)(uintptr_t)address;
    gate_turn = value;
    return SUCCESS;
}

CUresult cuModuleLoadData(Handle *module, const void *image) {
    if (planted("any_kernel")) learn(image);
    *module = malloc(1);
    return broken;
}
CUresult cuModuleUnload(Handle module) { free(module); return SUCCESS; }
CUresult cuModuleGetFunction(Handle *function, Handle module, const char *name) {
    (void)module;
    if (strncmp(name, "scale_", 6) != 0 && strncmp(name, "ratchet_", 8) != 0 && known_as(name) == NULL) return NOT_FOUND;
    *function = calloc(1, strlen(name) + 1 + sizeof(int));
    strcpy(*function, name);
    return SUCCESS;
}
// What a kernel may have of dynamic shared memory stands behind its name. Static memory has taken all that need not be asked for.
static unsigned allowed_shared(Handle function) {
    int value;
    memcpy(&value, (char *)function + strlen(function) + 1, sizeof value);
    return (unsigned)value;
}
CUresult cuFuncSetAttribute(Handle function, unsigned attribute, int value) {
    if (attribute == 8) memcpy((char *)function + strlen(function) + 1, &value, sizeof value);
    return SUCCESS;
}
CUresult cuFuncGetParamInfo(Handle function, size_t index, size_t *offset, size_t *size) {
    const Known *kernel = known_as(function);
    size_t count = kernel != NULL ? (size_t)kernel->count : strncmp(function, "scale_", 6) == 0 ? 3 : 1;
    if (index >= count) return INVALID_VALUE;
    *offset = 8 * index;
    *size = kernel != NULL ? kernel->sizes[index] : 8;
    return SUCCESS;
}
CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, Handle function, int threads, size_t shared) {
    (void)function;
    *blocks = threads > 0 && threads <= (shared > 0 ? 512 : 1024) ? 2048 / threads : 0;
    return SUCCESS;
}

CUresult cuStreamCreate(Handle *stream, unsigned flags) { (void)flags; *stream = malloc(1); return SUCCESS; }
CUresult cuStreamDestroy_v2(Handle stream) { free(stream); return SUCCESS; }
CUresult cuEventCreate(Handle *event, unsigned flags) {
    if (flags != 0) return INVALID_VALUE; /* an event without timing is a mistake of the caller */
    *event = calloc(1, sizeof(double));
    return SUCCESS;
}
CUresult cuEventDestroy_v2(Handle event) { free(event); return SUCCESS; }
CUresult cuEventRecord(Handle event, Handle stream) { (void)stream; *(double *)event = now_seconds; return broken; }
CUresult cuEventSynchronize(Handle event) { (void)event; return wait(); }
CUresult cuEventElapsedTime_v2(float *milliseconds, Handle from, Handle to) {
    *milliseconds = (float)(1e3 * (*(double *)to - *(double *)from));
    return broken;
}

typedef struct Node {
    char name[64];
    Shape shape;
    unsigned char values[MOST_PARAMETERS][PARAMETER];
    struct Node *next;
} Node;
static Node *capturing = NULL, **capture_end = NULL;

static CUresult launch(const char *name, void **parameters) {
    if (broken) return broken;
    /* What a driver says of some launches that looked good. */
    if (strcmp(name, "scale_tuned") == 0 && shape.block == 1024 && items_of(&shape, *(int *)parameters[2]) == 2) return OUT_OF_RESOURCES;
    if (capture_end == NULL) {
        now_seconds += run(name, parameters);
        return SUCCESS;
    }
    Node *node = calloc(1, sizeof(Node));
    snprintf(node->name, sizeof node->name, "%s", name);
    node->shape = shape;
    const Known *kernel = known_as(name);
    for (int i = 0; i < (kernel != NULL ? kernel->count : 3); i++) {
        memcpy(node->values[i], parameters[i], kernel != NULL ? kernel->sizes[i] : 8);
    }
    *capture_end = node;
    capture_end = &node->next;
    return SUCCESS;
}
CUresult cuLaunchKernel(Handle function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                        unsigned shared, Handle stream, void **parameters, void **extra) {
    (void)stream;
    if (planted("blocking")) while (gate_word != NULL && *(volatile uint32_t *)gate_word < gate_turn) usleep(1000);
    shape = (Shape){gx, bx, shared};
    if (gx * gy * gz == 0 || bx * by * bz == 0 || shared > allowed_shared(function) || extra != NULL) return INVALID_VALUE;
    return launch(function, parameters);
}
typedef struct {
    unsigned grid[3], block[3], shared;
    Handle stream;
    struct { unsigned id; char pad[4]; unsigned cluster[3]; } *attributes;
    unsigned count;
} LaunchConfig;
CUresult cuLaunchKernelEx(const LaunchConfig *config, Handle function, void **parameters, void **extra) {
    if (extra != NULL || config->count != 1 || config->attributes->id != 4 || config->attributes->cluster[0] == 0) return INVALID_VALUE;
    shape = (Shape){config->grid[0], config->block[0], config->shared};
    return launch(function, parameters);
}
CUresult cuTensorMapEncodeTiled(uint64_t *map, unsigned type, unsigned rank, void *address, const uint64_t *extents,
                                const uint64_t *strides, const uint32_t *tile, const uint32_t *element_strides,
                                unsigned interleave, unsigned swizzle, unsigned promotion, unsigned fill) {
    (void)type; (void)strides; (void)swizzle; (void)promotion;
    if ((uintptr_t)map % 64 != 0 || rank == 0 || extents[0] == 0 || tile[0] == 0 || element_strides[0] != 1 || interleave != 0 || fill != 0) {
        return INVALID_VALUE;
    }
    memset(map, 0, 128);
    map[0] = (uint64_t)(uintptr_t)address;
    return SUCCESS;
}

CUresult cuStreamBeginCapture_v2(Handle stream, unsigned mode) {
    (void)stream;
    (void)mode;
    capturing = NULL;
    capture_end = &capturing;
    return SUCCESS;
}
CUresult cuStreamEndCapture(Handle stream, Handle *graph) { (void)stream; *graph = capturing; capture_end = NULL; return SUCCESS; }
CUresult cuGraphInstantiateWithFlags(Handle *executable, Handle graph, unsigned long long flags) {
    (void)flags;
    *executable = graph;
    return SUCCESS;
}
#ifndef WITHOUT_GRAPHS
CUresult cuGraphLaunch(Handle executable, Handle stream) {
    (void)stream;
    for (Node *node = executable; node != NULL; node = node->next) {
        void *parameters[MOST_PARAMETERS];
        for (int i = 0; i < MOST_PARAMETERS; i++) parameters[i] = node->values[i];
        shape = node->shape;
        now_seconds += run(node->name, parameters);
    }
    return broken;
}
#endif
CUresult cuGraphDestroy(Handle graph) { (void)graph; return SUCCESS; }
CUresult cuGraphExecDestroy(Handle executable) {
    for (Node *node = executable; node != NULL;) {
        Node *next = node->next;
        free(node);
        node = next;
    }
    return SUCCESS;
}

CUresult cuGetErrorName(CUresult error, const char **name) {
    switch (error) {
        case INVALID_VALUE: *name = "CUDA_ERROR_INVALID_VALUE"; break;
        case OUT_OF_MEMORY: *name = "CUDA_ERROR_OUT_OF_MEMORY"; break;
        case NO_DEVICE: *name = "CUDA_ERROR_NO_DEVICE"; break;
        case NOT_FOUND: *name = "CUDA_ERROR_NOT_FOUND"; break;
        case ILLEGAL_ADDRESS: *name = "CUDA_ERROR_ILLEGAL_ADDRESS"; break;
        case OUT_OF_RESOURCES: *name = "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"; break;
        case LAUNCH_TIMEOUT: *name = "CUDA_ERROR_LAUNCH_TIMEOUT"; break;
        default: *name = NULL; return INVALID_VALUE;
    }
    return SUCCESS;
}
CUresult cuGetErrorString(CUresult error, const char **text) {
    *text = "as the fake driver says";
    return error < 900 ? SUCCESS : INVALID_VALUE;
}
