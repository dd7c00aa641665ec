// A job of a fork-join, its tasks claimed by tickets: what the pools of native/ and wasm/ have in common. They differ in how their
// threads wait for a job, and in how the caller waits for its end.
#pragma once
#include "runtime.h"

/**
 * One job at a time. Whoever opens one can do all of its tasks alone: threads that are late, asleep or not there at all delay
 * nothing. Written with the compiler's own atomics, because WebAssembly is compiled without a library.
 */
class Jobs {
 public:
  /**
   * Opens a job of tasks 0 … n − 1 for threads 0 … threads − 1; returns its number, which is not 0. Task 0 is the caller's: see
   * `lead`.
   */
  unsigned open(int threads, Index n, Task task, void* context) {
    put(task_, task);
    put(context_, context);
    put(count_, n);
    put(threads_, threads);
    put(finished_, Index(0));
    if (++job_ == 0) ++job_;
    __atomic_store_n(&ticket_, Ticket(job_) << 32 | 1, __ATOMIC_SEQ_CST);
    return job_;
  }

  /** The latest job; 0 before the first. */
  unsigned latest() const { return unsigned(__atomic_load_n(&ticket_, __ATOMIC_SEQ_CST) >> 32); }

  /** The part of who opened the job: task 0, then what the others leave. Returns how many tasks that were. */
  Index lead(unsigned job) {
    get(task_)(get(context_), 0, 0);
    finishOne();
    return 1 + work(job, 0);
  }

  /**
   * Takes tasks of one job until there are none. A ticket names the job and its next task. The job's fields are read after the
   * ticket and before it is exchanged: if the exchange succeeds, the job was open in between, and they were its own. Returns how many
   * tasks it took.
   */
  Index work(unsigned job, int thread) {
    for (Index done = 0;;) {
      Ticket ticket = __atomic_load_n(&ticket_, __ATOMIC_ACQUIRE);
      if (unsigned(ticket >> 32) != job || unsigned(ticket) == CLOSED) return done;
      const Task task = get(task_);
      void* const context = get(context_);
      if (thread >= get(threads_) || Index(unsigned(ticket)) >= get(count_)) return done;
      if (!__atomic_compare_exchange_n(&ticket_, &ticket, ticket + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) continue;
      task(context, Index(unsigned(ticket)), thread);
      finishOne();
      done++;
    }
  }

  /** Counts a task that was taken as done. */
  void finishOne() { __atomic_fetch_add(&finished_, 1, __ATOMIC_RELEASE); }

  bool isFinished(Index n) const { return __atomic_load_n(&finished_, __ATOMIC_ACQUIRE) >= n; }

  /** Before the next job's fields are written: a thread that comes late then takes nothing, whatever it reads of them. */
  void close(unsigned job) { __atomic_exchange_n(&ticket_, Ticket(job) << 32 | CLOSED, __ATOMIC_SEQ_CST); }

 private:
  typedef unsigned long long Ticket;
  /** In the place of a task's number: the job is over. */
  static constexpr unsigned CLOSED = 0xFFFFFFFF;

  template <class T> static void put(T& field, T value) { __atomic_store_n(&field, value, __ATOMIC_RELAXED); }
  template <class T> static T get(const T& field) { return __atomic_load_n(&field, __ATOMIC_RELAXED); }

  unsigned job_ = 0;
  alignas(64) Ticket ticket_ = 0;
  alignas(64) Index finished_ = 0;
  alignas(64) Task task_ = nullptr;
  void* context_ = nullptr;
  Index count_ = 0;
  int threads_ = 0;
};
