// A fork-join pool whose threads spin for a while before they sleep: kernels follow each other closely in a training step, and to be woken
// takes longer than many a kernel. Between looks they let others run: the garbage collector has threads, too.

#include "pool.h"
#include "arena.h"
#include "jobs.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <dlfcn.h>
#include <mutex>
#include <thread>

namespace {

inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/** About a microsecond, and some milliseconds of those. */
constexpr int PAUSES = 20, ROUNDS = 2000;

/** Waits until `over()`, or for some milliseconds; returns which. */
template <class F> bool spin(const F& over) {
  for (int round = 0; round < ROUNDS; round++) {
    for (int pause = 0; pause < PAUSES; pause++) {
      if (over()) return true;
      relax();
    }
    std::this_thread::yield();
  }
  return over();
}

typedef long long Nanoseconds;
inline Nanoseconds now() { return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/** Processor time of the calling thread: what others took from it in between does not count. Costs a system call. */
inline Nanoseconds spentByThread() {
  timespec t;
  return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0 ? Nanoseconds(t.tv_sec) * 1000000000 + t.tv_nsec : now();
}

/** One job in so many is judged: whether it was worth its threads. */
constexpr unsigned JUDGED = 8;
/** How much of what judged jobs have lost or gained counts at the next one. */
constexpr double REMEMBERED = 15.0 / 16;
/** What was lost, in nanoseconds, that says something about the machine. */
constexpr double NOTICED = 20000;
/** For how many times what was lost there are fewer threads then. */
constexpr int LEAST_CAUTION = 4, MOST_CAUTION = 64;

/**
 * Keeps this library in memory until the process ends. Threads of the pool run its code until then, and Node closes an addon
 * with the last worker that used it.
 */
void stayLoaded() {
  Dl_info self;
  // Opened once more, and never closed. Where this is part of a program, there is nothing to open.
  if (dladdr(reinterpret_cast<void*>(&stayLoaded), &self)) dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD);
}

class Pool {
 public:
  Pool() { stayLoaded(); }

  std::mutex owner;

  int resize(int count) {
    std::lock_guard<std::mutex> hold(owner);
    threads_ = count < 1 ? 1 : count > MOST_THREADS ? MOST_THREADS : count;
    most_ = MOST_THREADS;
    lost_ = 0;
    try {
      for (; started_ < threads_ - 1; started_++) {
        const int thread = started_ + 1;
        std::thread([this, thread] { serve(thread); }).detach();
      }
    } catch (...) {
      // The system gives no more threads, or no memory for them: go on with those there are.
      threads_ = started_ + 1;
    }
    return threads_;
  }

  int threads() const { return threads_; }

  /**
   * Runs a job on `threads` threads, or on fewer where they have cost more than they gave: where other processes or a quota take
   * their processors away in the middle of a task, the caller would wait for milliseconds, job after job. If that happens now and then,
   * the jobs between make up for it. Who runs a task does not show in the bits.
   */
  void run(int threads, Index n, Task task, void* context) {
    const bool judged = ++calls_ % JUDGED == 0;
    const Nanoseconds begun = judged || most_ < threads ? now() : 0;
    if (most_ < threads && begun >= fewerUntil_) {
      most_ = MOST_THREADS;
      lost_ = 0;
    }
    if (most_ < threads) threads = most_;
    if (threads == 1) {
      for (Index i = 0; i < n; i++) task(context, i, 0);
      return;
    }
    const unsigned job = jobs_.open(threads, n, task, context);
    if (sleepers_.load() > 0) {
      std::lock_guard<std::mutex> hold(sleep_);
      wake_.notify_all();
    }
    const Nanoseconds before = judged ? spentByThread() : 0;
    const Index own = jobs_.lead(job);
    const Nanoseconds spent = judged ? spentByThread() - before : 0;
    while (!spin([&] { return jobs_.isFinished(n); })) continue;
    if (judged) judge(threads, begun, double(spent) * double(n) / double(own));
    jobs_.close(job);
  }

 private:
  /** Of a job on `threads` threads, from `begun` until now, for which the caller alone would have spent `alone`. */
  void judge(int threads, Nanoseconds begun, double alone) {
    const Nanoseconds ended = now();
    const double lost = double(ended - begun) - alone;
    lost_ = lost_ * REMEMBERED + lost;
    if (lost < NOTICED && most_ == MOST_THREADS) caution_ = LEAST_CAUTION;
    if (lost_ < NOTICED) return;
    most_ = (threads + 1) / 2;
    fewerUntil_ = ended + Nanoseconds(lost_ * JUDGED * caution_);
    lost_ = 0;
    if (caution_ < MOST_CAUTION) caution_ *= 2;
  }

  void serve(int thread) {
    unsigned seen = 0;
    for (;;) {
      const auto isNew = [&] { return jobs_.latest() != seen; };
      if (!spin(isNew)) {
        std::unique_lock<std::mutex> hold(sleep_);
        sleepers_.fetch_add(1);
        wake_.wait(hold, isNew);
        sleepers_.fetch_sub(1);
      }
      seen = jobs_.latest();
      jobs_.work(seen, thread);
    }
  }

  int threads_ = 1;
  int started_ = 0;
  unsigned calls_ = 0;
  // What judged jobs have lost of late, less what others have gained; and what came of that: no more threads than `most_`, until then.
  double lost_ = 0;
  int most_ = MOST_THREADS;
  Nanoseconds fewerUntil_ = 0;
  int caution_ = LEAST_CAUTION;
  Jobs jobs_;
  std::atomic<int> sleepers_{0};
  std::mutex sleep_;
  std::condition_variable wake_;
};

/** Never destroyed: its threads run until the process ends. */
Pool& pool() {
  static Pool& instance = *new Pool;
  return instance;
}

/** The scratch memory of the calling thread. */
thread_local Arena arena;

}  // namespace

int setThreads(int count) { return pool().resize(count); }

Call::Call() : run{1, nullptr, &arena}, ownsPool_(pool().owner.try_lock()) {
  if (!ownsPool_) return;
  run.threads = pool().threads();
  run.pool = &pool();
}

Call::~Call() {
  if (ownsPool_) pool().owner.unlock();
  arena.reset();
}

void runTasks(Run& run, Index n, Task task, void* context) {
  if (run.threads <= 1 || n <= 1 || !run.pool) {
    for (Index i = 0; i < n; i++) task(context, i, 0);
    return;
  }
  static_cast<Pool*>(run.pool)->run(run.threads, n, task, context);
}

void* takeBytes(Run& run, unsigned long long bytes) { return run.arena ? static_cast<Arena*>(run.arena)->take(bytes) : nullptr; }
