// What the kernels need of whoever runs them: threads and scratch memory. No standard header is included here or in any
// file compiled per instruction set, so no inline function of the library can end up compiled for the wrong one.
#pragma once

typedef __PTRDIFF_TYPE__ Index;

/** What a kernel returns. Nothing here throws: memory that cannot be had is reported upwards. */
enum Status { DONE = 0, OUT_OF_MEMORY = 1, NOT_HERE = 2 };

/** Runs on one thread of `Run::threads`, numbered from 0. */
typedef void (*Task)(void* context, Index index, int thread);

/** The threads and the scratch memory of one kernel call. Scratch is recycled from call to call and never handed out. */
struct Run {
  int threads;
  void* pool;
  void* arena;
};

/** Runs tasks 0 … n − 1, each once, on any thread and in any order; returns when all are done. */
void runTasks(Run& run, Index n, Task task, void* context);

/** 64-byte aligned scratch memory with unspecified contents until the call ends, or null. */
void* takeBytes(Run& run, unsigned long long bytes);

template <class F> inline void parallel(Run& run, Index n, const F& body) {
  runTasks(run, n, [](void* context, Index index, int thread) { (*static_cast<const F*>(context))(index, thread); },
           const_cast<void*>(static_cast<const void*>(&body)));
}

template <class T> inline T* take(Run& run, Index count) {
  return static_cast<T*>(takeBytes(run, static_cast<unsigned long long>(count) * sizeof(T)));
}
