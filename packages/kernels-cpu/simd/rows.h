// Kernels of contiguous rows: softmax and its logarithm.

namespace ADJOINT_NAMESPACE {

/** Arrays: a, out, a row of each per unit. Numbers: elements per row. */
template <class T, bool LOGARITHM> static Status softmaxRows(Run& run, const Units& u) {
  constexpr Index W = Lanes<T>::N;
  const Index n = Index(u.numbers[0]);
  const T* const a = u.array<const T>(0);
  T* const out = u.array<T>(1);
  eachUnit(run, u.count, n, [&](Index row) {
    const T* x = a + row * n;
    T* y = out + row * n;
    double most = ExtremeOp<true>::initial();
    ExtremeOp<true>::addRow<T>(most, x, n);
    const T largest = T(most);
    const Vec<T> shift = splat(largest);
    Doubles total[2] = {};
    double rest = 0;
    Index i = 0;
    T lanes[W] __attribute__((aligned(64)));
    for (; i < n; i += W) {
      const Index count = smaller(W, n - i);
      const Vec<T> e = expOf<T>((count == W ? load(x + i) : loadPart(x + i, count)) - shift);
      if (count < W) {
        store(lanes, e);
        for (Index j = 0; j < count; j++) {
          if (!LOGARITHM) y[i + j] = lanes[j];
          rest += lanes[j];
        }
        break;
      }
      if (!LOGARITHM) store(y + i, e);
      store(lanes, e);
      total[0] += loadDoubles(lanes);
      if (sizeof(T) == 4) total[1] += loadDoubles(lanes + HALF % W);
    }
    for (int lane = 0; lane < HALF; lane++) rest += total[0][lane] + total[1][lane];
    if (LOGARITHM) {
      const Vec<double> log = logOf<double>(splat(rest));
      const T sum = T(log[0]);
      for (i = 0; i + W <= n; i += W) store(y + i, load(x + i) - shift - splat(sum));
      for (; i < n; i++) y[i] = x[i] - largest - sum;
    } else {
      const T sum = T(rest);
      for (i = 0; i + W <= n; i += W) store(y + i, load(y + i) / splat(sum));
      for (; i < n; i++) y[i] = y[i] / sum;
    }
  });
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
