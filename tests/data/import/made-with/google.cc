#include <benchmark/benchmark.h>
#include <cstring>
#include <string>
#include <vector>
static void BM_fill(benchmark::State& state) {
  std::vector<char> to(state.range(0));
  for (auto _ : state) { std::memset(to.data(), 1, to.size()); benchmark::ClobberMemory(); }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_fill)->Arg(64)->Arg(4096);
static void BM_count(benchmark::State& state) {
  long n = 0;
  for (auto _ : state) benchmark::DoNotOptimize(++n);
  state.SetItemsProcessed(state.iterations());
  state.counters["cache_misses"] = 3;
  state.counters["color"] = 7;
}
BENCHMARK(BM_count)->Threads(2)->UseRealTime();
static void BM_fails(benchmark::State& state) {
  state.SkipWithError("no such device");
  for (auto _ : state) {}
}
BENCHMARK(BM_fails);
BENCHMARK_MAIN();
