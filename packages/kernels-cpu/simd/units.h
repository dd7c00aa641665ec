// What kernels that work unit by unit (rows, planes, flat pieces) are written with: how units are shared among threads, and
// loops over registers with what is left over at the end.

namespace ADJOINT_NAMESPACE {

/** Calls `body(unit)` for each unit, in tasks of about equal work that are the same on any number of threads. */
template <class F> static void eachUnit(Run& run, Index count, Index workPerUnit, const F& body) {
  const Index grain = larger(1, MAP_TASK / larger(1, workPerUnit));
  parallel(run, ceilDivide(count, grain), [&](Index part, int) {
    for (Index unit = part * grain; unit < smaller(count, (part + 1) * grain); unit++) body(unit);
    settleStreams();
  });
}

/** Whether a unit of so many elements is shared among threads: on any number of them it is cut alike. */
INLINE bool isLong(Index n) { return n >= 4 * MAP_TASK; }

/** How far from the elements of a row, once it is in the caches, those lie that come next; long ones are gone through from end to end. */
template <class T> INLINE Index nextOf(Index length) { return isLong(length) ? PAGE<T> : larger(length, PAGE<T>); }

/** Calls `body(unit, from, to)` for units of `length` elements, of which long ones are cut into pieces of MAP_TASK. */
template <class F> static void eachPiece(Run& run, Index count, Index length, const F& body) {
  if (!isLong(length)) {
    eachUnit(run, count, length, [&](Index unit) { body(unit, Index(0), length); });
    return;
  }
  const Index pieces = ceilDivide(length, MAP_TASK);
  parallel(run, count * pieces, [&](Index task, int) {
    const Index from = task % pieces * MAP_TASK;
    body(task / pieces, from, smaller(length, from + MAP_TASK));
    settleStreams();
  });
}

/** A register's worth of elements. */
template <class T> struct Whole {
  INLINE_MEMBER Vec<T> get(const T* p) { return load(p); }
  INLINE_MEMBER void put(T* p, Vec<T> v) { store(p, v); }
  INLINE_MEMBER Vec<T> keep(Vec<T> v) { return v; }
};

// A few elements to and from the lanes of a register. Not inlined: every loop over registers has such an end.
template <class T> __attribute__((noinline)) static void getPart(const T* p, Index n, T* lanes) {
  for (Index i = 0; i < Lanes<T>::N; i++) lanes[i] = i < n ? p[i] : T(0);
}
template <class T> __attribute__((noinline)) static void putPart(T* p, Index n, const T* lanes) {
  for (Index i = 0; i < n; i++) p[i] = lanes[i];
}

/** The first `n` elements of one: those past the end are read as 0 and not written. */
template <class T> struct Part {
  Index n;
  inline __attribute__((always_inline)) Vec<T> get(const T* p) const {
    T lanes[Lanes<T>::N] __attribute__((aligned(64)));
    getPart<T>(p, n, lanes);
    return load(lanes);
  }
  inline __attribute__((always_inline)) void put(T* p, Vec<T> v) const {
    T lanes[Lanes<T>::N] __attribute__((aligned(64)));
    store(lanes, v);
    putPart<T>(p, n, lanes);
  }
  /** 0 in the place of what is past the end. */
  inline __attribute__((always_inline)) Vec<T> keep(Vec<T> v) const {
    T lanes[Lanes<T>::N] __attribute__((aligned(64)));
    store(lanes, v);
    return get(lanes);
  }
};

// Bodies are long already.
#ifdef __clang__
#define ROLLED _Pragma("clang loop unroll(disable)")
#else
#define ROLLED
#endif

/** Calls `body(i, some)` for the elements from i on, a register at a time; `some` reads and writes as many as there are. */
template <class T, class F> INLINE void eachVector(Index n, const F& body) {
  Index i = 0;
  ROLLED for (; i + Lanes<T>::N <= n; i += Lanes<T>::N) body(i, Whole<T>{});
  if (i < n) body(i, Part<T>{n - i});
}

/** Whether results of `count` runs of `length` elements are written past the caches. */
template <class T> INLINE bool isStreamed(Index count, Index length) {
  return STREAMS && length >= MAP_BUFFER && count * length >= Index(STREAM_BYTES / sizeof(T));
}

/** y[i] = value(i, some) for n elements, a register at a time; what a streamed run does not fill of its first and last goes in lane by lane. */
template <class T, class F> INLINE void writeRun(bool streams, T* y, Index n, const F& value) {
  constexpr Index W = Lanes<T>::N;
  if (!STREAMS || !streams || n < 2 * W) {
    eachVector<T>(n, [&](Index i, const auto& some) __attribute__((always_inline)) { some.put(y + i, value(i, some)); });
    return;
  }
  const Index head = elementsToAligned(y);
  Index i = head;
  ROLLED for (; i + W <= n; i += W) streamVector(y + i, value(i, Whole<T>{}));
  const Index ends[2][2] = {{0, head}, {i, n}};
  for (const auto& [from, to] : ends) {
    if (from == to) continue;
    T lanes[W] __attribute__((aligned(64)));
    const Index start = smaller(from, n - W);
    store(lanes, value(start, Whole<T>{}));
    for (Index k = from; k < to; k++) y[k] = lanes[k - start];
  }
}

INLINE bool isFinite(double x) { return x - x == 0; }

/** A sum of registers in double precision, added up at the end in one order. */
template <class T> struct DoubleSum;
template <> struct DoubleSum<double> {
  Doubles value = {};
  inline __attribute__((always_inline)) void add(Vec<double> v) { value += v; }
  double total() const { return horizontalSum<double>(value); }
  /** Whether numbers that were added up in T before are all here: of those of double precision the reference does no better. */
  bool holds() const { return true; }
};
template <> struct DoubleSum<float> {
  Doubles low = {}, high = {};
  inline __attribute__((always_inline)) void add(Vec<float> v) {
    Doubles first, second;
    widenBoth(v, first, second);
    low += first;
    high += second;
  }
  double total() const { return horizontalSum<double>(low + high); }
  bool holds() const { return isFinite(total()); }
};

/**
 * Adds the registers that `term(i, some)` gives to `sum`. Four at a time are added up before they go to double precision, which costs more
 * than most terms; of float32 that is two roundings of numbers of one size. Where that overflows, all go there one by one.
 */
template <class T, class F> INLINE void sumOf(Index n, DoubleSum<T>& sum, const F& term) {
  constexpr Index N = Lanes<T>::N;
  const DoubleSum<T> before = sum;
  Index i = 0;
  for (; i + 4 * N <= n; i += 4 * N) {
    Vec<T> some[4];
    UNROLL for (int v = 0; v < 4; v++) some[v] = term(i + v * N, Whole<T>{});
    sum.add((some[0] + some[1]) + (some[2] + some[3]));
  }
  if (i > 0 && !sum.holds()) {
    sum = before;
    i = 0;
  }
  for (; i + N <= n; i += N) sum.add(term(i, Whole<T>{}));
  if (i < n) sum.add(term(i, Part<T>{n - i}));
}

/** As `sumOf`, of two sums; `terms(i, some, a, b)` gives both. */
template <class T, class F> INLINE void sumsOf(Index n, DoubleSum<T>& first, DoubleSum<T>& second, const F& terms) {
  constexpr Index N = Lanes<T>::N;
  const DoubleSum<T> firstBefore = first, secondBefore = second;
  Index i = 0;
  for (; i + 4 * N <= n; i += 4 * N) {
    Vec<T> a[4], b[4];
    UNROLL for (int v = 0; v < 4; v++) terms(i + v * N, Whole<T>{}, a[v], b[v]);
    first.add((a[0] + a[1]) + (a[2] + a[3]));
    second.add((b[0] + b[1]) + (b[2] + b[3]));
  }
  if (i > 0 && !(first.holds() && second.holds())) {
    first = firstBefore;
    second = secondBefore;
    i = 0;
  }
  eachVector<T>(n - i, [&](Index j, const auto& some) __attribute__((always_inline)) {
    Vec<T> a, b;
    terms(i + j, some, a, b);
    first.add(a);
    second.add(b);
  });
}

}  // namespace ADJOINT_NAMESPACE
