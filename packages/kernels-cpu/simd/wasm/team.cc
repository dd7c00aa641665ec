// A fork-join whose threads spin for a while before they sleep. The caller does what nobody else has taken, so that workers
// which are slow to start, or never do, cost time alone.

#include "team.h"
#include "jobs.h"

#define EXPORT(name) extern "C" __attribute__((export_name(#name)))

/** Copies a part of what the next pieces of a call need, or the last ones gave (src/tiers/wasm-pieces.ts); 0 if nothing is left of it. */
extern "C" __attribute__((import_module("env"), import_name("copySome"))) int copySome();

namespace {

Jobs jobs;

/**
 * Looks before a thread sleeps; there is no instruction here that eases the wait. A worker looks for some hundreds of microseconds, in which the
 * caller copies what the next call reads: to wake up takes tens of them. The caller looks for tens, as it waits for tasks that have begun.
 */
enum { WORKER_SPINS = 200000, CALLER_SPINS = 20000 };

/** The latest job, for those who sleep until it changes. */
int posted = 0;
int sleepers = 0;
/** Whether the calling thread may sleep: the main thread of a browser may not. */
bool mayWait = false;
/** Whether a thread has failed within a task. */
int failures = 0;
/** Never changes: to wait for it is to give the processor to others for a while. */
int never = 0;

}  // namespace

void runOnTeam(int threads, Index n, Task task, void* context) {
  const unsigned job = jobs.open(threads, n, task, context);
  __atomic_store_n(&posted, int(job), __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&sleepers, __ATOMIC_SEQ_CST) > 0) __builtin_wasm_memory_atomic_notify(&posted, 0xFFFFFFFFu);
  jobs.begin();
  // Nobody else can: operands and results are arrays of the calling thread alone. So it copies as long as others have tasks.
  while (!jobs.isTaken() && copySome()) {
  }
  jobs.work(job, 0);
  for (int spins = 0; !jobs.isFinished(n); spins++)
    if (mayWait && spins >= CALLER_SPINS) __builtin_wasm_memory_atomic_wait32(&never, 0, 20000);
  jobs.close(job);
  // The results are not whole: the caller gets an exception, and gives up this memory.
  if (__atomic_load_n(&failures, __ATOMIC_ACQUIRE) != 0) __builtin_trap();
}

EXPORT(allowWaiting) void allowWaiting() { mayWait = true; }

/** The life of thread `thread`, from 1. It ends with its worker. */
EXPORT(serve) void serve(int thread) {
  unsigned seen = 0;
  for (;;) {
    for (int spins = 0; jobs.latest() == seen; spins++) {
      if (spins < WORKER_SPINS) continue;
      __atomic_fetch_add(&sleepers, 1, __ATOMIC_SEQ_CST);
      __builtin_wasm_memory_atomic_wait32(&posted, int(seen), -1);
      __atomic_fetch_sub(&sleepers, 1, __ATOMIC_SEQ_CST);
      spins = 0;
    }
    seen = jobs.latest();
    jobs.work(seen, thread);
  }
}

/** For a thread whose task has trapped: nobody may wait for it. */
EXPORT(resign) void resign() {
  __atomic_store_n(&failures, 1, __ATOMIC_RELEASE);
  jobs.finishOne();
}
