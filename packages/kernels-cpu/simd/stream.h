// Operands and results too large for the caches. Results are written past them: a store into fresh memory would first read what it
// overwrites, and push out what others are about to read. Operands are asked for ahead.

namespace ADJOINT_NAMESPACE {

#if defined(__SSE2__)
enum { STREAMS = 1 };
#ifdef __clang__
INLINE void streamVector(float* p, Vec<float> v) { __builtin_nontemporal_store(v, reinterpret_cast<Vec<float>*>(p)); }
#elif ADJOINT_VECTOR_BYTES == 64
INLINE void streamVector(float* p, Vec<float> v) { __builtin_ia32_movntps512(p, v); }
#elif ADJOINT_VECTOR_BYTES == 32
INLINE void streamVector(float* p, Vec<float> v) { __builtin_ia32_movntps256(p, v); }
#else
INLINE void streamVector(float* p, Vec<float> v) { __builtin_ia32_movntps(p, v); }
#endif
template <class T> INLINE void streamVector(T* p, Vec<T> v) { streamVector(reinterpret_cast<float*>(p), (Vec<float>)v); }
#else
enum { STREAMS = 0 };
template <class T> INLINE void streamVector(T* p, Vec<T> v) { store(p, v); }
#endif

/** Where a result goes: into the caches, or past them. For the latter registers lie at multiples of their own size. */
enum Writing { CACHED, STREAMED };
template <class T> INLINE void writeVector(T* p, Vec<T> v, Writing writing) {
  if (STREAMS && writing == STREAMED) streamVector(p, v);
  else store(p, v);
}
/** How many elements from `p` on come before the first place where a register may be streamed to. */
template <class T> INLINE Index elementsToAligned(const T* p) {
  constexpr Index W = Lanes<T>::N;
  const Index past = Index(reinterpret_cast<__UINTPTR_TYPE__>(p) / sizeof(T) % W);
  return past == 0 ? 0 : W - past;
}

/** Results of fewer bytes stay in a cache of the second level, where the next op finds them; a buffer lies in the first. */
enum { STREAM_BYTES = 1 << 21, STREAM_BUFFER = 1 << 10 };

/** Copies from a buffer past the caches. Before another thread reads it: `settleStreams`. */
template <class T> static void streamRun(T* to, const T* from, Index n) {
  constexpr Index W = Lanes<T>::N;
  const Index head = smaller(n, elementsToAligned(to));
  Index i = 0;
  for (; i < head; i++) to[i] = from[i];
  for (; i + W <= n; i += W) streamVector(to + i, load(from + i));
  for (; i < n; i++) to[i] = from[i];
}

/**
 * Asks for N elements that will be read soon: they need not be there, for nothing is read. By itself a processor looks ahead within a page; and
 * while a row is gone through once more, or written, nothing would come from memory.
 */
template <class T, int N = Lanes<T>::N> INLINE void fetch(const T* p) {
  UNROLL for (int i = 0; i < N; i += 64 / int(sizeof(T))) __builtin_prefetch(p + i, 0, 2);
}
/** How many elements a page holds: as far ahead as is worth it where elements follow each other. */
template <class T> constexpr Index PAGE = 4096 / sizeof(T);

/** What was streamed is in memory before what this thread stores next. */
INLINE void settleStreams() {
  if (STREAMS) __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

}  // namespace ADJOINT_NAMESPACE
