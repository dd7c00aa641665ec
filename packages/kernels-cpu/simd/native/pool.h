// The native runtime: one pool of threads for the process, one arena of scratch memory per calling thread.
#pragma once
#include <cstddef>

#include "runtime.h"

/** How many threads share the work of a kernel from now on (at least 1, at most MOST_THREADS); returns how many that is. */
int setThreads(int count);

enum { MOST_THREADS = 64 };

/**
 * Has the C library keep up to 256 MB of memory that was freed, rather than hand it back to the system: a step of training frees and
 * allocates the same arrays over and over, and the first touch of a page that comes from the system costs several times what it takes to
 * fill it. (PyTorch is sped up by other allocators for the same reason.)
 */
void keepFreedMemory();

/**
 * Says that a large array is about to be written from end to end. Where its memory is new, the system then hands it out in large
 * pages: a fresh array costs more in page faults than it takes to compute what it holds.
 */
void expectToFill(void* data, size_t bytes);

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
