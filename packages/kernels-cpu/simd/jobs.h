// A job of a fork-join, its tasks claimed by tickets: what the pools of native/ and wasm/ have in common. They differ in how their
// threads wait for a job, and in how the caller waits for its end.
//
// Each thread begins with a share of its own, and takes from those of others when that is done: the next kernel on the same array then
// finds it where it was left, in the caches of the same processors.
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
   * `begin`.
   */
  unsigned open(int threads, Index n, Task task, void* context) {
    put(task_, task);
    put(context_, context);
    put(count_, n);
    put(threads_, threads);
    put(finished_, Index(0));
    const int most = threads < MOST_SHARES ? threads : MOST_SHARES, shares = n < most ? int(n) : most;
    put(shares_, shares);
    if (++job_ == 0) ++job_;
    for (int s = shares - 1; s >= 0; s--)
      __atomic_store_n(&shared_[s].ticket, Ticket(job_) << 32 | Ticket(s == 0 ? 1 : firstOf(s, n, shares)), __ATOMIC_SEQ_CST);
    return job_;
  }

  /** The latest job; 0 before the first. */
  unsigned latest() const { return unsigned(__atomic_load_n(&shared_[0].ticket, __ATOMIC_SEQ_CST) >> 32); }

  /** Task 0, by who opened the job. */
  void begin() {
    get(task_)(get(context_), 0, 0);
    finishOne();
  }

  /** The part of who opened the job: task 0, then what the others leave. Returns how many tasks that were. */
  Index lead(unsigned job) {
    begin();
    return 1 + work(job, 0);
  }

  /**
   * Takes tasks of one job until there are none. A ticket names the job and the next task of a share. The job's fields are read after the
   * ticket and before it is exchanged: if the exchange succeeds, the job was open in between, and they were its own. Returns how many
   * tasks it took.
   */
  Index work(unsigned job, int thread) {
    Index done = 0;
    const int shares = get(shares_);
    for (int turn = 0; turn < shares; turn++) {
      const int share = (thread + turn) % shares;
      Ticket& place = shared_[share].ticket;
      for (;;) {
        Ticket ticket = __atomic_load_n(&place, __ATOMIC_ACQUIRE);
        if (unsigned(ticket >> 32) != job || unsigned(ticket) == CLOSED) return done;
        const Task task = get(task_);
        void* const context = get(context_);
        if (thread >= get(threads_)) return done;
        if (Index(unsigned(ticket)) >= firstOf(share + 1, get(count_), get(shares_))) break;
        if (!__atomic_compare_exchange_n(&place, &ticket, ticket + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) continue;
        task(context, Index(unsigned(ticket)), thread);
        finishOne();
        done++;
      }
    }
    return done;
  }

  /** Whether all tasks are taken; for who opened the job, and has begun it. */
  bool isTaken() const {
    const int shares = get(shares_);
    const Index n = get(count_);
    for (int s = 0; s < shares; s++)
      if (Index(unsigned(__atomic_load_n(&shared_[s].ticket, __ATOMIC_RELAXED))) < firstOf(s + 1, n, shares)) return false;
    return true;
  }

  /** Counts a task that was taken as done. */
  void finishOne() { __atomic_fetch_add(&finished_, 1, __ATOMIC_RELEASE); }

  bool isFinished(Index n) const { return __atomic_load_n(&finished_, __ATOMIC_ACQUIRE) >= n; }

  /** Before the next job's fields are written: a thread that comes late then takes nothing, whatever it reads of them. */
  void close(unsigned job) {
    const int shares = get(shares_);
    for (int s = 0; s < shares; s++) __atomic_exchange_n(&shared_[s].ticket, Ticket(job) << 32 | CLOSED, __ATOMIC_SEQ_CST);
  }

 private:
  typedef unsigned long long Ticket;
  /** In the place of a task's number: the job is over. */
  static constexpr unsigned CLOSED = 0xFFFFFFFF;
  /** Of more threads some begin with the same share. */
  static constexpr int MOST_SHARES = 16;

  struct alignas(64) Share {
    Ticket ticket = 0;
  };

  /** The first task of a share, in the order of tasks. */
  static Index firstOf(int share, Index n, int shares) { return Index(static_cast<long long>(n) * share / shares); }

  template <class T> static void put(T& field, T value) { __atomic_store_n(&field, value, __ATOMIC_RELAXED); }
  template <class T> static T get(const T& field) { return __atomic_load_n(&field, __ATOMIC_RELAXED); }

  unsigned job_ = 0;
  Share shared_[MOST_SHARES];
  alignas(64) Index finished_ = 0;
  alignas(64) Task task_ = nullptr;
  void* context_ = nullptr;
  Index count_ = 0;
  int threads_ = 0;
  int shares_ = 1;
};
