// Runs CUDA kernels on a CPU, so that their arithmetic, indexing and synchronisation can be tested without a GPU.
//
// The threads of a block, or of the blocks of a cluster, are fibers of one operating-system thread. A fiber runs until it
// waits for others (a barrier, a shuffle, a tensor-core instruction); the order in which warps run and in which clusters
// follow each other comes from a seed, so that a fault is found again. What is wrong on every GPU ends the program with a
// sentence: a warp whose lanes meet at different instructions, a wait that nothing ends, an access outside a buffer (guard
// pages), a write before one (canaries). Shared memory is full of NaN when a block begins.
//
// It is no model of the memory system: within a fiber, writes are seen at once and in order. What a missing
// `__syncthreads` breaks is found only as far as another order of warps gives another result.
// ptx.cuh and hopper.cuh beside this file stand in for the wrappers of kernels/include.
#pragma once

#include <csignal>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace cuda_shim {

struct Dim3 {
    unsigned x = 1, y = 1, z = 1;
};

struct Warp;

struct Thread {
    void* stack_pointer = nullptr;
    Dim3 index;
    unsigned lane = 0, number = 0;
    bool done = false;
    Warp* warp = nullptr;
    unsigned long collectives = 0;  // warp-wide instructions so far
    struct Copy {
        void* to;
        const void* from;
        unsigned bytes;
    };
    std::vector<std::vector<Copy>> copy_groups;  // committed cp.async groups
    std::vector<Copy> open_copies;               // cp.async not yet committed
    unsigned long matrix_issued = 0;  // wgmma: see hopper.cuh
    bool matrix_fenced = false;
};

/// What the lanes of a warp hand to each other; two slots, for the slowest lane may still read the last one.
struct Warp {
    static constexpr unsigned slot_bytes = 64;
    unsigned lanes = 0, arrived = 0;
    unsigned long generation = 0;
    const char* kind = nullptr;
    alignas(16) unsigned char in[2][32][slot_bytes];
    alignas(16) unsigned char out[2][32][slot_bytes];
};

struct NamedBarrier {
    unsigned arrived = 0;
    bool waits = false;  // somebody who has arrived waits
    unsigned long generation = 0;
};

/// Something that finishes by itself some time later: a bulk copy.
struct Pending {
    std::function<void()> finish;
};

struct Guarded;
struct Hopper;

struct Block {
    Dim3 index;
    unsigned rank = 0;  // in its cluster
    std::vector<Thread> threads;
    std::vector<Warp> warps;
    NamedBarrier barriers[16];
    std::vector<Pending> pending;
    unsigned live = 0;
    bool eager = false;  // whether asynchronous work is done at once or as late as allowed
    std::unique_ptr<Guarded> window;
    unsigned char* shared_window = nullptr;
    unsigned char* shared = nullptr;
    unsigned shared_bytes = 0;
    std::shared_ptr<Hopper> hopper;  // of hopper.cuh, which makes it where it is needed
    std::function<void()> at_end;    // checks of hopper.cuh
    const std::function<void()>* body = nullptr;
};

/// Blocks that run together and reach each other's shared memory; one block where a launch asks for no cluster.
struct Cluster {
    std::vector<Block> blocks;
    unsigned arrived = 0;  // at the cluster's barrier
    unsigned long generation = 0;
};

inline Dim3 grid_dim, block_dim, block_index;
inline Thread* current = nullptr;
inline Block* block = nullptr;
inline Cluster* cluster = nullptr;
inline unsigned long progress = 0;  // counts whatever may end a wait
inline void* scheduler_stack_pointer = nullptr;
inline uint64_t random_state = 1;

inline uint64_t random_bits() {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

[[noreturn]] inline void fail(const char* what) {
    fprintf(stderr, "cuda_shim: %s", what);
    if (current)
        fprintf(stderr, " (thread %u,%u,%u of block %u,%u,%u)", current->index.x, current->index.y, current->index.z, block_index.x,
                block_index.y, block_index.z);
    fprintf(stderr, "\n");
    fflush(nullptr);
    _exit(3);
}

// ---- fibers -------------------------------------------------------------------------------------------------------

#if defined(__x86_64__)
extern "C" void cuda_shim_switch(void** save, void* load);
asm(R"(
.text
.globl cuda_shim_switch
.type cuda_shim_switch,@function
cuda_shim_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size cuda_shim_switch,.-cuda_shim_switch
)");
#elif defined(__aarch64__)
extern "C" void cuda_shim_switch(void** save, void* load);
asm(R"(
.text
.globl cuda_shim_switch
.type cuda_shim_switch,%function
cuda_shim_switch:
    sub sp, sp, #160
    stp x19, x20, [sp]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
.size cuda_shim_switch,.-cuda_shim_switch
)");
#else
#error "cuda_shim: no fibers for this processor"
#endif

inline void yield() { cuda_shim_switch(&current->stack_pointer, scheduler_stack_pointer); }

/// Lets others run until `ready`.
template <typename Ready>
inline void wait_until(Ready ready) {
    while (!ready()) yield();
    progress++;
}

inline void fiber_main() {
    (*block->body)();
    if (!current->open_copies.empty() || !current->copy_groups.empty()) fail("a thread ends with cp.async copies it never waited for");
    current->done = true;
    block->live--;
    progress++;
    for (;;) yield();
}

constexpr size_t stack_bytes = 128 << 10;

inline void start_fiber(Thread& thread, unsigned char* stack) {
    auto* top = reinterpret_cast<void**>(stack + stack_bytes);
#if defined(__x86_64__)
    *--top = nullptr;  // the place of a return address: the entry sees an aligned stack
    *--top = nullptr;
    *top = reinterpret_cast<void*>(&fiber_main);
    top -= 6;
    memset(top, 0, 6 * sizeof(void*));
#else
    top -= 20;
    memset(top, 0, 20 * sizeof(void*));
    top[11] = reinterpret_cast<void*>(&fiber_main);
#endif
    thread.stack_pointer = top;
}

/// Lets the threads and the copies of one block run.
inline void enter(Block& next) {
    block = &next;
    block_index = next.index;
}

/// Finishes one pending copy; false where there is none.
inline bool finish_something() {
    if (block->pending.empty()) return false;
    size_t which = random_bits() % block->pending.size();
    auto finish = std::move(block->pending[which].finish);
    block->pending.erase(block->pending.begin() + which);
    finish();
    progress++;
    return true;
}

inline void run_warp(Warp& warp, unsigned first) {
    for (;;) {
        unsigned long before = progress;
        for (unsigned lane = 0; lane < warp.lanes; lane++) {
            Thread& thread = block->threads[first + lane];
            if (thread.done) continue;
            current = &thread;
            cuda_shim_switch(&scheduler_stack_pointer, thread.stack_pointer);
        }
        current = nullptr;
        if (progress == before) return;
        if (random_bits() % 8 == 0) return;
    }
}

inline void run_cluster() {
    struct Place {
        Block* block;
        unsigned warp;
    };
    std::vector<Place> order;
    for (Block& each : cluster->blocks)
        for (unsigned i = 0; i < each.warps.size(); i++) order.push_back({&each, i});
    auto live = [] {
        unsigned threads = 0;
        for (Block& each : cluster->blocks) threads += each.live;
        return threads > 0;
    };
    auto finish_anything = [] {
        for (Block& each : cluster->blocks) {
            enter(each);
            if (finish_something()) return true;
        }
        return false;
    };
    unsigned idle = 0;
    Block* resting = nullptr;  // one block of a cluster falls behind the others, now and then
    while (live()) {
        unsigned long before = progress;
        for (size_t i = order.size(); i > 1; i--) std::swap(order[i - 1], order[random_bits() % i]);
        if (cluster->blocks.size() > 1 && random_bits() % 16 == 0) resting = &cluster->blocks[random_bits() % cluster->blocks.size()];
        for (Place place : order) {
            if (place.block == resting) continue;
            enter(*place.block);
            run_warp(block->warps[place.warp], place.warp * 32);
            if (random_bits() % 4 == 0) finish_something();
        }
        if (progress != before) idle = 0;
        else if (resting) resting = nullptr;
        else if (!finish_anything() && ++idle > 2) fail("deadlock: every thread waits for another");
    }
    for (Block& each : cluster->blocks) {
        enter(each);
        if (!block->pending.empty()) fail("a block ends while a bulk copy is under way");
        for (auto& barrier : block->barriers)
            if (barrier.arrived != 0) fail("a block ends while threads that came to a named barrier have not been met");
    }
    if (cluster->arrived != 0) fail("a block ends that others of its cluster wait for");
}

// ---- memory -------------------------------------------------------------------------------------------------------

constexpr size_t page = 4096;

/// Memory that ends at a page which must not be touched, with canaries in front.
struct Guarded {
    unsigned char* start = nullptr;
    unsigned char* data = nullptr;
    size_t mapped = 0, bytes = 0;

    explicit Guarded(size_t size, size_t alignment = 16) : bytes(size) {
        mapped = (size + 2 * page - 1) / page * page;
        void* memory = mmap(nullptr, mapped + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) fail("out of memory");
        start = static_cast<unsigned char*>(memory);
        mprotect(start + mapped, page, PROT_NONE);
        data = start + (mapped - size) / alignment * alignment;
        memset(start, 0xFF, mapped);
    }
    Guarded(const Guarded&) = delete;
    ~Guarded() { munmap(start, mapped + page); }

    void check(const char* what) const {
        for (unsigned char* p = start; p < start + mapped; p++)
            if ((p < data || p >= data + bytes) && *p != 0xFF) fail(what);
    }
};

inline void on_fault(int, siginfo_t* info, void*) {
    char text[128];
    snprintf(text, sizeof text, "access outside a buffer, at %p", info->si_addr);
    fail(text);
}

inline void catch_faults() {
    alarm(300);  // a kernel that never ends is a fault, too
    static unsigned char stack[64 << 10];
    stack_t alternative{};
    alternative.ss_sp = stack;
    alternative.ss_size = sizeof stack;
    sigaltstack(&alternative, nullptr);
    struct sigaction action{};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGSEGV, &action, nullptr);
    sigaction(SIGBUS, &action, nullptr);
}

extern "C" unsigned char __start_cuda_shared[] __attribute__((weak));
extern "C" unsigned char __stop_cuda_shared[] __attribute__((weak));

/// A block whose threads are about to begin.
inline void start_block(Block& state, unsigned number, unsigned rank, unsigned shared_bytes, bool eager, unsigned char* const* stacks,
                        const std::function<void()>& body) {
    unsigned count = block_dim.x * block_dim.y * block_dim.z;
    state.index = {number % grid_dim.x, number / grid_dim.x % grid_dim.y, number / (grid_dim.x * grid_dim.y)};
    state.rank = rank;
    state.threads.resize(count);
    state.warps.resize((count + 31) / 32);
    state.live = count;
    state.eager = eager;
    state.window = std::make_unique<Guarded>(shared_bytes);
    state.shared_window = state.window->start;
    state.shared = state.window->data;
    state.shared_bytes = shared_bytes;
    state.body = &body;
    for (unsigned i = 0; i < count; i++) {
        Thread& thread = state.threads[i];
        thread.index = {i % block_dim.x, i / block_dim.x % block_dim.y, i / (block_dim.x * block_dim.y)};
        thread.number = i;
        thread.lane = i % 32;
        thread.warp = &state.warps[i / 32];
        thread.warp->lanes++;
        start_fiber(thread, stacks[i]);
    }
}

/// Launches: every cluster of `cluster_size` blocks, neighbours in x, in an order that the seed gives, one after the other.
inline void launch(Dim3 grid, Dim3 threads, unsigned shared_bytes, uint64_t seed, const std::function<void()>& body, unsigned cluster_size = 1) {
    static std::vector<unsigned char*> stacks;
    catch_faults();
    random_state = seed * 0x9E3779B97F4A7C15ull + 0x1234567;
    unsigned count = threads.x * threads.y * threads.z;
    if (count == 0 || count > 1024) fail("a block has 1 to 1024 threads");
    if (cluster_size == 0 || grid.x % cluster_size != 0) fail("a grid is a multiple of its cluster");
    if (cluster_size > 1 && __start_cuda_shared) fail("static shared memory of clusters is not told apart here");
    while (stacks.size() < count * cluster_size) {
        void* memory = mmap(nullptr, stack_bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) fail("out of memory");
        mprotect(memory, page, PROT_NONE);
        stacks.push_back(static_cast<unsigned char*>(memory) + page);
    }
    grid_dim = grid;
    block_dim = threads;
    std::vector<unsigned> order(grid.x * grid.y * grid.z / cluster_size);
    for (unsigned i = 0; i < order.size(); i++) order[i] = i;
    for (size_t i = order.size(); i > 1; i--) std::swap(order[i - 1], order[random_bits() % i]);
    for (unsigned number : order) {
        if (__start_cuda_shared) memset(__start_cuda_shared, 0xFF, __stop_cuda_shared - __start_cuda_shared);
        Cluster state;
        state.blocks.resize(cluster_size);
        for (unsigned rank = 0; rank < cluster_size; rank++)
            start_block(state.blocks[rank], number * cluster_size + rank, rank, shared_bytes, seed % 2 == 1, &stacks[rank * count], body);
        cluster = &state;
        run_cluster();
        for (Block& each : state.blocks) {
            enter(each);
            if (each.at_end) each.at_end();
            each.window->check("a write before or behind shared memory");
        }
        block = nullptr;
        cluster = nullptr;
    }
}

// ---- warp and block -----------------------------------------------------------------------------------------------

/// An instruction that all lanes execute together: what each brings goes to `complete`, once, which writes what each gets.
template <typename In, typename Out, typename Complete>
inline Out collective(const char* kind, const In& in, Complete complete) {
    static_assert(sizeof(In) <= Warp::slot_bytes && sizeof(Out) <= Warp::slot_bytes);
    Warp& warp = *current->warp;
    unsigned long generation = current->collectives++;
    unsigned slot = generation % 2;
    if (warp.generation != generation) fail("lanes of a warp are at different warp-wide instructions");
    if (warp.arrived == 0) warp.kind = kind;
    else if (strcmp(warp.kind, kind) != 0) fail("lanes of a warp meet at different warp-wide instructions");
    memcpy(warp.in[slot][current->lane], &in, sizeof(In));
    if (++warp.arrived == warp.lanes) {
        In all[32];
        Out results[32];
        for (unsigned i = 0; i < 32; i++) memcpy(&all[i], warp.in[slot][i < warp.lanes ? i : 0], sizeof(In));
        complete(all, results);
        for (unsigned i = 0; i < warp.lanes; i++) memcpy(warp.out[slot][i], &results[i], sizeof(Out));
        warp.arrived = 0;
        warp.generation++;
        progress++;
    } else {
        wait_until([&] { return warp.generation > generation; });
    }
    Out out;
    memcpy(&out, warp.out[slot][current->lane], sizeof(Out));
    return out;
}

inline void named_barrier(unsigned id, unsigned threads, bool wait) {
    if (id >= 16) fail("there are 16 barriers");
    NamedBarrier& barrier = block->barriers[id];
    unsigned long generation = barrier.generation;
    barrier.waits |= wait;
    if (++barrier.arrived >= threads) {
        if (!barrier.waits) fail("so many threads arrive at a named barrier that it opens for nobody");
        barrier.arrived = 0;
        barrier.waits = false;
        barrier.generation++;
        progress++;
    } else if (wait) {
        wait_until([&] { return barrier.generation > generation; });
    }
}

/// The barrier of all threads of a cluster.
inline void cluster_barrier() {
    unsigned long generation = cluster->generation;
    if (++cluster->arrived == cluster->blocks.size() * cluster->blocks[0].threads.size()) {
        cluster->arrived = 0;
        cluster->generation++;
        progress++;
    } else {
        wait_until([&] { return cluster->generation > generation; });
    }
}

template <typename T, typename Source>
inline T shuffle(const char* kind, unsigned mask, T value, Source source) {
    if (mask != 0xFFFFFFFFu) fail("a shuffle must name all lanes");
    return collective<T, T>(kind, value, [&](const T* in, T* out) {
        for (unsigned lane = 0; lane < 32; lane++) out[lane] = in[source(lane) % 32];
    });
}

}  // namespace cuda_shim

// ---- the words of CUDA C++ ----------------------------------------------------------------------------------------

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __noinline__
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(n) alignas(n)
#define __shared__ static __attribute__((section("cuda_shared")))
#define threadIdx (cuda_shim::current->index)
#define blockIdx (cuda_shim::block_index)
#define blockDim (cuda_shim::block_dim)
#define gridDim (cuda_shim::grid_dim)

struct alignas(8) uint2 {
    unsigned x, y;
};
struct alignas(16) uint4 {
    unsigned x, y, z, w;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

inline void __syncthreads() { cuda_shim::named_barrier(0, cuda_shim::block->live, true); }
inline void __syncwarp(unsigned mask = 0xFFFFFFFFu) { cuda_shim::shuffle("__syncwarp", mask, 0, [](unsigned lane) { return lane; }); }
inline void __threadfence() {}
template <typename T>
inline T __shfl_xor_sync(unsigned mask, T value, int other) {
    return cuda_shim::shuffle("__shfl_xor_sync", mask, value, [&](unsigned lane) { return lane ^ other; });
}
template <typename T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned by) {
    return cuda_shim::shuffle("__shfl_down_sync", mask, value, [&](unsigned lane) { return lane + by < 32 ? lane + by : lane; });
}
template <typename T>
inline T __shfl_sync(unsigned mask, T value, int from) {
    // The source lane may differ from lane to lane, so it travels along.
    struct Both {
        T value;
        int from;
    };
    if (mask != 0xFFFFFFFFu) cuda_shim::fail("a shuffle must name all lanes");
    return cuda_shim::collective<Both, T>("__shfl_sync", {value, from}, [](const Both* in, T* out) {
        for (unsigned lane = 0; lane < 32; lane++) out[lane] = in[in[lane].from % 32].value;
    });
}
inline unsigned atomicInc(unsigned* address, unsigned limit) {
    unsigned old = *address;
    *address = old >= limit ? 0 : old + 1;
    return old;
}
inline unsigned atomicAdd(unsigned* address, unsigned value) {
    unsigned old = *address;
    *address = old + value;
    return old;
}
template <typename T>
inline T min(T a, T b) { return a < b ? a : b; }
template <typename T>
inline T max(T a, T b) { return a < b ? b : a; }
inline float __uint_as_float(unsigned bits) { float value; memcpy(&value, &bits, 4); return value; }
inline unsigned __float_as_uint(float value) { unsigned bits; memcpy(&bits, &value, 4); return bits; }
inline float rsqrtf(float value) { return 1.0f / std::sqrt(value); }
