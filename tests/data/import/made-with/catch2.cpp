#define CATCH_CONFIG_MAIN
#define CATCH_CONFIG_ENABLE_BENCHMARKING
#include <catch2/catch.hpp>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

TEST_CASE("Vectors") {
    std::vector<int> from(1000, 1);
    BENCHMARK("copy 1000") { return from; };
    BENCHMARK("a benchmark whose name is so long that the console reporter has to break it into two lines") {
        return std::vector<int>(10, 2);
    };
    SECTION("inner") {
        BENCHMARK("reserve") { std::vector<int> v; v.reserve(100); return v; };
    }
}

TEST_CASE("Sleeping") {
    BENCHMARK("1 ms") { std::this_thread::sleep_for(std::chrono::milliseconds(1)); };
    BENCHMARK("throws") { throw std::runtime_error("no device"); return 1; };
}

TEST_CASE("Templates", "[no benchmark]") { CHECK(1 + 1 == 2); }
