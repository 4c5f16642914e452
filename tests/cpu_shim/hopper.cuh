// Stands in for kernels/include/hopper.cuh on a CPU: barriers that count bytes, tensor copies, products of a warpgroup.
//
// What is asynchronous happens at once or as late as the waits allow, by the seed of the launch; the target of a late copy
// holds NaN until then. Found are, besides wrong numbers: a product without warpgroup_fence() since the last wait,
// without commit or wait before its thread ends, over memory that store_shared() wrote without fence_async(); barriers that
// nobody initialised or fenced; tiles and descriptors that are not aligned; descriptors that leave shared memory.
// Every kind of group of products is printed once, for a comparison with other compilers (tests/data/hopper).
// A block of a cluster must not reach into one that has not made its barriers yet, nor into one that has ended.
// Memory order is no subject: there is one order here.
#pragma once

#include <set>
#include <string>

#include "ptx.cuh"

struct TensorMap {
    unsigned char* base = nullptr;
    int rank = 0, element = 0;
    long long extent[3] = {1, 1, 1}, stride[3] = {};  // elements and bytes, fastest first
    int box[3] = {1, 1, 1};
};
using Barrier = unsigned long long;

namespace cuda_shim {

/// Whether tiles and products are computed, or only who waits for whom.
#ifdef PROTOCOL_ONLY
constexpr bool moves_data = false;
#else
constexpr bool moves_data = true;
#endif

/// What cuTensorMapEncodeTiled checks, for 128-byte swizzle.
inline TensorMap tensor_map(void* base, int element, std::vector<long long> extent, std::vector<int> box) {
    TensorMap map;
    map.base = static_cast<unsigned char*>(base);
    map.rank = int(extent.size());
    map.element = element;
    if (reinterpret_cast<uintptr_t>(base) % 16 != 0 || extent.size() != box.size() || extent.size() > 3) fail("a tensor map cannot be encoded");
    long long stride = element;
    for (int i = 0; i < map.rank; i++) {
        map.extent[i] = extent[i];
        map.box[i] = box[i];
        map.stride[i] = stride;
        if (i > 0 && stride % 16 != 0) fail("the strides of a tensor map are multiples of 16 bytes");
        if (box[i] < 1 || box[i] > 256 || extent[i] < 1) fail("the tile of a tensor map has 1 to 256 elements in each dimension");
        stride *= extent[i];
    }
    if (box[0] * element > 128) fail("a row of a tile is as wide as the swizzle at most");
    return map;
}

struct BarrierState {
    bool initialised = false, fenced = false;
    unsigned owner = 0;
    int arrivals = 0, missing = 0;
    long long bytes = 0;
    unsigned phase = 0;
};

struct Product {
    unsigned long long a = 0, b = 0;
    bool from_registers = false, n_major = false, accumulate = false, done = false;
    int columns = 0, kind = 0;
    unsigned arrived = 0;
    void* d[128];
    const unsigned* fragment[128];
};

struct Hopper {
    std::vector<BarrierState> barriers;
    std::vector<unsigned short> unfenced;  // per 16 bytes: who stored, plus one
    std::vector<std::vector<std::unique_ptr<Product>>> products;  // of each warpgroup
    std::vector<std::vector<unsigned long>> group_ends;           // of each thread: how many products at each commit
};

inline void check_end();

inline Hopper& hopper(Block& of = *block) {
    if (!of.hopper) {
        of.hopper = std::make_shared<Hopper>();
        unsigned bytes = unsigned(of.shared - of.shared_window) + of.shared_bytes;
        of.hopper->barriers.resize(bytes / 8);
        of.hopper->unfenced.resize((bytes + 15) / 16);
        of.hopper->products.resize((of.threads.size() + 127) / 128);
        of.hopper->group_ends.resize(of.threads.size());
        of.at_end = check_end;
    }
    return *of.hopper;
}

inline void check_end() {
    for (auto& list : hopper().products)
        for (auto& product : list)
            if (!product->done) fail("a block ends while a product of a warpgroup is under way");
    for (auto& barrier : hopper().barriers)
        if (barrier.initialised && (barrier.bytes != 0 || barrier.missing != barrier.arrivals)) fail("a block ends in the midst of a phase of a barrier");
}

/// The block of this number in the cluster; every access to the shared memory of another comes by here.
inline Block& block_of_cluster(unsigned rank) {
    if (rank >= cluster->blocks.size()) fail("the cluster has no such block");
    Block& found = cluster->blocks[rank];
    if (found.live == 0) fail("a block of the cluster is reached that has ended");
    return found;
}

/// The barrier at `address` of the shared memory of `of`.
inline BarrierState& state_at(Block& of, unsigned address) {
    if (address % 8 != 0 || address / 8 >= hopper(of).barriers.size()) fail("a barrier lies outside shared memory");
    return hopper(of).barriers[address / 8];
}
inline BarrierState& ready(Block& of, unsigned address) {
    BarrierState& state = state_at(of, address);
    if (!state.initialised) fail("a barrier is used that was not initialised");
    return state;
}
inline void end_phase_if_complete(BarrierState& state) {
    if (state.missing == 0 && state.bytes == 0) {
        state.phase++;
        state.missing = state.arrivals;
        progress++;
    }
}
inline void arrive(BarrierState& state, int bytes) {
    if (state.missing == 0) fail("more threads arrive at a barrier than it was initialised for");
    state.bytes += bytes;
    state.missing--;
    end_phase_if_complete(state);
}

/// Where byte `address` of a tile with 128-byte swizzle really lies.
inline unsigned swizzle_128(unsigned address) { return address ^ (address >> 7 & 7) << 4; }

/// Copies a tile to the same place of the blocks in `mask`, and tells the barrier at the same place of each.
inline void load_tile(void* to, const TensorMap& map, Barrier* barrier, unsigned mask, long long x, long long y, long long z) {
    unsigned at = shared_address(to), told = shared_address(barrier);
    long long bytes = (long long)map.box[0] * map.box[1] * map.box[2] * map.element;
    if (at % 1024 != 0) fail("a swizzled tile does not begin at a multiple of 1024 bytes");
    if (static_cast<unsigned char*>(to) < block->shared || at + bytes > shared_address(block->shared) + block->shared_bytes)
        fail("a tensor copy leaves shared memory");
    if (mask == 0) fail("a tensor copy that goes nowhere");
    for (unsigned rank = 0; mask >> rank != 0; rank++) {
        if ((mask >> rank & 1) == 0) continue;
        if (!ready(block_of_cluster(rank), told).fenced) fail("TMA gets a barrier that was not fenced after its initialisation");
        auto finish = [=] {
            Block& target = block_of_cluster(rank);
            unsigned address = at;
            for (int k = 0; moves_data && k < map.box[2]; k++)
                for (int j = 0; j < map.box[1]; j++)
                    for (int i = 0; i < map.box[0]; i++, address += map.element) {
                        unsigned char* place = target.shared_window + swizzle_128(address);
                        bool inside = x + i >= 0 && x + i < map.extent[0] && y + j >= 0 && y + j < map.extent[1] && z + k >= 0 && z + k < map.extent[2];
                        if (inside) memcpy(place, map.base + (x + i) * map.stride[0] + (y + j) * map.stride[1] + (z + k) * map.stride[2], map.element);
                        else memset(place, 0, map.element);
                    }
            BarrierState& state = state_at(target, told);
            state.bytes -= bytes;
            end_phase_if_complete(state);
        };
        if (block->eager) {
            finish();
        } else {
            if (moves_data) memset(block_of_cluster(rank).shared_window + at, 0xFF, bytes);
            block->pending.push_back({finish});
        }
    }
}

// ---- wgmma ------------------------------------------------------------------------------------------------------------

enum Kind { f16, bf16, tf32, i8, e4m3 };

inline float decode(int kind, const unsigned char* from) {
    unsigned bits = 0;
    memcpy(&bits, from, kind == tf32 ? 4 : kind == i8 || kind == e4m3 ? 1 : 2);
    switch (kind) {
        case f16: return as_f16(bits);
        case bf16: return as_bf16(bits);
        case tf32: return as_tf32(bits);
        case i8: return as_i8(bits);
        default: return as_e4m3(bits);
    }
}
/// An offset of a descriptor, in bytes.
inline unsigned field(unsigned long long descriptor, int bit) { return unsigned(descriptor >> bit & 0x3FFF) << 4; }

/// Prints the products of a warpgroup from number `first` on, in the words of tests/data/hopper/wgmma.txt.
inline void print_group(const std::vector<std::unique_ptr<Product>>& list, size_t first) {
    static std::set<std::string> printed;
    static const char* const names[] = {"f16", "bf16", "tf32", "i8", "e4m3"};
    if (first >= list.size()) return;
    const Product& begin = *list[first];
    std::string a, b;
    for (size_t i = first; i < list.size(); i++) {
        a += " " + std::to_string(field(list[i]->a, 0) - field(begin.a, 0));
        b += " " + std::to_string(field(list[i]->b, 0) - field(begin.b, 0));
    }
    std::string text = std::string("group ") + names[begin.kind] + " 64x" + std::to_string(begin.columns);
    text += begin.from_registers ? ", a in registers" : ", a along K " + std::to_string(field(begin.a, 32)) + ":" + a;
    text += std::string(", b along ") + (begin.n_major ? "N " : "K ") + std::to_string(field(begin.b, 32));
    if (begin.n_major && begin.columns > 64) text += " " + std::to_string(field(begin.b, 16));
    if (printed.insert(text + ":" + b).second) printf("%s:%s\n", text.c_str(), b.c_str());
}

inline int size_of(int kind) { return kind == tf32 ? 4 : kind == i8 || kind == e4m3 ? 1 : 2; }

/// The address of an element of an operand: `major` along M or N, byte `k_byte` (K-major) or number `k` along K.
inline const unsigned char* element(unsigned long long descriptor, bool mn_major, int major, int k, int size) {
    if (descriptor >> 62 != 1) fail("a descriptor without 128-byte swizzle");
    unsigned start = field(descriptor, 0), leading = field(descriptor, 16), stride = field(descriptor, 32);
    unsigned address = mn_major ? start + major / 64 * leading + major % 64 * 2 + k / 8 * stride + k % 8 * 128
                                : start + major / 8 * stride + major % 8 * 128 + k * size;
    address = swizzle_128(address);
    const unsigned char* at = block->shared_window + address;
    if (at < block->shared || at + size > block->shared + block->shared_bytes) fail("a descriptor leaves shared memory");
    if (hopper().unfenced[address / 16]) fail("wgmma reads what ordinary stores wrote, with no fence_async() between");
    return at;
}

template <typename Sum>
inline void multiply(Product& product) {
    int kind = product.kind, size = size_of(kind), depth = 32 / size, columns = product.columns;
    static float left[64][32], right[32][256];
    for (int row = 0; row < 64; row++)
        for (int k = 0; k < depth; k++) {
            if (product.from_registers) {
                int lane = row / 16 * 32 + row % 8 * 4 + k % (depth / 2) * size / 4;
                const unsigned* fragment = product.fragment[lane] + row % 16 / 8 + 2 * (k / (depth / 2));
                left[row][k] = decode(kind, reinterpret_cast<const unsigned char*>(fragment) + k * size % 4);
            } else {
                left[row][k] = decode(kind, element(product.a, false, row, k, size));
            }
        }
    for (int column = 0; column < columns; column++)
        for (int k = 0; k < depth; k++) right[k][column] = decode(kind, element(product.b, product.n_major, column, k, size));
    for (int row = 0; row < 64; row++) {
        float sum[256] = {};
        for (int k = 0; k < depth; k++)
            for (int column = 0; column < columns; column++) sum[column] += left[row][k] * right[k][column];
        for (int column = 0; column < columns; column++) {
            int lane = row / 16 * 32 + row % 8 * 4 + column % 8 / 2;
            Sum& d = static_cast<Sum*>(product.d[lane])[column / 8 * 4 + row % 16 / 8 * 2 + column % 2];
            d = (product.accumulate ? d : Sum(0)) + Sum(sum[column]);
        }
    }
}

inline void finish_products(std::vector<std::unique_ptr<Product>>& list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (list[i]->done) continue;
        list[i]->done = true;
        if (!moves_data) continue;
        if (list[i]->kind == i8) multiply<int>(*list[i]);
        else multiply<float>(*list[i]);
    }
}

template <typename Sum>
inline void issue(int kind, Sum* d, int columns, const unsigned* fragment, unsigned long long a, unsigned long long b, bool n_major, bool accumulate) {
    if (!current->matrix_fenced) fail("wgmma without warpgroup_fence() since registers may have been touched");
    auto& list = hopper().products[current->number / 128];
    unsigned long number = current->matrix_issued++;
    if (list.size() == number) {
        list.push_back(std::make_unique<Product>());
        Product& first = *list.back();
        first.a = a, first.b = b, first.from_registers = fragment != nullptr, first.n_major = n_major, first.accumulate = accumulate;
        first.columns = columns, first.kind = kind;
    }
    Product& product = *list[number];
    if (product.a != a || product.b != b || product.columns != columns || product.kind != kind || product.accumulate != accumulate ||
        product.n_major != n_major)
        fail("the threads of a warpgroup meet at different products");
    product.d[current->number % 128] = d;
    product.fragment[current->number % 128] = fragment;
    if (++product.arrived == 128 && block->eager) finish_products(list, number + 1);
    progress++;
}

inline void wait_products(unsigned pending) {
    auto& ends = hopper().group_ends[current->number];
    current->matrix_fenced = false;
    if (ends.size() <= pending) return;
    unsigned long count = ends[ends.size() - 1 - pending];
    if (count == 0) return;
    auto& list = hopper().products[current->number / 128];
    wait_until([&] { return list[count - 1]->arrived == 128; });
    finish_products(list, count);
}

}  // namespace cuda_shim

inline void barrier_init(Barrier* barrier, int arrivals) {
    cuda_shim::BarrierState state;
    state.initialised = true;
    state.owner = cuda_shim::current->number;
    state.arrivals = state.missing = arrivals;
    cuda_shim::state_at(*cuda_shim::block, shared_address(barrier)) = state;
}
inline void barrier_fence_init() {
    for (auto& state : cuda_shim::hopper().barriers)
        if (state.initialised && state.owner == cuda_shim::current->number) state.fenced = true;
}
inline void barrier_arrive(Barrier* barrier) { cuda_shim::arrive(cuda_shim::ready(*cuda_shim::block, shared_address(barrier)), 0); }
inline void barrier_expect(Barrier* barrier, int bytes) { cuda_shim::arrive(cuda_shim::ready(*cuda_shim::block, shared_address(barrier)), bytes); }
inline void barrier_wait(Barrier* barrier, unsigned parity) {
    if (parity > 1) cuda_shim::fail("a parity is 0 or 1");
    cuda_shim::BarrierState& state = cuda_shim::ready(*cuda_shim::block, shared_address(barrier));
    cuda_shim::wait_until([&] { return state.phase % 2 != parity; });
}
inline void named_barrier_sync(int id, int threads) {
    if (threads % 32 != 0) cuda_shim::fail("a named barrier counts whole warps");
    cuda_shim::named_barrier(id, threads, true);
}
inline void named_barrier_arrive(int id, int threads) { cuda_shim::named_barrier(id, threads, false); }

inline unsigned cluster_rank() { return cuda_shim::block->rank; }
inline void cluster_sync() { cuda_shim::cluster_barrier(); }
inline void cluster_arrive(Barrier* barrier, unsigned rank) {
    cuda_shim::arrive(cuda_shim::ready(cuda_shim::block_of_cluster(rank), shared_address(barrier)), 0);
}

inline void tensor_prefetch(const TensorMap&) {}
inline void tensor_load(void* to, const TensorMap& map, Barrier* barrier, int x, int y) {
    if (map.rank != 2) cuda_shim::fail("a tensor map of another rank");
    cuda_shim::load_tile(to, map, barrier, 1u << cuda_shim::block->rank, x, y, 0);
}
inline void tensor_load(void* to, const TensorMap& map, Barrier* barrier, int x, int y, int z) {
    if (map.rank != 3) cuda_shim::fail("a tensor map of another rank");
    cuda_shim::load_tile(to, map, barrier, 1u << cuda_shim::block->rank, x, y, z);
}
inline void cluster_load(void* to, const TensorMap& map, Barrier* barrier, unsigned mask, int x, int y) {
    if (map.rank != 2) cuda_shim::fail("a tensor map of another rank");
    cuda_shim::load_tile(to, map, barrier, mask, x, y, 0);
}
inline void store_shared(void* to, const uint4& value) {
    memcpy(to, &value, 16);
    cuda_shim::hopper().unfenced[shared_address(to) / 16] = static_cast<unsigned short>(cuda_shim::current->number + 1);
}
inline void fence_async() {
    for (auto& owner : cuda_shim::hopper().unfenced)
        if (owner == cuda_shim::current->number + 1) owner = 0;
}
template <int Registers>
inline void registers_decrease() {
    static_assert(Registers % 8 == 0 && Registers >= 24 && Registers <= 256);
}
template <int Registers>
inline void registers_increase() {
    static_assert(Registers % 8 == 0 && Registers >= 24 && Registers <= 256);
}

inline void warpgroup_fence() {
    cuda_shim::hopper();
    cuda_shim::current->matrix_fenced = true;
}
inline void warpgroup_commit() {
    auto& thread = *cuda_shim::current;
    auto& ends = cuda_shim::hopper().group_ends[thread.number];
    auto& list = cuda_shim::hopper().products[thread.number / 128];
    if (list.size() == thread.matrix_issued) cuda_shim::print_group(list, ends.empty() ? 0 : ends.back());
    ends.push_back(thread.matrix_issued);
}
template <int Pending>
inline void warpgroup_wait() {
    cuda_shim::wait_products(Pending);
}
inline void finished(float value) {
    if (value < 0.0f) cuda_shim::fail("a value is negative that never is");
}
template <typename T, int Count>
inline void warpgroup_registers(T (&)[Count]) {}

#define SHARED(NAME, KIND)                                                                                                \
    template <int Count>                                                                                                  \
    inline void NAME(float(&d)[Count], unsigned long long a, unsigned long long b, bool accumulate) {                     \
        cuda_shim::issue(cuda_shim::KIND, d, Count * 2, nullptr, a, b, false, accumulate);                                \
    }
#define REGISTERS(NAME, KIND, SUM, N_MAJOR)                                                                               \
    template <int Count>                                                                                                  \
    inline void NAME(SUM(&d)[Count], const unsigned(&a)[4], unsigned long long b, bool accumulate) {                      \
        cuda_shim::issue(cuda_shim::KIND, d, Count * 2, a, 0, b, N_MAJOR, accumulate);                                    \
    }
SHARED(wgmma_f16, f16)
SHARED(wgmma_bf16, bf16)
REGISTERS(wgmma_f16_n_major, f16, float, true)
REGISTERS(wgmma_bf16_n_major, bf16, float, true)
REGISTERS(wgmma_peak_f16, f16, float, false)
REGISTERS(wgmma_peak_bf16, bf16, float, false)
REGISTERS(wgmma_peak_tf32, tf32, float, false)
REGISTERS(wgmma_peak_i8, i8, int, false)
REGISTERS(wgmma_peak_e4m3, e4m3, float, false)
#undef SHARED
#undef REGISTERS
