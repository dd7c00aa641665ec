// Softmax and its kin of lines that lie side by side: element k of line j is at k · inner + j. A register holds elements of
// neighbouring lines.

namespace ADJOINT_NAMESPACE {

enum { LINE_COLUMNS = 512, LEAST_LINE_COLUMNS = 64, LINE_BLOCK = 1 << 15 };

/** How many neighbouring lines of n elements make a block: as many as stay in a second-level cache, and runs of some length. */
INLINE Index columnsOfLines(Index n) { return larger(LEAST_LINE_COLUMNS, smaller(LINE_COLUMNS, LINE_BLOCK / larger(1, n) / LEAST_LINE_COLUMNS * LEAST_LINE_COLUMNS)); }

/** e^x for x of at most 0 (a little more does no harm) or NaN: what exponentials from the largest on need, half as long as `expOf`. */
template <class T> INLINE Vec<T> expOfDrop(Vec<T> x) {
  typedef Format<T> F;
  // Scaled up by so much that the power of two is that of a normal number, and down again by one multiplication that rounds.
  constexpr LaneInt<T> LIFT = sizeof(T) == 4 ? 64 : 128;
  constexpr T lowered = sizeof(T) == 4 ? T(5.421010862427522e-20) : T(2.938735877055719e-39);
  x = choose<T>(x < splat(F::expLow), splat(F::expLow), x);
  const Vec<T> shifted = fma(x, splat(T(1.4426950408889634)), splat(F::magic)), count = shifted - splat(F::magic);
  const Vec<T> rest = expm1Near<T>(fma(count, splat(-F::ln2Low), fma(count, splat(-F::ln2High), x)));
  const Bits<T> exponent = (Bits<T>)shifted - ((Bits<T>)splat(F::magic) - (F::BIAS + LIFT));
  const Vec<T> power = (Vec<T>)(exponent << F::MANTISSA);
  return fma(rest, power, power) * splat(lowered);
}

INLINE double expOne(double x) { return expOf<double>(splat(x))[0]; }
INLINE double logOne(double x) { return logOf<double>(splat(x))[0]; }

/** The larger one; x if `best` is NaN or x is, so that NaN may be lost: the exponentials bring it back. */
template <class T> INLINE Vec<T> largerOrFirst(Vec<T> best, Vec<T> x) { return choose<T>(x > best, x, best); }

/** Totals of up to LINE_COLUMNS lines side by side, in double precision. */
struct LineTotals {
  double value[LINE_COLUMNS] __attribute__((aligned(64)));
  LineTotals() {
    for (Index j = 0; j < LINE_COLUMNS; j++) value[j] = 0;
  }
  /** Adds elements from line j on; those of `v` past the last line are 0, and there is room for them. */
  INLINE_MEMBER void addTo(double* to, Vec<double> v) { store(to, load(to) + v); }
  INLINE_MEMBER void addTo(double* to, Vec<float> v) {
    Doubles low, high;
    widenBoth(v, low, high);
    store(to, load(to) + low);
    store(to + HALF, load(to + HALF) + high);
  }
};

template <class T> static void largestOfLines(const T* x, T* most, Index n, Index inner, Index width) {
  for (Index j = 0; j < width; j++) most[j] = T(-__builtin_inf());
  for (Index row = 0; row < n; row++)
    eachVector<T>(width, [&](Index j, const auto& some) __attribute__((always_inline)) {
      some.put(most + j, largerOrFirst<T>(some.get(most + j), some.get(x + row * inner + j)));
    });
}

/** Adds e^(x − most) of each line to its total, and writes them to y if so wished. */
template <class T, bool WRITES>
static void exponentialsOfLines(const T* x, const T* most, T* y, LineTotals& totals, Index n, Index inner, Index width) {
  for (Index row = 0; row < n; row++)
    eachVector<T>(width, [&](Index j, const auto& some) __attribute__((always_inline)) {
      const Vec<T> e = some.keep(expOfDrop<T>(some.get(x + row * inner + j) - some.get(most + j)));
      if (WRITES) some.put(y + row * inner + j, e);
      LineTotals::addTo(totals.value + j, e);
    });
}

template <class T, bool LOGARITHM> static void softmaxLines(const T* x, T* y, Index n, Index inner, Index width) {
  T most[LINE_COLUMNS], scale[LINE_COLUMNS];
  LineTotals totals;
  largestOfLines<T>(x, most, n, inner, width);
  exponentialsOfLines<T, !LOGARITHM>(x, most, y, totals, n, inner, width);
  for (Index j = 0; j < width; j++) scale[j] = T(LOGARITHM ? logOne(totals.value[j]) : 1 / totals.value[j]);
  for (Index row = 0; row < n; row++)
    eachVector<T>(width, [&](Index j, const auto& some) __attribute__((always_inline)) {
      T* const to = y + row * inner + j;
      some.put(to, LOGARITHM ? some.get(x + row * inner + j) - some.get(most + j) - some.get(scale + j) : some.get(to) * some.get(scale + j));
    });
}

template <class T, bool LOGARITHM> static void softmaxGradLines(const T* g, const T* y, T* out, Index n, Index inner, Index width) {
  T total[LINE_COLUMNS];
  LineTotals totals;
  for (Index row = 0; row < n; row++)
    eachVector<T>(width, [&](Index j, const auto& some) __attribute__((always_inline)) {
      const Index at = row * inner + j;
      LineTotals::addTo(totals.value + j, LOGARITHM ? some.get(g + at) : some.get(g + at) * some.get(y + at));
    });
  for (Index j = 0; j < width; j++) total[j] = T(totals.value[j]);
  for (Index row = 0; row < n; row++)
    eachVector<T>(width, [&](Index j, const auto& some) __attribute__((always_inline)) {
      const Index at = row * inner + j;
      const Vec<T> gs = some.get(g + at), ys = some.get(y + at), ts = some.get(total + j);
      some.put(out + at, LOGARITHM ? gs - expOf<T>(ys) * ts : ys * (gs - ts));
    });
}

/** Of a line whose largest element is infinite: that one, or NaN if there is one. */
template <class T> static T infiniteLine(T most, const T* x, Index n, Index inner) {
  for (Index i = 0; i < n; i++)
    if (x[i * inner] != x[i * inner]) return x[i * inner];
  return most;
}

template <class T> static void logSumExpLines(const T* x, T* y, Index n, Index inner, Index width) {
  T most[LINE_COLUMNS];
  LineTotals totals;
  largestOfLines<T>(x, most, n, inner, width);
  exponentialsOfLines<T, false>(x, most, nullptr, totals, n, inner, width);
  for (Index j = 0; j < width; j++)
    y[j] = most[j] - most[j] == 0 ? T(logOne(totals.value[j]) + double(most[j])) : infiniteLine<T>(most[j], x + j, n, inner);
}

/**
 * Rows of a few elements fill no registers, and what is done once for each costs most: so many of them are laid side by side.
 */
enum { SHORT_ROW = 32, SHORT_ROWS = 64 };

/** Some short rows as lines side by side, SHORT_ROWS apart. */
template <class T> struct ShortRows {
  T lines[SHORT_ROW * SHORT_ROWS] __attribute__((aligned(64)));
  void read(const T* rows, Index n, Index count) {
    for (Index row = 0; row < count; row++)
      for (Index i = 0; i < n; i++) lines[i * SHORT_ROWS + row] = rows[row * n + i];
  }
  void write(T* rows, Index n, Index count) const {
    for (Index row = 0; row < count; row++)
      for (Index i = 0; i < n; i++) rows[row * n + i] = lines[i * SHORT_ROWS + row];
  }
};

/** Calls `body(first, count)` for blocks of short rows. */
template <class F> static Status eachShortRows(Run& run, Index rows, Index n, const F& body) {
  eachUnit(run, ceilDivide(rows, SHORT_ROWS), n * SHORT_ROWS, [&](Index block) {
    body(block * SHORT_ROWS, smaller(SHORT_ROWS, rows - block * SHORT_ROWS));
  });
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
