// A program for ThreadSanitizer: callers like JavaScript threads, each with jobs of its own, on the one pool, while its size
// changes. Checks that every task runs exactly once, on a thread of the job, and that scratch memory is the caller's alone.
// Compiled by scripts/sanitize.mjs; no part of the addon.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <thread>
#include <vector>

#include "pool.h"

namespace {

void require(bool holds, const char* law) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", law);
  std::exit(1);
}

/** Plain memory, so that a task that runs twice, late or in another's job is a race that the sanitizer sees. */
void job(Index tasks, uint64_t seed) {
  Call call;
  Index* const runs = take<Index>(call.run, tasks);
  Index* const sums = take<Index>(call.run, call.run.threads);
  require(runs && sums, "there is scratch memory");
  for (Index i = 0; i < tasks; i++) runs[i] = 0;
  for (int t = 0; t < call.run.threads; t++) sums[t] = 0;
  const int threads = call.run.threads;
  parallel(call.run, tasks, [&](Index i, int thread) {
    require(thread >= 0 && thread < threads, "a task runs on a thread of its job");
    volatile uint64_t work = seed;
    for (uint64_t step = 0; step < (seed + uint64_t(i)) % 200; step++) work = work * 31 + step;
    runs[i]++;
    sums[thread] += i;
  });
  Index sum = 0;
  for (Index i = 0; i < tasks; i++) require(runs[i] == 1, "every task runs once");
  for (int t = 0; t < threads; t++) sum += sums[t];
  require(sum == tasks * (tasks - 1) / 2, "the tasks are those of the job");
}

/** Some kernels fork several times within a call, and take scratch in between. */
void nestedCalls(uint64_t seed) {
  Call call;
  for (int round = 0; round < 4; round++) {
    const Index tasks = Index(seed % 7) + 1 + round;
    std::atomic<Index>* const count = take<std::atomic<Index>>(call.run, 1);
    require(count, "there is scratch memory");
    new (count) std::atomic<Index>(0);
    parallel(call.run, tasks, [&](Index, int) { count->fetch_add(1); });
    require(count->load() == tasks, "a job ends after its last task");
  }
}

/** Jobs of two sizes in quick succession: a thread that is late for a small one must not take of the large one after it. */
void burst() {
  for (int i = 0; i < 200; i++) {
    Call call;
    const Index tasks = i % 2 ? 64 : 2;
    Index* const runs = take<Index>(call.run, tasks);
    require(runs, "there is scratch memory");
    for (Index t = 0; t < tasks; t++) runs[t] = 0;
    parallel(call.run, tasks, [&](Index t, int) { runs[t]++; });
    for (Index t = 0; t < tasks; t++) require(runs[t] == 1, "every task runs once");
  }
}

}  // namespace

int main() {
  constexpr int CALLERS = 3, JOBS = 15000;
  setThreads(4);
  std::vector<std::thread> callers;
  for (int c = 0; c < CALLERS; c++)
    callers.emplace_back([c] {
      uint64_t state = uint64_t(c) * 7919 + 1;
      for (int i = 0; i < JOBS; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const uint64_t draw = state >> 33;
        if (i % 97 == 0) setThreads(int(draw % 6) + 1);
        else if (i % 5 == 0) nestedCalls(draw);
        else if (i % 31 == 0) burst();
        else job(Index(draw % 50) + 1, draw);
        // A pause now and then, so that the threads fall asleep and are woken.
        if (i % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
    });
  for (std::thread& caller : callers) caller.join();
  // More scratch memory than there can be is a null pointer, not an end.
  Call call;
  require(takeBytes(call.run, ~0ULL - 4096) == nullptr, "memory that cannot be had is null");
  require(takeBytes(call.run, 64) != nullptr, "and what can be had still is");
  std::printf("%d jobs of %d callers: every task ran once.\n", CALLERS * JOBS, CALLERS);
  return 0;
}
