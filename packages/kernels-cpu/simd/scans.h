// Kernels along lines, of which a unit holds `inner`, of `n` elements, side by side: running sums and products, and recurrences.

namespace ADJOINT_NAMESPACE {

/** Columns that are worked on together where lines lie side by side. */
enum { SCAN_COLUMNS = 128 };

/** Calls `body(unit, first column, how many)` for each block of the columns of each unit. */
template <class F> static void eachScanColumns(Run& run, Index units, Index n, Index inner, const F& body) {
  const Index blocks = ceilDivide(inner, SCAN_COLUMNS);
  eachUnit(run, units * blocks, n * smaller(inner, SCAN_COLUMNS), [&](Index block) {
    const Index first = block % blocks * SCAN_COLUMNS;
    body(block / blocks, first, smaller(SCAN_COLUMNS, inner - first));
  });
}

// A running sum of float32 is one of doubles; of float64 the rounding errors are summed beside, as in the reference.
template <class T> struct RunningSum {
  Total total = {0, 0};
  inline __attribute__((always_inline)) T next(T x) {
    if (sizeof(T) == 4) return T(total.value += double(x));
    addTo(total, double(x));
    return T(roundTotal(total));
  }
};
template <class T> struct RunningProduct {
  double product = 1;
  inline __attribute__((always_inline)) T next(T x) { return T(product *= double(x)); }
};

/** Elements of a piece of a long line. Its sum alone is fast; so pieces get theirs first, and run from there. */
enum { SCAN_PIECE = 1 << 13, SCAN_ABREAST = 4 };

/** Scans up to SCAN_ABREAST lines step by step together: a step of one waits for the step before. */
template <class T, class S> static void scanAbreast(S* states, Index count, const T* const* from, T* const* to, Index n) {
  if (count == SCAN_ABREAST) {
    S a = states[0], b = states[1], c = states[2], d = states[3];
    for (Index i = 0; i < n; i++) {
      to[0][i] = a.next(from[0][i]);
      to[1][i] = b.next(from[1][i]);
      to[2][i] = c.next(from[2][i]);
      to[3][i] = d.next(from[3][i]);
    }
    return;
  }
  for (Index l = 0; l < count; l++) {
    S state = states[l];
    for (Index i = 0; i < n; i++) to[l][i] = state.next(from[l][i]);
  }
}

/** Lines of `n` elements one after the other. */
template <class T, class S> static void scanLines(Run& run, Index lines, Index n, const T* a, T* out) {
  eachUnit(run, ceilDivide(lines, SCAN_ABREAST), n * SCAN_ABREAST, [&](Index group) {
    S states[SCAN_ABREAST];
    const T* from[SCAN_ABREAST];
    T* to[SCAN_ABREAST];
    const Index count = smaller(SCAN_ABREAST, lines - group * SCAN_ABREAST);
    for (Index l = 0; l < count; l++) {
      from[l] = a + (group * SCAN_ABREAST + l) * n;
      to[l] = out + (group * SCAN_ABREAST + l) * n;
    }
    scanAbreast<T, S>(states, count, from, to, n);
  });
}

/** Running sums of lines of float32 that are long: pieces of a line, four of them together. Doubles hold the sum of any. */
static Status scanPieces(Run& run, Index lines, Index n, const float* a, float* out) {
  const Index pieces = ceilDivide(n, SCAN_PIECE);
  double* const sums = take<double>(run, lines * pieces);
  if (!sums) return OUT_OF_MEMORY;
  const auto sizeAt = [&](Index piece) { return smaller(SCAN_PIECE, n - piece * SCAN_PIECE); };
  eachUnit(run, lines * pieces, SCAN_PIECE, [&](Index unit) {
    typedef SumOp<ELEMENT> Sum;
    Total sum = Sum::initial();
    const float* const piece = a + unit / pieces * n + unit % pieces * SCAN_PIECE;
    Sum::addRows<float, 1>(&sum, &piece, 1, 0, sizeAt(unit % pieces));
    sums[unit] = Sum::result<double>(sum);
  });
  for (Index line = 0; line < lines; line++) {
    double before = 0;
    for (Index piece = 0; piece < pieces; piece++) {
      const double sum = sums[line * pieces + piece];
      sums[line * pieces + piece] = before;
      before += sum;
    }
  }
  const Index groups = ceilDivide(pieces, SCAN_ABREAST);
  eachUnit(run, lines * groups, SCAN_PIECE * SCAN_ABREAST, [&](Index unit) {
    const Index line = unit / groups, first = unit % groups * SCAN_ABREAST, count = smaller(SCAN_ABREAST, pieces - first);
    RunningSum<float> states[SCAN_ABREAST];
    const float* from[SCAN_ABREAST];
    float* to[SCAN_ABREAST];
    Index least = SCAN_PIECE;
    for (Index l = 0; l < count; l++) {
      states[l].total.value = sums[line * pieces + first + l];
      from[l] = a + line * n + (first + l) * SCAN_PIECE;
      to[l] = out + line * n + (first + l) * SCAN_PIECE;
      least = smaller(least, sizeAt(first + l));
    }
    if (least == SCAN_PIECE) return scanAbreast<float, RunningSum<float>>(states, count, from, to, SCAN_PIECE);
    for (Index l = 0; l < count; l++) scanAbreast<float, RunningSum<float>>(states + l, 1, from + l, to + l, sizeAt(first + l));
  });
  return DONE;
}

template <class T, class S> static Status scanWith(Run& run, const Units& u) {
  const Index n = Index(u.numbers[0]), inner = Index(u.numbers[1]);
  const T* const a = u.array<const T>(0);
  T* const out = u.array<T>(1);
  if (inner == 1) {
    scanLines<T, S>(run, u.count, n, a, out);
    return DONE;
  }
  eachScanColumns(run, u.count, n, inner, [&](Index unit, Index first, Index count) {
    S states[SCAN_COLUMNS];
    for (Index i = 0, at = unit * n * inner + first; i < n; i++, at += inner)
      for (Index j = 0; j < count; j++) out[at + j] = states[j].next(a[at + j]);
  });
  return DONE;
}

/** Arrays: a, out. Numbers: n, inner. */
template <class T> static Status cumulativeSum(Run& run, const Units& u) {
  const Index n = Index(u.numbers[0]), inner = Index(u.numbers[1]);
  if constexpr (sizeof(T) == 4)
    if (inner == 1 && n >= SCAN_ABREAST * SCAN_PIECE) return scanPieces(run, u.count, n, u.array<const T>(0), u.array<T>(1));
  return scanWith<T, RunningSum<T>>(run, u);
}
template <class T> static Status cumulativeProduct(Run& run, const Units& u) { return scanWith<T, RunningProduct<T>>(run, u); }

/** COUNT lines of a recurrence, one after the other in memory: their steps are done together, since each waits for the one before. */
template <class T, int COUNT> static void recurLines(Index n, const T* a, const T* b, T* out) {
  double states[COUNT];
  UNROLL for (int l = 0; l < COUNT; l++) out[l * n] = T(states[l] = double(b[l * n]));
  for (Index i = 1; i < n; i++)
    UNROLL for (int l = 0; l < COUNT; l++) out[l * n + i] = T(states[l] = double(a[l * n + i]) * states[l] + double(b[l * n + i]));
}

/** out[i] = a[i] · out[i − 1] + b[i] along lines, in double precision; a[0] is not read. Arrays: a, b, out. Numbers: n, inner. */
template <class T> static Status recurrence(Run& run, const Units& u) {
  const Index n = Index(u.numbers[0]), inner = Index(u.numbers[1]);
  const T *const a = u.array<const T>(0), *const b = u.array<const T>(1);
  T* const out = u.array<T>(2);
  if (inner == 1) {
    eachUnit(run, ceilDivide(u.count, SCAN_ABREAST), n * SCAN_ABREAST, [&](Index group) {
      const Index line = group * SCAN_ABREAST, at = line * n;
      if (u.count - line >= SCAN_ABREAST) return recurLines<T, SCAN_ABREAST>(n, a + at, b + at, out + at);
      for (Index l = line; l < u.count; l++) recurLines<T, 1>(n, a + l * n, b + l * n, out + l * n);
    });
    return DONE;
  }
  eachScanColumns(run, u.count, n, inner, [&](Index unit, Index first, Index count) {
    double states[SCAN_COLUMNS];
    Index at = unit * n * inner + first;
    for (Index j = 0; j < count; j++) out[at + j] = T(states[j] = double(b[at + j]));
    for (Index i = 1; i < n; i++) {
      at += inner;
      for (Index j = 0; j < count; j++) out[at + j] = T(states[j] = double(a[at + j]) * states[j] + double(b[at + j]));
    }
  });
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
