// Means and sums of squared deviations. Elements are gone through once, in chunks that stay in cache: within a chunk around its
// first element, whose distance from the mean is at most √n deviations, so that little cancels; chunks are joined pairwise
// (Chan, Golub and LeVeque 1983).

namespace ADJOINT_NAMESPACE {

enum { MOMENT_CHUNK = 1 << 12, MOMENT_COLUMNS = 512, MOMENT_ROWS = 1 << 8 };

/** Of `count` elements: their mean, and the sum of squared deviations from it. */
struct Moments {
  double count, mean, squares;
};

INLINE void join(Moments& a, const Moments& b) {
  if (b.count == 0) return;
  if (a.count == 0) {
    a = b;
    return;
  }
  const double count = a.count + b.count, apart = b.mean - a.mean;
  a.mean += apart * (b.count / count);
  a.squares += b.squares + apart * apart * (a.count * b.count / count);
  a.count = count;
}

/** From the sums of differences from `shift` and of their squares. */
INLINE Moments momentsAround(double shift, double count, double sum, double squares) {
  const double rest = squares - sum * (sum / count);
  // Rounding may leave less than nothing; NaN stays.
  return {count, shift + sum / count, rest < 0 ? 0 : rest};
}

/** Sums of differences from a shift, and of their squares. */
struct SquareSums {
  Doubles sum = {}, squares = {};
  template <class T> inline __attribute__((always_inline)) void add(const T* p, Doubles shift) {
    const Doubles d = loadDoubles(p) - shift;
    sum += d;
    squares = fma(d, d, squares);
  }
};

/**
 * Adds the differences from `centre` of at most a chunk of elements to `sum`, and their squares to `squares`: of `runs` runs of n contiguous
 * ones each, `step` elements apart.
 */
template <class T> static void addAround(double centre, const T* x, Index runs, Index step, Index n, double& sum, double& squares) {
  const Doubles shift = splat(centre);
  SquareSums sums[4];
  for (Index run = 0; run < runs; run++, x += step) {
    Index i = 0;
    for (; i + 4 * HALF <= n; i += 4 * HALF)
      UNROLL for (int v = 0; v < 4; v++) sums[v].add(x + i + v * HALF, shift);
    for (; i + HALF <= n; i += HALF) sums[0].add(x + i, shift);
    for (; i < n; i++) {
      const double d = double(x[i]) - centre;
      sum += d;
      squares += d * d;
    }
  }
  sum += horizontalSum<double>((sums[0].sum + sums[1].sum) + (sums[2].sum + sums[3].sum));
  squares += horizontalSum<double>((sums[0].squares + sums[1].squares) + (sums[2].squares + sums[3].squares));
}

/** Of `runs` runs of n contiguous elements each, `step` elements apart; where they are short, a chunk holds several. */
template <class T> static Moments momentsOfRuns(const T* x, Index runs, Index step, Index n) {
  Moments all = {0, 0, 0};
  const Index together = larger(1, MOMENT_CHUNK / larger(1, n));
  for (Index run = 0; run < runs; run += together)
    for (Index i = 0; i < n; i += MOMENT_CHUNK) {
      const T* const from = x + run * step + i;
      const Index some = smaller(together, runs - run), length = smaller(Index(MOMENT_CHUNK), n - i);
      double sum = 0, squares = 0;
      addAround<T>(double(*from), from, some, step, length, sum, squares);
      join(all, momentsAround(double(*from), double(some * length), sum, squares));
    }
  return all;
}

/** Of each of `width` columns of `rows` rows, at most MOMENT_COLUMNS and MOMENT_ROWS; element n of each column is `step` further. */
template <class T> static void momentsOfColumns(const T* x, Index rows, Index step, Index width, Moments* to) {
  double shift[MOMENT_COLUMNS], sum[MOMENT_COLUMNS], squares[MOMENT_COLUMNS];
  for (Index j = 0; j < width; j++) {
    shift[j] = double(x[j]);
    sum[j] = squares[j] = 0;
  }
  for (Index row = 0; row < rows; row++) {
    const T* const from = x + row * step;
    Index j = 0;
    for (; j + HALF <= width; j += HALF) {
      const Doubles d = loadDoubles(from + j) - load(shift + j);
      store(sum + j, load(sum + j) + d);
      store(squares + j, fma(d, d, load(squares + j)));
    }
    for (; j < width; j++) {
      const double d = double(from[j]) - shift[j];
      sum[j] += d;
      squares[j] += d * d;
    }
  }
  for (Index j = 0; j < width; j++) to[j] = momentsAround(shift[j], double(rows), sum[j], squares[j]);
}

/** Of how many groups a task takes its runs of `length` elements in `units` units. */
INLINE Index groupsPerTask(Index groups, Index units, Index length) { return larger(1, smaller(groups, MAP_TASK / larger(1, units * length))); }

/**
 * The moments of groups over the units and a run of each. Arrays: a (a run per group and unit); mean and squares of each group,
 * shared doubles that hold the moments of the units before. Numbers: groups, elements per run.
 */
template <class T> static Status groupMoments(Run& run, const Units& u) {
  const Index groups = Index(u.numbers[0]), length = Index(u.numbers[1]), size = groups * length;
  const T* const a = u.array<const T>(0);
  double *const mean = u.array<double>(1), *const squares = u.array<double>(2);
  // Where runs are single elements, groups lie side by side; elsewhere a task takes runs of some units, or a part of a long one.
  const bool columns = length == 1;
  const Index unitsEach = columns ? Index(MOMENT_ROWS) : larger(1, MAP_TASK / length), parts = columns ? 1 : ceilDivide(length, MAP_TASK);
  const Index width = columns ? Index(MOMENT_COLUMNS) : groupsPerTask(groups, smaller(unitsEach, u.count), length), blocks = ceilDivide(groups, width);
  const Index chunks = ceilDivide(u.count, unitsEach), tasks = chunks * blocks * parts;
  Moments* const partial = take<Moments>(run, chunks * parts * groups);
  if (!partial) return OUT_OF_MEMORY;
  const Index perTask = smaller(width, groups) * smaller(unitsEach, u.count) * ceilDivide(length, parts);
  eachUnit(run, tasks, perTask, [&](Index task) {
    const Index part = task % parts, block = task / parts % blocks, chunk = task / parts / blocks;
    const Index first = block * width, n = smaller(width, groups - first);
    const Index begin = chunk * unitsEach, end = smaller(u.count, begin + unitsEach);
    Moments* const to = partial + (chunk * parts + part) * groups + first;
    if (columns) {
      momentsOfColumns<T>(a + begin * size + first, end - begin, size, n, to);
      return;
    }
    const Index from = part * MAP_TASK, count = smaller(Index(MAP_TASK), length - from);
    for (Index j = 0; j < n; j++)
      to[j] = momentsOfRuns<T>(a + begin * size + (first + j) * length + from, end - begin, size, count);
  });
  for (Index j = 0; j < groups; j++) {
    Moments all = {double(u.first * length), mean[j], squares[j]};
    for (Index chunk = 0; chunk < chunks * parts; chunk++) join(all, partial[chunk * groups + j]);
    mean[j] = all.mean;
    squares[j] = all.squares;
  }
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
