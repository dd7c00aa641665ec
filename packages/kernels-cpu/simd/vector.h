// Vectors of one register, in GCC's and Clang's portable extension. ADJOINT_VECTOR_BYTES is the width of a register.

// GCC has Clang's shuffle from version 12 on; before, its own, which takes the places as a vector.
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 12
#define __builtin_shufflevector(a, b, ...) __builtin_shuffle((a), (b), (decltype((a) < (b))){__VA_ARGS__})
#endif

namespace ADJOINT_NAMESPACE {

#define INLINE static inline __attribute__((always_inline))

#ifdef __clang__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

enum { BYTES = ADJOINT_VECTOR_BYTES };

template <class T> struct Lanes;
template <> struct Lanes<float> {
  enum { N = BYTES / 4 };
  typedef float V __attribute__((vector_size(BYTES)));
  typedef float Unaligned __attribute__((vector_size(BYTES), aligned(4), may_alias));
  typedef int I __attribute__((vector_size(BYTES)));
  static int intOf();
  typedef float V4 __attribute__((vector_size(16)));
  typedef float Unaligned4 __attribute__((vector_size(16), aligned(4), may_alias));
};
template <> struct Lanes<double> {
  enum { N = BYTES / 8 };
  typedef double V __attribute__((vector_size(BYTES)));
  typedef double Unaligned __attribute__((vector_size(BYTES), aligned(8), may_alias));
  typedef long long I __attribute__((vector_size(BYTES)));
  static long long intOf();
  typedef double V4 __attribute__((vector_size(32)));
  typedef double Unaligned4 __attribute__((vector_size(32), aligned(8), may_alias));
};
template <> struct Lanes<int> {
  enum { N = BYTES / 4 };
  typedef int V __attribute__((vector_size(BYTES)));
  typedef int Unaligned __attribute__((vector_size(BYTES), aligned(4), may_alias));
  typedef int I __attribute__((vector_size(BYTES)));
};
template <> struct Lanes<unsigned char> {
  enum { N = BYTES };
  typedef unsigned char V __attribute__((vector_size(BYTES)));
  typedef unsigned char Unaligned __attribute__((vector_size(BYTES), aligned(1), may_alias));
  typedef signed char I __attribute__((vector_size(BYTES)));
};

template <class T> using Vec = typename Lanes<T>::V;
template <class T> using Bits = typename Lanes<T>::I;

template <class T> INLINE Vec<T> load(const T* p) {
  return *reinterpret_cast<const typename Lanes<T>::Unaligned*>(p);
}
template <class T> INLINE void store(T* p, Vec<T> v) { *reinterpret_cast<typename Lanes<T>::Unaligned*>(p) = v; }
template <class T> INLINE Vec<T> splat(T x) { return x - Vec<T>{}; }

/** Whether a bit of any lane is set. */
template <class M> INLINE bool anyLane(M mask) {
  unsigned long long parts[BYTES / 8], all = 0;
  __builtin_memcpy(parts, &mask, sizeof parts);
  for (unsigned long long part : parts) all |= part;
  return all != 0;
}

/** The last, incomplete register of an operand; lanes past the end hold its first element, which is as good as any. */
template <class T> INLINE Vec<T> loadPart(const T* from, Index n) {
  T lanes[Lanes<T>::N] __attribute__((aligned(64)));
  for (Index i = 0; i < Lanes<T>::N; i++) lanes[i] = from[i < n ? i : 0];
  return load(lanes);
}

/** An integer as wide as a T, and registers of them. */
template <class T> using LaneInt = decltype(Lanes<T>::intOf());
template <class T> INLINE Bits<T> loadInts(const LaneInt<T>* p) {
  Bits<T> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class T> INLINE void storeInts(LaneInt<T>* p, Bits<T> v) { __builtin_memcpy(p, &v, sizeof v); }

/** As many float32 as there are float64 in a register. */
typedef float HalfFloats __attribute__((vector_size(BYTES / 2)));
#if defined(__AVX512F__) && !defined(__clang__) && ADJOINT_VECTOR_BYTES == 64
// Before version 14, GCC converts eight in two halves, and puts them together: four times the work.
INLINE Vec<double> widened(HalfFloats v) { return __builtin_ia32_cvtps2pd512_mask(v, Vec<double>{}, -1, 4); }
INLINE HalfFloats narrowed(Vec<double> v) { return __builtin_ia32_cvtpd2ps512_mask(v, HalfFloats{}, -1, 4); }
#else
INLINE Vec<double> widened(HalfFloats v) { return __builtin_convertvector(v, Vec<double>); }
/** Rounded once. */
INLINE HalfFloats narrowed(Vec<double> v) { return __builtin_convertvector(v, HalfFloats); }
#endif
/** Both halves of a register. */
INLINE void widenBoth(Vec<float> v, Vec<double>& low, Vec<double>& high) {
  HalfFloats halves[2];
  __builtin_memcpy(halves, &v, sizeof v);
  low = widened(halves[0]);
  high = widened(halves[1]);
}

// a · b + c: contracted to one rounding where the instruction set has it (-ffp-contract=fast), else rounded twice.
#ifdef __wasm_relaxed_simd__
INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return (Vec<float>)__builtin_wasm_relaxed_madd_f32x4(a, b, c); }
INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return (Vec<double>)__builtin_wasm_relaxed_madd_f64x2(a, b, c); }
#else
template <class V> INLINE V fma(V a, V b, V c) { return a * b + c; }
#endif

// Opaque to the compiler: it fuses no product into a sum and forms nothing again that it has formed.
#ifdef __aarch64__
#define OPAQUE(value) asm("" : "+w"(value))
#else
#define OPAQUE(value) asm("" : "+v"(value))
#endif

/** The product, rounded: where a sum of it is to have the same bits on every tier. */
INLINE Vec<double> roundedProduct(Vec<double> a, Vec<double> b) {
  Vec<double> product = a * b;
#if defined(__FMA__) || defined(__aarch64__)
  OPAQUE(product);
#endif
  return product;
}

INLINE Index larger(Index a, Index b) { return a > b ? a : b; }
INLINE Index smaller(Index a, Index b) { return a < b ? a : b; }
INLINE Index ceilDivide(Index a, Index b) { return (a + b - 1) / b; }
/** Where share `t` of `n` things begins, among `shares` of about equal size: an Index of 32 bits would overflow on the way. */
INLINE Index shareOf(Index n, Index t, Index shares) { return Index(static_cast<long long>(n) * t / shares); }
INLINE Index roundUp(Index a, Index b) { return ceilDivide(a, b) * b; }

#ifndef __clang__
// Vectors wider than a register are passed to inlined functions only: how they would be passed otherwise does not matter.
#pragma GCC diagnostic ignored "-Wpsabi"
#endif
/** Four elements, for what is shorter than a register of more. */
template <class T> INLINE typename Lanes<T>::V4 load4(const T* p) {
  return *reinterpret_cast<const typename Lanes<T>::Unaligned4*>(p);
}
template <class T> INLINE void store4(T* p, typename Lanes<T>::V4 v) {
  *reinterpret_cast<typename Lanes<T>::Unaligned4*>(p) = v;
}

// Of the rows that are copied many are shorter than two registers: what is left over is done with the last whole register,
// some of it again, and not one by one.
template <class T> INLINE void zero(T* p, Index n) {
  constexpr Index N = Lanes<T>::N;
  Index i = 0;
  if (n >= N) {
    for (; i + N <= n; i += N) store(p + i, Vec<T>{});
    store(p + n - N, Vec<T>{});
    return;
  }
  if (N > 4 && n >= 4) {
    for (; i + 4 <= n; i += 4) store4(p + i, typename Lanes<T>::V4{});
    store4(p + n - 4, typename Lanes<T>::V4{});
    return;
  }
  for (; i < n; i++) p[i] = 0;
}
/** The two do not overlap. */
template <class T> INLINE void copyRun(T* to, const T* from, Index n) {
  constexpr Index N = Lanes<T>::N, HALF = N / 2;
  Index i = 0;
  if (n >= N) {
    for (; i + N <= n; i += N) store(to + i, load(from + i));
    if (i < n) store(to + n - N, load(from + n - N));
    return;
  }
  if (HALF > 4 && n >= HALF) {
    __builtin_memcpy(to, from, HALF * sizeof(T));
    __builtin_memcpy(to + n - HALF, from + n - HALF, HALF * sizeof(T));
    return;
  }
  if (N > 4 && n >= 4) {
    for (; i + 4 <= n; i += 4) store4(to + i, load4(from + i));
    if (i < n) store4(to + n - 4, load4(from + n - 4));
    return;
  }
  for (; i < n; i++) to[i] = from[i];
}

/** Zeros before `low` and from `high` on, up to `n`; what lies between is written after this. */
template <class T> INLINE void zeroEnds(T* p, Index low, Index high, Index n) {
  constexpr Index N = Lanes<T>::N;
  const Index most = larger(low, n - high);
  if (most == 0) return;
  if (N > 4 && most <= 4 && n >= 4) {
    store4(p, typename Lanes<T>::V4{});
    store4(p + n - 4, typename Lanes<T>::V4{});
  } else if (most <= N && n >= N) {
    store(p, Vec<T>{});
    store(p + n - N, Vec<T>{});
  } else {
    zero(p, low);
    zero(p + high, n - high);
  }
}

/** Folds N elements in halves, so that the order is the same for every caller. Written as a loop over elements it goes through memory. */
template <class T, int N> struct Halves {
  typedef T V __attribute__((vector_size(N * sizeof(T))));
  template <class F> static inline __attribute__((always_inline)) T fold(V v, const F& f) {
    typename Halves<T, N / 2>::V half[2];
    __builtin_memcpy(half, &v, sizeof v);
    return Halves<T, N / 2>::fold(f(half[0], half[1]), f);
  }
};
template <class T> struct Halves<T, 4> {
  typedef T V __attribute__((vector_size(4 * sizeof(T))));
  template <class F> static inline __attribute__((always_inline)) T fold(V v, const F& f) { return f(f(v[0], v[2]), f(v[1], v[3])); }
};
template <class T> struct Halves<T, 2> {
  typedef T V __attribute__((vector_size(2 * sizeof(T))));
  template <class F> static inline __attribute__((always_inline)) T fold(V v, const F& f) { return f(v[0], v[1]); }
};
/** `f` takes two registers of any width, or two elements. */
template <class T, class F> INLINE T horizontally(Vec<T> v, const F& f) { return Halves<T, Lanes<T>::N>::fold(v, f); }
template <class T> INLINE T horizontalSum(Vec<T> v) {
  return horizontally<T>(v, [](auto a, auto b) __attribute__((always_inline)) { return a + b; });
}

}  // namespace ADJOINT_NAMESPACE
