// The native runtime: one pool of threads for the process, one arena of scratch memory per calling thread.
#pragma once
#include "runtime.h"

/** How many threads share the work of a kernel from now on (at least 1, at most MOST_THREADS); returns how many that is. */
int setThreads(int count);

enum { MOST_THREADS = 64 };

/**
 * The threads and the scratch memory of one kernel call. Where another JavaScript thread (a worker) holds the pool, the call
 * runs on its own thread alone: the result is the same to the bit.
 */
class Call {
 public:
  Call();
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  Run run;

 private:
  bool ownsPool_;
};
