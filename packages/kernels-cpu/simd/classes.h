// Cross entropy between softmax of logits and class numbers, and its gradient. A unit is a sample: n logits (one per class) of `inner`
// neighbouring places. A class below 0 stands for none: no loss, no gradient.

namespace ADJOINT_NAMESPACE {

/** Numbers: classes, places, how much of each target is spread over all classes. */
struct ClassShape {
  Index n, inner;
  double smoothing;
};
INLINE ClassShape classShapeOf(const Units& u) { return {Index(u.numbers[0]), Index(u.numbers[1]), u.numbers[2]}; }

/** How far the elements of a row are below the largest one, summed up. */
template <class T> static double depthOfRow(const T* x, T largest, Index n) {
  const Vec<T> most = splat(largest);
  DoubleSum<T> sum;
  sumOf<T>(n, sum, [&](Index i, const auto& some) __attribute__((always_inline)) { return some.keep(most - some.get(x + i)); });
  return sum.total();
}

/** From the largest logit on, so that nothing is lost far from 0; how far all are below it counts for smoothing alone. */
INLINE double lossOf(const ClassShape& s, double logTotal, double own, double all) {
  const double loss = logTotal + own;
  return s.smoothing == 0 ? loss : (1 - s.smoothing) * loss + s.smoothing * (logTotal + all / double(s.n));
}

template <class T>
static void crossEntropyLines(const ClassShape& s, const T* x, const int* target, T* loss, double* logs, Index width) {
  T most[LINE_COLUMNS];
  LineTotals totals, depths;
  largestOfLines<T>(x, most, s.n, s.inner, width);
  exponentialsOfLines<T, false>(x, most, nullptr, totals, s.n, s.inner, width);
  if (s.smoothing != 0)
    for (Index row = 0; row < s.n; row++)
      eachVector<T>(width, [&](Index j, const auto& some) __attribute__((always_inline)) {
        LineTotals::addTo(depths.value + j, some.keep(some.get(most + j) - some.get(x + row * s.inner + j)));
      });
  for (Index j = 0; j < width; j++) {
    const double logTotal = logOne(totals.value[j]);
    logs[j] = logTotal + double(most[j]);
    loss[j] = target[j] < 0 ? T(0) : T(lossOf(s, logTotal, double(most[j]) - double(x[target[j] * s.inner + j]), depths.value[j]));
  }
}

/** Calls `row(sample)`, or `lines(first place of all, width, sample)` for some places of a sample. */
template <class Row, class Lines> static void eachSample(Run& run, const Units& u, const ClassShape& s, const Row& row, const Lines& lines) {
  if (s.inner == 1) {
    eachUnit(run, u.count, s.n, row);
    return;
  }
  const Index columns = columnsOfLines(s.n), blocks = ceilDivide(s.inner, columns);
  eachUnit(run, u.count * blocks, s.n * smaller(s.inner, columns), [&](Index task) {
    const Index first = task % blocks * columns, sample = task / blocks;
    lines(sample, first, smaller(columns, s.inner - first));
  });
}

/** Arrays: logits, target classes, losses; log Σ e^logit (doubles). */
template <class T> static Status crossEntropy(Run& run, const Units& u) {
  const ClassShape s = classShapeOf(u);
  const T* const x = u.array<const T>(0);
  const int* const target = u.array<const int>(1);
  T* const loss = u.array<T>(2);
  double* const logs = u.array<double>(3);
  if (s.inner == 1 && s.n <= SHORT_ROW)
    return eachShortRows(run, u.count, s.n, [&](Index first, Index count) {
      ShortRows<T> logits;
      logits.read(x + first * s.n, s.n, count);
      crossEntropyLines<T>({s.n, SHORT_ROWS, s.smoothing}, logits.lines, target + first, loss + first, logs + first, count);
    });
  eachSample(
      run, u, s,
      [&](Index sample) {
        const T* const from = x + sample * s.n;
        const T largest = largestOfRow<T>(from, s.n);
        const double logTotal = logOne(exponentialsOfRow<T, false>(from, largest, nullptr, s.n));
        const double depth = s.smoothing == 0 ? 0 : depthOfRow<T>(from, largest, s.n);
        logs[sample] = logTotal + double(largest);
        loss[sample] = target[sample] < 0 ? T(0) : T(lossOf(s, logTotal, double(largest) - double(from[target[sample]]), depth));
      },
      [&](Index sample, Index first, Index width) {
        const Index at = sample * s.inner + first;
        crossEntropyLines<T>(s, x + sample * s.n * s.inner + first, target + at, loss + at, logs + at, width);
      });
  return DONE;
}

/** A double in two parts, so that a difference from it is as good as if it were taken in double precision. */
template <class T> struct TwoParts {
  T high, low;
  explicit TwoParts(double x) : high(T(x)), low(T(x - double(high))) {}
};

template <class T>
static void crossEntropyGradRow(const ClassShape& s, double cotangent, const T* x, int target, double logs, T* out) {
  if (target < 0) {
    zero(out, s.n);
    return;
  }
  const TwoParts<T> log(logs);
  const Vec<T> high = splat(log.high), low = splat(log.low), g = splat(T(cotangent)), spread = splat(T(s.smoothing / double(s.n)));
  eachVector<T>(s.n, [&](Index i, const auto& some) __attribute__((always_inline)) {
    some.put(out + i, g * (expOfDrop<T>(some.get(x + i) - high - low) - spread));
  });
  out[target] -= T(cotangent * (1 - s.smoothing));
}

template <class T>
static void crossEntropyGradLines(const ClassShape& s, const T* cotangent, const T* x, const int* target, const double* logs, T* out, Index width) {
  T high[LINE_COLUMNS], low[LINE_COLUMNS];
  for (Index j = 0; j < width; j++) {
    const TwoParts<T> log(logs[j]);
    high[j] = log.high;
    low[j] = log.low;
  }
  const Vec<T> spread = splat(T(s.smoothing / double(s.n)));
  for (Index row = 0; row < s.n; row++)
    eachVector<T>(width, [&](Index j, const auto& some) __attribute__((always_inline)) {
      const Index at = row * s.inner + j;
      some.put(out + at, some.get(cotangent + j) * (expOfDrop<T>(some.get(x + at) - some.get(high + j) - some.get(low + j)) - spread));
    });
  for (Index j = 0; j < width; j++) {
    if (target[j] >= 0) out[target[j] * s.inner + j] -= T(double(cotangent[j]) * (1 - s.smoothing));
    else
      for (Index row = 0; row < s.n; row++) out[row * s.inner + j] = 0;
  }
}

/** Cotangent · (softmax − target distribution). Arrays: cotangents of the losses, logits, target classes, log Σ e^logit, out. */
template <class T> static Status crossEntropyGrad(Run& run, const Units& u) {
  const ClassShape s = classShapeOf(u);
  const T *const g = u.array<const T>(0), *const x = u.array<const T>(1);
  const int* const target = u.array<const int>(2);
  const double* const logs = u.array<const double>(3);
  T* const out = u.array<T>(4);
  if (s.inner == 1 && s.n <= SHORT_ROW)
    return eachShortRows(run, u.count, s.n, [&](Index first, Index count) {
      ShortRows<T> logits, to;
      logits.read(x + first * s.n, s.n, count);
      crossEntropyGradLines<T>({s.n, SHORT_ROWS, s.smoothing}, g + first, logits.lines, target + first, logs + first, to.lines, count);
      to.write(out + first * s.n, s.n, count);
    });
  eachSample(
      run, u, s,
      [&](Index sample) { crossEntropyGradRow<T>(s, double(g[sample]), x + sample * s.n, target[sample], logs[sample], out + sample * s.n); },
      [&](Index sample, Index first, Index width) {
        const Index at = sample * s.inner + first, all = sample * s.n * s.inner + first;
        crossEntropyGradLines<T>(s, g + at, x + all, target + at, logs + at, out + all, width);
      });
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
