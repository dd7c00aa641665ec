// The multiply-add peak: how long the multiply-adds of a matrix product take when they wait for nothing but each other, in registers.
// No library can be faster; what a library's time is above this one's, it spends on memory and on itself. It speaks the protocol of
// serve.ts, for products alone.

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#if defined(__AVX512F__)
constexpr std::size_t width = 64;
constexpr const char *instructions = "AVX-512";
#elif defined(__FMA__)
constexpr std::size_t width = 32;
constexpr const char *instructions = "AVX2";
#else
constexpr std::size_t width = 16;
constexpr const char *instructions = "128-bit vectors";
#endif

using Vector = float __attribute__((vector_size(width)));
constexpr long long lanes = width / sizeof(float);

// Two units with a latency of four or five need eight to ten chains.
constexpr long long chains = 12;

static volatile float factor = 0.5F;
static volatile float sink;

static void multiply_add(long long count) {
  const Vector a = Vector{} + factor;
  Vector sums[chains];
  for (long long c = 0; c < chains; c++) sums[c] = Vector{} + static_cast<float>(c);
  for (long long done = 0; done < count; done += chains * lanes) {
#pragma GCC unroll 12
    for (long long c = 0; c < chains; c++) sums[c] = sums[c] * a + a;
  }
  Vector total{};
  for (long long c = 0; c < chains; c++) total += sums[c];
  sink = total[0];
}

static long long number(const std::string &line, const char *key) {
  const auto at = line.find(std::string("\"") + key + "\":");
  return at == std::string::npos ? 0 : std::atoll(line.c_str() + at + std::strlen(key) + 3);
}

int main(int, char **argv) {
  const long long threads = std::atoll(argv[1]);
  // The binary and its folder were made for this run.
  std::remove(argv[0]);
  const std::string path = argv[0];
  std::remove(path.substr(0, path.find_last_of('/')).c_str());
  long long count = 0;
  for (std::string line; std::getline(std::cin, line);) {
    const auto asked = [&](const char *what) { return line.find(std::string("\"do\":\"") + what) != std::string::npos; };
    if (asked("describe")) {
      std::printf("@{\"description\":\"multiply-adds of float32 in registers, %s\"}\n", instructions);
    } else if (asked("prepare")) {
      const bool product = line.find("\"kind\":\"matmul\"") != std::string::npos;
      count = number(line, "m") * number(line, "k") * number(line, "n");
      std::printf(product ? "@{\"bound\":true}\n" : "@{\"unsupported\":true}\n");
    } else if (asked("time")) {
      const long long each = number(line, "runs") * count / threads;
      const auto start = std::chrono::steady_clock::now();
      std::vector<std::thread> workers;
      for (long long t = 1; t < threads; t++) workers.emplace_back(multiply_add, each);
      multiply_add(each);
      for (std::thread &worker : workers) worker.join();
      const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
      std::printf("@{\"milliseconds\":%.6f}\n", time.count());
    } else {
      std::printf("@{}\n");
    }
    std::fflush(stdout);
  }
}
