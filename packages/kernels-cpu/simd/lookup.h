// Kernels that read and write where an index says: never outside their arrays, whatever it says.

namespace ADJOINT_NAMESPACE {

/** Whether an index names one of `limit` elements; to write with one that does not is to do nothing, to read gives NaN. */
INLINE bool names(int index, Index limit) { return index >= 0 && index < limit; }

/** Arrays: a, index, out, a row of each per unit. Numbers: elements of a row of a, of the index. */
template <class T> static Status gatherRows(Run& run, const Units& u) {
  const Index n = Index(u.numbers[0]), m = Index(u.numbers[1]);
  const T* const a = u.array<const T>(0);
  const int* const index = u.array<const int>(1);
  T* const out = u.array<T>(2);
  eachUnit(run, u.count, m, [&](Index row) {
    const T* from = a + row * n;
    for (Index i = row * m; i < (row + 1) * m; i++) out[i] = names(index[i], n) ? from[index[i]] : T(__builtin_nan(""));
  });
  return DONE;
}

/** As gatherRows, the other way: arrays a, index, target, to which is added. Numbers: elements of a row of the target, of a. */
template <class T> static Status scatterAddRows(Run& run, const Units& u) {
  const Index n = Index(u.numbers[0]), m = Index(u.numbers[1]);
  const T* const a = u.array<const T>(0);
  const int* const index = u.array<const int>(1);
  T* const target = u.array<T>(2);
  eachUnit(run, u.count, m, [&](Index row) {
    T* to = target + row * n;
    for (Index i = row * m; i < (row + 1) * m; i++)
      if (names(index[i], n)) to[index[i]] += a[i];
  });
  return DONE;
}

/** Arrays: a (shared), index, and out: a slice of it and an index per unit. Numbers: slices in a, elements of a slice. */
template <class T> static Status selectSlices(Run& run, const Units& u) {
  const Index slices = Index(u.numbers[0]), n = Index(u.numbers[1]);
  const T* const a = u.array<const T>(0);
  const int* const index = u.array<const int>(1);
  T* const out = u.array<T>(2);
  eachUnit(run, u.count, n, [&](Index i) {
    if (names(index[i], slices)) return copyRun(out + i * n, a + index[i] * n, n);
    for (Index j = 0; j < n; j++) out[i * n + j] = T(__builtin_nan(""));
  });
  return DONE;
}

/** Arrays: a, a slice per unit; index, one per unit; target (shared), to which is added. Numbers: slices in it, elements of one. */
template <class T> static Status addSlices(Run& run, const Units& u) {
  const Index slices = Index(u.numbers[0]), n = Index(u.numbers[1]);
  const T* const a = u.array<const T>(0);
  const int* const index = u.array<const int>(1);
  T* const target = u.array<T>(2);
  // A task has columns of its own, and so adds to its elements in the order of the index.
  constexpr Index COLUMNS = 64;
  parallel(run, ceilDivide(n, COLUMNS), [&](Index part, int) {
    const Index first = part * COLUMNS, count = smaller(COLUMNS, n - first);
    for (Index i = 0; i < u.count; i++) {
      if (!names(index[i], slices)) continue;
      T* to = target + index[i] * n + first;
      const T* from = a + i * n + first;
      for (Index j = 0; j < count; j++) to[j] += from[j];
    }
  });
  return DONE;
}

/** Arrays: a, out, a plane of each per unit; starts, columns and values of a sparse matrix (shared). Numbers: its columns, its
 * rows, elements per column of a. Sums are in double. */
template <class T> static Status sparseRows(Run& run, const Units& u) {
  const Index n = Index(u.numbers[0]), rows = Index(u.numbers[1]), inner = Index(u.numbers[2]);
  const T* const a = u.array<const T>(0);
  T* const out = u.array<T>(1);
  const int* const starts = u.array<const int>(2);
  const int* const columns = u.array<const int>(3);
  const double* const values = u.array<const double>(4);
  constexpr Index BLOCK = 64;
  eachUnit(run, u.count, rows * inner, [&](Index plane) {
    const T* from = a + plane * n * inner;
    T* to = out + plane * rows * inner;
    double sums[BLOCK];
    for (Index r = 0; r < rows; r++)
      for (Index j = 0; j < inner; j += BLOCK) {
        const Index count = smaller(BLOCK, inner - j);
        for (Index i = 0; i < count; i++) sums[i] = 0;
        for (int k = starts[r]; k < starts[r + 1]; k++) {
          const T* column = from + columns[k] * inner + j;
          for (Index i = 0; i < count; i++) sums[i] += values[k] * column[i];
        }
        for (Index i = 0; i < count; i++) to[r * inner + j + i] = T(sums[i]);
      }
  });
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
