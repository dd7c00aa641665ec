// Softmax and its logarithm along an axis, the logarithm of a sum of exponentials, and gradients. A unit is n lines of `inner`
// neighbours; along a row inner is 1. A row that is longer than a task is shared among threads, in pieces that depend on its length alone.

namespace ADJOINT_NAMESPACE {

/** The largest element; one of them if some are NaN. */
template <class T> static T largestOfRow(const T* x, Index n) {
  constexpr Index N = Lanes<T>::N;
  T most = T(-__builtin_inf());
  Index i = 0;
  if (n >= N) {
    Vec<T> best[4];
    UNROLL for (int v = 0; v < 4; v++) best[v] = load(x);
    for (; i + 4 * N <= n; i += 4 * N)
      UNROLL for (int v = 0; v < 4; v++) best[v] = largerOrFirst<T>(best[v], load(x + i + v * N));
    for (; i + N <= n; i += N) best[0] = largerOrFirst<T>(best[0], load(x + i));
    best[0] = largerOrFirst<T>(largerOrFirst<T>(best[0], load(x + n - N)), best[1]);
    const Vec<T> last = largerOrFirst<T>(best[0], largerOrFirst<T>(best[2], best[3]));
    for (Index lane = 0; lane < N; lane++) most = last[lane] > most ? last[lane] : most;
    return most;
  }
  for (; i < n; i++) most = x[i] > most ? x[i] : most;
  return most;
}

/** Σ e^(x − shift); the terms are written to y if so wished. */
template <class T, bool WRITES> static double exponentialsOfRow(const T* x, T shift, T* y, Index n) {
  const Vec<T> shifts = splat(shift);
  DoubleSum<T> sum;
  sumOf<T>(n, sum, [&](Index i, const auto& some) __attribute__((always_inline)) {
    const Vec<T> e = some.keep(expOfDrop<T>(some.get(x + i) - shifts));
    if (WRITES) some.put(y + i, e);
    return e;
  });
  return sum.total();
}

template <class T> static void scaleRow(T* y, T factor, Index n) {
  const Vec<T> scale = splat(factor);
  eachVector<T>(n, [&](Index i, const auto& some) __attribute__((always_inline)) { some.put(y + i, some.get(y + i) * scale); });
}

/** x − largest − log Σ e^(x − largest). */
template <class T> static void logarithmOfRow(bool streams, const T* x, T largest, T logarithm, T* y, Index n) {
  const Vec<T> shift = splat(largest), log = splat(logarithm);
  writeRun<T>(streams, y, n, [&](Index i, const auto& some) __attribute__((always_inline)) { return some.get(x + i) - shift - log; });
}

/** The largest element of a row and Σ e^(x − largest), a piece at a time. */
template <class T> struct Exponentials {
  T* largest;
  double* total;
  Index pieces;
  T mostOfAll;
  double sumOfAll;

  /** What the terms of a piece, which are from its own largest element on, are multiplied with to be from that of all on. */
  double factor(Index piece) const { return expOne(double(largest[piece]) - double(mostOfAll)); }
};

/** Null pieces if there is no memory. The terms of each piece are written to y if so wished, from its own largest element on. */
template <class T, bool WRITES> static Exponentials<T> exponentialsOfLongRow(Run& run, const T* x, T* y, Index n) {
  Exponentials<T> e = {nullptr, nullptr, ceilDivide(n, MAP_TASK), T(-__builtin_inf()), 0};
  e.largest = take<T>(run, e.pieces);
  e.total = e.largest ? take<double>(run, e.pieces) : nullptr;
  if (!e.total) return e;
  eachPiece(run, 1, n, [&](Index, Index from, Index to) {
    const Index piece = from / MAP_TASK;
    e.largest[piece] = largestOfRow<T>(x + from, to - from);
    // Of nothing but −∞ there are no differences: from 0 on, the terms are 0.
    const T shift = e.largest[piece] == T(-__builtin_inf()) ? T(0) : e.largest[piece];
    e.total[piece] = exponentialsOfRow<T, WRITES>(x + from, shift, WRITES ? y + from : nullptr, to - from);
  });
  for (Index piece = 0; piece < e.pieces; piece++) e.mostOfAll = e.largest[piece] > e.mostOfAll ? e.largest[piece] : e.mostOfAll;
  for (Index piece = 0; piece < e.pieces; piece++) e.sumOfAll += e.total[piece] * e.factor(piece);
  return e;
}

template <class T, bool LOGARITHM> static Status softmaxLongRow(Run& run, const T* x, T* y, Index n) {
  const Exponentials<T> e = exponentialsOfLongRow<T, !LOGARITHM>(run, x, y, n);
  if (!e.total) return OUT_OF_MEMORY;
  const T logarithm = LOGARITHM ? T(logOne(e.sumOfAll)) : T(0);
  eachPiece(run, 1, n, [&](Index, Index from, Index to) {
    if (LOGARITHM) logarithmOfRow<T>(isStreamed<T>(1, n), x + from, e.mostOfAll, logarithm, y + from, to - from);
    else scaleRow<T>(y + from, T(e.factor(from / MAP_TASK) / e.sumOfAll), to - from);
  });
  return DONE;
}

/** What is streamed is made elsewhere: rows that a first-level cache has room for. */
enum { STREAM_ROW = 1 << 12 };

template <class T, bool LOGARITHM> static void softmaxRow(bool streams, const T* x, T* y, Index n) {
  const T largest = largestOfRow<T>(x, n);
  if (LOGARITHM) {
    logarithmOfRow<T>(streams, x, largest, T(logOne(exponentialsOfRow<T, false>(x, largest, nullptr, n))), y, n);
    return;
  }
  if (STREAMS && streams && n <= STREAM_ROW) {
    T row[STREAM_ROW] __attribute__((aligned(64)));
    const Vec<T> scale = splat(T(1 / exponentialsOfRow<T, true>(x, largest, row, n)));
    const Index ahead = nextOf<T>(n);
    writeRun<T>(true, y, n, [&](Index i, const auto& some) __attribute__((always_inline)) {
      fetch(x + i + ahead);
      return some.get(row + i) * scale;
    });
    return;
  }
  scaleRow<T>(y, T(1 / exponentialsOfRow<T, true>(x, largest, y, n)), n);
}

/** Σ g y; of the logarithm Σ g. */
template <class T, bool LOGARITHM> static double softmaxGradSum(const T* g, const T* y, Index n) {
  DoubleSum<T> sum;
  sumOf<T>(n, sum, [&](Index i, const auto& some) __attribute__((always_inline)) {
    return LOGARITHM ? some.get(g + i) : some.get(g + i) * some.get(y + i);
  });
  return sum.total();
}

/** y(g − Σ g y); of the logarithm g − e^y Σ g. */
template <class T, bool LOGARITHM> static void softmaxGradApply(bool streams, const T* g, const T* y, double sum, T* out, Index n) {
  const Vec<T> total = splat(T(sum));
  const Index ahead = nextOf<T>(n);
  writeRun<T>(streams, out, n, [&](Index i, const auto& some) __attribute__((always_inline)) {
    fetch(g + i + ahead);
    fetch(y + i + ahead);
    const Vec<T> gs = some.get(g + i), ys = some.get(y + i);
    return LOGARITHM ? gs - expOf<T>(ys) * total : ys * (gs - total);
  });
}

template <class T, bool LOGARITHM> static Status softmaxGradLongRow(Run& run, const T* g, const T* y, T* out, Index n) {
  double* const partial = take<double>(run, ceilDivide(n, MAP_TASK));
  if (!partial) return OUT_OF_MEMORY;
  eachPiece(run, 1, n, [&](Index, Index from, Index to) { partial[from / MAP_TASK] = softmaxGradSum<T, LOGARITHM>(g + from, y + from, to - from); });
  double sum = 0;
  for (Index piece = 0; piece < ceilDivide(n, MAP_TASK); piece++) sum += partial[piece];
  eachPiece(run, 1, n, [&](Index, Index from, Index to) { softmaxGradApply<T, LOGARITHM>(isStreamed<T>(1, n), g + from, y + from, sum, out + from, to - from); });
  return DONE;
}

/** log Σ e^x from the largest element on. */
template <class T> static T logSumExpOf(const T* x, Index n, T largest, double total) {
  return largest - largest == 0 ? T(logOne(total) + double(largest)) : infiniteLine<T>(largest, x, n, 1);
}

template <class T> static T logSumExpRow(const T* x, Index n) {
  const T largest = largestOfRow<T>(x, n);
  return logSumExpOf<T>(x, n, largest, exponentialsOfRow<T, false>(x, largest, nullptr, n));
}

/**
 * Calls `row(position)` for every line of n contiguous elements, `longRow(position)` if they are long (one after the other), or
 * `lines(position, width)` for some lines side by side.
 */
template <class Row, class LongRow, class Lines>
static Status eachLine(Run& run, const Units& u, const Row& row, const LongRow& longRow, const Lines& lines) {
  const Index n = Index(u.numbers[0]), inner = Index(u.numbers[1]);
  if (inner == 1 && isLong(n)) {
    Status status = DONE;
    for (Index unit = 0; unit < u.count && status == DONE; unit++) status = longRow(unit * n);
    return status;
  }
  if (inner == 1) {
    eachUnit(run, u.count, n, [&](Index unit) { row(unit * n); });
    return DONE;
  }
  const Index columns = columnsOfLines(n), blocks = ceilDivide(inner, columns);
  eachUnit(run, u.count * blocks, n * smaller(inner, columns), [&](Index task) {
    const Index first = task % blocks * columns;
    lines(task / blocks * n * inner + first, smaller(columns, inner - first));
  });
  return DONE;
}

/** Arrays: a, out. Numbers: elements per line, neighbouring lines. */
template <class T, bool LOGARITHM> static Status softmax(Run& run, const Units& u) {
  const Index n = Index(u.numbers[0]), inner = Index(u.numbers[1]);
  const T* const x = u.array<const T>(0);
  T* const y = u.array<T>(1);
  if (inner == 1 && n <= SHORT_ROW)
    return eachShortRows(run, u.count, n, [&](Index first, Index count) {
      ShortRows<T> from, to;
      from.read(x + first * n, n, count);
      softmaxLines<T, LOGARITHM>(from.lines, to.lines, n, SHORT_ROWS, count);
      to.write(y + first * n, n, count);
    });
  const bool streams = isStreamed<T>(u.count, n);
  return eachLine(
      run, u, [&](Index at) { softmaxRow<T, LOGARITHM>(streams, x + at, y + at, n); },
      [&](Index at) { return softmaxLongRow<T, LOGARITHM>(run, x + at, y + at, n); },
      [&](Index at, Index width) { softmaxLines<T, LOGARITHM>(x + at, y + at, n, inner, width); });
}

/** Arrays: cotangent, the softmax (or its logarithm), out. Numbers: elements per line, neighbouring lines. */
template <class T, bool LOGARITHM> static Status softmaxGrad(Run& run, const Units& u) {
  const Index n = Index(u.numbers[0]), inner = Index(u.numbers[1]);
  const T *const g = u.array<const T>(0), *const y = u.array<const T>(1);
  T* const out = u.array<T>(2);
  if (inner == 1 && n <= SHORT_ROW)
    return eachShortRows(run, u.count, n, [&](Index first, Index count) {
      ShortRows<T> cotangents, results, to;
      cotangents.read(g + first * n, n, count);
      results.read(y + first * n, n, count);
      softmaxGradLines<T, LOGARITHM>(cotangents.lines, results.lines, to.lines, n, SHORT_ROWS, count);
      to.write(out + first * n, n, count);
    });
  const bool streams = isStreamed<T>(u.count, n);
  return eachLine(
      run, u, [&](Index at) { softmaxGradApply<T, LOGARITHM>(streams, g + at, y + at, softmaxGradSum<T, LOGARITHM>(g + at, y + at, n), out + at, n); },
      [&](Index at) { return softmaxGradLongRow<T, LOGARITHM>(run, g + at, y + at, out + at, n); },
      [&](Index at, Index width) { softmaxGradLines<T, LOGARITHM>(g + at, y + at, out + at, n, inner, width); });
}

/** Arrays: a, out (one element per line). Numbers: elements per line, neighbouring lines. */
template <class T> static Status logSumExp(Run& run, const Units& u) {
  const Index n = Index(u.numbers[0]), inner = Index(u.numbers[1]);
  const T* const x = u.array<const T>(0);
  T* const y = u.array<T>(1);
  if (inner == 1 && n <= SHORT_ROW)
    return eachShortRows(run, u.count, n, [&](Index first, Index count) {
      ShortRows<T> from;
      from.read(x + first * n, n, count);
      logSumExpLines<T>(from.lines, y + first, n, SHORT_ROWS, count);
    });
  return eachLine(
      run, u, [&](Index at) { y[at / n] = logSumExpRow<T>(x + at, n); },
      [&](Index at) {
        const Exponentials<T> e = exponentialsOfLongRow<T, false>(run, x + at, nullptr, n);
        if (!e.total) return OUT_OF_MEMORY;
        y[at / n] = logSumExpOf<T>(x + at, n, e.mostOfAll, e.sumOfAll);
        return DONE;
      },
      [&](Index at, Index width) { logSumExpLines<T>(x + at, y + at / (n * inner) * inner + at % inner, n, inner, width); });
}

}  // namespace ADJOINT_NAMESPACE
