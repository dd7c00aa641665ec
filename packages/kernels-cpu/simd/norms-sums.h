// Sums over samples and places of a cotangent, alone and times what was normalised: the gradients of bias and weight, and what the gradient
// of a normalisation over the batch is made of.

namespace ADJOINT_NAMESPACE {

/** Columns of elements side by side, row after row; statistics of each column, or one of each row. */
template <class T> struct NormColumns {
  const T *g, *x, *mean, *rstd;
  Index row, statistics;
  bool one;
};

/** Σ g and Σ g (x − mean) rstd of n columns over some rows, four of which are added up before they go to double precision. */
template <class T>
static void columnSums(const NormColumns<T>& columns, Index begin, Index end, Index n, double* sum, double* product) {
  const auto [g, x, mean, rstd, row, statistics, one] = columns;
  LineTotals ones, products;
  const auto terms = [&, g = g, x = x, mean = mean, rstd = rstd, row = row, statistics = statistics, one = one](
                         Index unit, Index i, const auto& some, Vec<T>& a, Vec<T>& b) __attribute__((always_inline)) {
    const T *const ms = mean + unit * statistics, *const rs = rstd + unit * statistics;
    const Vec<T> m = one ? splat(ms[0]) : some.get(ms + i), r = one ? splat(rs[0]) : some.get(rs + i);
    a = some.get(g + unit * row + i);
    b = some.keep(a * ((some.get(x + unit * row + i) - m) * r));
  };
  Index unit = begin;
  for (; unit + 4 <= end; unit += 4)
    eachVector<T>(n, [&](Index i, const auto& some) __attribute__((always_inline)) {
      Vec<T> a[4], b[4];
      UNROLL for (int v = 0; v < 4; v++) terms(unit + v, i, some, a[v], b[v]);
      LineTotals::addTo(ones.value + i, (a[0] + a[1]) + (a[2] + a[3]));
      LineTotals::addTo(products.value + i, (b[0] + b[1]) + (b[2] + b[3]));
    });
  // As in sumsOf: four numbers of float32 may overflow where their sum in double precision does not.
  bool holds = true;
  for (Index i = 0; i < n; i++) holds &= isFinite(ones.value[i]) && isFinite(products.value[i]);
  if (!holds) {
    ones = products = LineTotals();
    unit = begin;
  }
  for (; unit < end; unit++)
    eachVector<T>(n, [&](Index i, const auto& some) __attribute__((always_inline)) {
      Vec<T> a, b;
      terms(unit, i, some, a, b);
      LineTotals::addTo(ones.value + i, a);
      LineTotals::addTo(products.value + i, b);
    });
  for (Index i = 0; i < n; i++) {
    sum[i] = ones.value[i];
    product[i] = products.value[i];
  }
}

/**
 * Σ g and Σ g (x − mean) rstd of each (group, channel), over samples and places. Arrays: g, x; mean and rstd of each group, per sample
 * or shared (numbers[5]: 1 if shared); two sums per channel, shared doubles, all of the first before all of the second.
 */
template <class T> static Status normaliseSums(Run& run, const Units& u) {
  const NormShape s = normShapeOf(u);
  const T *const g = u.array<const T>(0), *const x = u.array<const T>(1), *const mean = u.array<const T>(2), *const rstd = u.array<const T>(3);
  double* const sums = u.array<double>(4);
  const bool shared = u.numbers[5] != 0;
  const Index channels = s.groups * s.channels, size = channels * s.places, statistics = shared ? 0 : s.groups;
  // Where channels lie side by side and each has statistics of its own, or all have the same; elsewhere a task takes planes of some
  // samples, or a piece of a long one.
  const bool one = s.groups == 1, columns = s.places == 1 && (one || s.channels == 1);
  const Index unitsEach = columns ? Index(MOMENT_ROWS) : larger(1, MAP_TASK / s.places);
  const Index width = columns ? Index(LINE_COLUMNS) : groupsPerTask(channels, smaller(unitsEach, u.count), s.places), blocks = ceilDivide(channels, width);
  const Index pieces = columns ? 1 : ceilDivide(s.places, 4 * MAP_TASK);
  const Index chunks = ceilDivide(u.count, unitsEach), tasks = chunks * blocks * pieces;
  double* const partial = take<double>(run, chunks * pieces * 2 * channels);
  if (!partial) return OUT_OF_MEMORY;
  eachUnit(run, tasks, smaller(width, channels) * smaller(unitsEach, u.count) * ceilDivide(s.places, pieces), [&](Index task) {
    const Index piece = task % pieces, block = task / pieces % blocks, chunk = task / pieces / blocks;
    const Index first = block * width, n = smaller(width, channels - first);
    const Index begin = chunk * unitsEach, end = smaller(u.count, begin + unitsEach);
    double *const sum = partial + (chunk * pieces + piece) * 2 * channels + first, *const product = sum + channels;
    if (columns) {
      columnSums<T>({g + first, x + first, one ? mean : mean + first, one ? rstd : rstd + first, size, statistics, one}, begin, end, n, sum, product);
      return;
    }
    const Index from = piece * 4 * MAP_TASK, length = smaller(Index(4 * MAP_TASK), s.places - from);
    for (Index c = 0; c < n; c++) {
      const Index group = (first + c) / s.channels;
      DoubleSum<T> ones, products;
      for (Index unit = begin; unit < end; unit++) {
        const Index at = unit * size + (first + c) * s.places + from;
        const Vec<T> m = splat(mean[unit * statistics + group]), r = splat(rstd[unit * statistics + group]);
        sumsOf<T>(length, ones, products, [&](Index i, const auto& some, Vec<T>& a, Vec<T>& b) __attribute__((always_inline)) {
          a = some.get(g + at + i);
          b = some.keep(a * ((some.get(x + at + i) - m) * r));
        });
      }
      sum[c] = ones.total();
      product[c] = products.total();
    }
  });
  for (Index i = 0; i < 2 * channels; i++)
    for (Index chunk = 0; chunk < chunks * pieces; chunk++) sums[i] += partial[chunk * 2 * channels + i];
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
