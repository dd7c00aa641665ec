// Softmax and its logarithm along an axis, and their gradients. A unit is n lines of `inner` neighbours; along a row inner is 1.

namespace ADJOINT_NAMESPACE {

enum { LINE_COLUMNS = 512 };

/** The largest element; NaN if there is one. */
template <class T> INLINE T largestOf(const T* x, Index n) {
  double most = ExtremeOp<true>::initial();
  ExtremeOp<true>::addRow<T>(most, x, n);
  return T(most);
}

template <class T> INLINE T logOne(double x) { return T(logOf<double>(splat(x))[0]); }

template <class T> static void softmaxRow(bool logarithm, const T* x, T* y, Index n) {
  const T largest = largestOf<T>(x, n);
  const Vec<T> shift = splat(largest);
  DoubleSum<T> sum;
  eachVector<T>(n, [&](Index i, const auto& some) __attribute__((always_inline)) {
    const Vec<T> e = some.keep(expOf<T>(some.get(x + i) - shift));
    if (!logarithm) some.put(y + i, e);
    sum.add(e);
  });
  const double total = sum.total();
  if (logarithm) {
    const Vec<T> log = splat(logOne<T>(total));
    eachVector<T>(n, [&](Index i, const auto& some) __attribute__((always_inline)) { some.put(y + i, some.get(x + i) - shift - log); });
  } else {
    const Vec<T> scale = splat(T(1 / total));
    eachVector<T>(n, [&](Index i, const auto& some) __attribute__((always_inline)) { some.put(y + i, some.get(y + i) * scale); });
  }
}

/** y(g − Σ g y); of the logarithm g − e^y Σ g. */
template <class T> static void softmaxGradRow(bool logarithm, const T* g, const T* y, T* out, Index n) {
  DoubleSum<T> sum;
  eachVector<T>(n, [&](Index i, const auto& some) __attribute__((always_inline)) {
    sum.add(logarithm ? some.get(g + i) : some.get(g + i) * some.get(y + i));
  });
  const Vec<T> total = splat(T(sum.total()));
  eachVector<T>(n, [&](Index i, const auto& some) __attribute__((always_inline)) {
    const Vec<T> gs = some.get(g + i), ys = some.get(y + i);
    some.put(out + i, logarithm ? gs - expOf<T>(ys) * total : ys * (gs - total));
  });
}

/** Totals of up to LINE_COLUMNS lines side by side, in double precision. */
struct LineTotals {
  double value[LINE_COLUMNS] __attribute__((aligned(64)));
  void start(Index n) {
    for (Index j = 0; j < n; j++) value[j] = 0;
  }
  /** Adds elements from line j on; those of `v` past the last line are 0, and there is room for them. */
  INLINE_MEMBER void addTo(double* to, Vec<double> v) { store(to, load(to) + v); }
  INLINE_MEMBER void addTo(double* to, Vec<float> v) {
    HalfFloats halves[2];
    __builtin_memcpy(halves, &v, sizeof v);
    store(to, load(to) + __builtin_convertvector(halves[0], Doubles));
    store(to + HALF, load(to + HALF) + __builtin_convertvector(halves[1], Doubles));
  }
};

template <class T> static void softmaxLines(bool logarithm, const T* x, T* y, Index n, Index inner, Index width) {
  T most[LINE_COLUMNS], scale[LINE_COLUMNS];
  LineTotals totals;
  for (Index j = 0; j < width; j++) most[j] = T(-__builtin_inf());
  totals.start(LINE_COLUMNS);
  for (Index row = 0; row < n; row++)
    eachVector<T>(width, [&](Index j, const auto& some) __attribute__((always_inline)) {
      some.put(most + j, ExtremeOp<true>::better<T>(some.get(most + j), some.get(x + row * inner + j)));
    });
  for (Index row = 0; row < n; row++)
    eachVector<T>(width, [&](Index j, const auto& some) __attribute__((always_inline)) {
      const Vec<T> e = some.keep(expOf<T>(some.get(x + row * inner + j) - some.get(most + j)));
      if (!logarithm) some.put(y + row * inner + j, e);
      LineTotals::addTo(totals.value + j, e);
    });
  for (Index j = 0; j < width; j++) scale[j] = logarithm ? logOne<T>(totals.value[j]) : T(1 / totals.value[j]);
  for (Index row = 0; row < n; row++)
    eachVector<T>(width, [&](Index j, const auto& some) __attribute__((always_inline)) {
      T* const to = y + row * inner + j;
      some.put(to, logarithm ? some.get(x + row * inner + j) - some.get(most + j) - some.get(scale + j) : some.get(to) * some.get(scale + j));
    });
}

template <class T> static void softmaxGradLines(bool logarithm, const T* g, const T* y, T* out, Index n, Index inner, Index width) {
  T total[LINE_COLUMNS];
  LineTotals totals;
  totals.start(LINE_COLUMNS);
  for (Index row = 0; row < n; row++)
    eachVector<T>(width, [&](Index j, const auto& some) __attribute__((always_inline)) {
      const Index at = row * inner + j;
      LineTotals::addTo(totals.value + j, logarithm ? some.get(g + at) : some.get(g + at) * some.get(y + at));
    });
  for (Index j = 0; j < width; j++) total[j] = T(totals.value[j]);
  for (Index row = 0; row < n; row++)
    eachVector<T>(width, [&](Index j, const auto& some) __attribute__((always_inline)) {
      const Index at = row * inner + j;
      const Vec<T> gs = some.get(g + at), ys = some.get(y + at), ts = some.get(total + j);
      some.put(out + at, logarithm ? gs - expOf<T>(ys) * ts : ys * (gs - ts));
    });
}

/** Calls `row(position)` for every line of n contiguous elements, or `lines(position, width)` for up to LINE_COLUMNS lines side by side. */
template <class Row, class Lines> static void eachLine(Run& run, const Units& u, const Row& row, const Lines& lines) {
  const Index n = Index(u.numbers[0]), inner = Index(u.numbers[1]);
  if (inner == 1) {
    eachUnit(run, u.count, n, [&](Index unit) { row(unit * n); });
    return;
  }
  const Index blocks = ceilDivide(inner, LINE_COLUMNS);
  eachUnit(run, u.count * blocks, n * smaller(inner, LINE_COLUMNS), [&](Index task) {
    const Index first = task % blocks * LINE_COLUMNS;
    lines(task / blocks * n * inner + first, smaller(LINE_COLUMNS, inner - first));
  });
}

/** Arrays: a, out. Numbers: elements per line, neighbouring lines. */
template <class T, bool LOGARITHM> static Status softmax(Run& run, const Units& u) {
  const Index n = Index(u.numbers[0]), inner = Index(u.numbers[1]);
  const T* const x = u.array<const T>(0);
  T* const y = u.array<T>(1);
  eachLine(run, u, [&](Index at) { softmaxRow<T>(LOGARITHM, x + at, y + at, n); },
           [&](Index at, Index width) { softmaxLines<T>(LOGARITHM, x + at, y + at, n, inner, width); });
  return DONE;
}

/** Arrays: cotangent, the softmax (or its logarithm), out. Numbers: elements per line, neighbouring lines. */
template <class T, bool LOGARITHM> static Status softmaxGrad(Run& run, const Units& u) {
  const Index n = Index(u.numbers[0]), inner = Index(u.numbers[1]);
  const T *const g = u.array<const T>(0), *const y = u.array<const T>(1);
  T* const out = u.array<T>(2);
  eachLine(run, u, [&](Index at) { softmaxGradRow<T>(LOGARITHM, g + at, y + at, out + at, n); },
           [&](Index at, Index width) { softmaxGradLines<T>(LOGARITHM, g + at, y + at, out + at, n, inner, width); });
  return DONE;
}

/** log Σ e^x; around an infinity the differences would be NaN, so there it is taken from 0. */
template <class T> static T logSumExpRow(const T* x, Index n) {
  const T largest = largestOf<T>(x, n), shift = largest - largest == 0 ? largest : largest == largest ? T(0) : largest;
  const Vec<T> shifts = splat(shift);
  DoubleSum<T> sum;
  eachVector<T>(n, [&](Index i, const auto& some) __attribute__((always_inline)) { sum.add(some.keep(expOf<T>(some.get(x + i) - shifts))); });
  return T(logOne<double>(sum.total()) + double(shift));
}

template <class T> static void logSumExpLines(const T* x, T* y, Index n, Index inner, Index width) {
  T most[LINE_COLUMNS];
  LineTotals totals;
  totals.start(LINE_COLUMNS);
  for (Index j = 0; j < width; j++) most[j] = T(-__builtin_inf());
  for (Index row = 0; row < n; row++)
    eachVector<T>(width, [&](Index j, const auto& some) __attribute__((always_inline)) {
      some.put(most + j, ExtremeOp<true>::better<T>(some.get(most + j), some.get(x + row * inner + j)));
    });
  for (Index j = 0; j < width; j++)
    if (most[j] == most[j] && most[j] - most[j] != 0) most[j] = 0;
  for (Index row = 0; row < n; row++)
    eachVector<T>(width, [&](Index j, const auto& some) __attribute__((always_inline)) {
      LineTotals::addTo(totals.value + j, some.keep(expOf<T>(some.get(x + row * inner + j) - some.get(most + j))));
    });
  for (Index j = 0; j < width; j++) y[j] = T(logOne<double>(totals.value[j]) + double(most[j]));
}

/** Arrays: a, out (one element per line). Numbers: elements per line, neighbouring lines. */
template <class T> static Status logSumExp(Run& run, const Units& u) {
  const Index n = Index(u.numbers[0]), inner = Index(u.numbers[1]);
  const T* const x = u.array<const T>(0);
  T* const y = u.array<T>(1);
  eachLine(run, u, [&](Index at) { y[at / n] = logSumExpRow<T>(x + at, n); },
           [&](Index at, Index width) { logSumExpLines<T>(x + at, y + at / (n * inner) * inner + at % inner, n, inner, width); });
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
