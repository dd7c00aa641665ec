// Normalisations. A unit is a sample of groups × channels × places elements; its statistics are those of each group of the sample, or
// those of the group over the batch. Weight and bias belong to (group, channel). Gradients: norms-grad.h and norms-sums.h.

namespace ADJOINT_NAMESPACE {

struct NormShape {
  Index groups, channels, places, run;
  double eps;
  bool centred;
  /** How many elements of a group are written one after the other. */
  Index inRow() const { return places == 1 ? channels : places; }
};

/** Numbers: groups, channels, places, epsilon, 1 if the mean is taken off. */
INLINE NormShape normShapeOf(const Units& u) {
  const double* n = u.numbers;
  return {Index(n[0]), Index(n[1]), Index(n[2]), Index(n[1]) * Index(n[2]), n[3], n[4] != 0};
}

/** Calls `body(from, to, channel)` for the parts of elements from … to of a group that lie in one channel each. */
template <class F> INLINE void eachChannel(const NormShape& s, Index from, Index to, const F& body) {
  for (Index c = from / s.places; c * s.places < to; c++) body(larger(from, c * s.places), smaller(to, (c + 1) * s.places), c);
}

/** Σ (x − 0)² of a run. */
template <class T> static Moments squaresOfRun(const T* x, Index n) {
  double sum = 0, squares = 0;
  for (Index i = 0; i < n; i += MOMENT_CHUNK) addAround<T>(0, x + i, 1, 0, smaller(MOMENT_CHUNK, n - i), sum, squares);
  return {double(n), 0, squares};
}

/** y = (x − mean) · rstd · weight + bias for elements from … to of one group. */
template <class T>
static void normaliseGroup(bool streams, const NormShape& s, const T* x, const T* weight, const T* bias, T mean, T rstd, T* y, Index from, Index to) {
  const Vec<T> m = splat(mean), r = splat(rstd);
  const Index ahead = nextOf<T>(s.run);
  if (s.places == 1) {
    writeRun<T>(streams, y + from, to - from, [&](Index j, const auto& some) __attribute__((always_inline)) {
      const Index i = from + j;
      fetch(x + i + ahead);
      return fma((some.get(x + i) - m) * r, some.get(weight + i), some.get(bias + i));
    });
    return;
  }
  eachChannel(s, from, to, [&](Index first, Index end, Index c) {
    const Vec<T> w = splat(weight[c]), b = splat(bias[c]);
    writeRun<T>(streams, y + first, end - first, [&](Index i, const auto& some) __attribute__((always_inline)) {
      fetch(x + first + i + ahead);
      return fma((some.get(x + first + i) - m) * r, w, b);
    });
  });
}

template <class T> static Moments momentsOfGroup(const NormShape& s, const T* x, Index n) {
  return s.centred ? momentsOfRuns<T>(x, 1, 0, n) : squaresOfRun<T>(x, n);
}

/** What a group is normalised by. */
template <class T> struct NormStatistics {
  T mean, rstd;
};

/**
 * Each group of each sample by its own statistics. Arrays: x, weight and bias (shared), y; if numbers[5] is 1, mean, rstd and variance of
 * each group, which are for others: nothing is read there.
 */
template <class T> static Status normaliseSamples(Run& run, const Units& u) {
  const NormShape s = normShapeOf(u);
  const T *const x = u.array<const T>(0), *const weight = u.array<const T>(1), *const bias = u.array<const T>(2);
  T* const y = u.array<T>(3);
  const bool keeps = u.numbers[5] != 0;
  T *const mean = keeps ? u.array<T>(4) : nullptr, *const rstd = keeps ? u.array<T>(5) : nullptr, *const variance = keeps ? u.array<T>(6) : nullptr;
  const auto statisticsOf = [&](Index group, const Moments& all) -> NormStatistics<T> {
    const double spread = all.squares / double(s.run);
    const NormStatistics<T> found = {T(all.mean), T(1 / __builtin_sqrt(spread + s.eps))};
    if (keeps) {
      mean[group] = found.mean;
      rstd[group] = found.rstd;
      variance[group] = T(spread);
    }
    return found;
  };
  const bool streams = isStreamed<T>(u.count * s.groups * (s.run / s.inRow()), s.inRow());
  const auto apply = [&](Index group, NormStatistics<T> by, Index from, Index to) {
    const Index channel = group % s.groups * s.channels;
    normaliseGroup<T>(streams, s, x + group * s.run, weight + channel, bias + channel, by.mean, by.rstd, y + group * s.run, from, to);
  };
  if (!isLong(s.run)) {
    eachUnit(run, u.count * s.groups, s.run, [&](Index group) {
      apply(group, statisticsOf(group, momentsOfGroup<T>(s, x + group * s.run, s.run)), 0, s.run);
    });
    return DONE;
  }
  const Index pieces = ceilDivide(s.run, MAP_TASK);
  Moments* const partial = take<Moments>(run, u.count * s.groups * pieces);
  NormStatistics<T>* const by = partial ? take<NormStatistics<T>>(run, u.count * s.groups) : nullptr;
  if (!by) return OUT_OF_MEMORY;
  eachPiece(run, u.count * s.groups, s.run, [&](Index group, Index from, Index to) {
    partial[group * pieces + from / MAP_TASK] = momentsOfGroup<T>(s, x + group * s.run + from, to - from);
  });
  for (Index group = 0; group < u.count * s.groups; group++) {
    Moments all = partial[group * pieces];
    for (Index piece = 1; piece < pieces; piece++) {
      if (s.centred) join(all, partial[group * pieces + piece]);
      else all.squares += partial[group * pieces + piece].squares;
    }
    by[group] = statisticsOf(group, all);
  }
  eachPiece(run, u.count * s.groups, s.run, [&](Index group, Index from, Index to) { apply(group, by[group], from, to); });
  return DONE;
}

/** By statistics that all samples share. Arrays: x, weight and bias, mean and rstd of each group (all shared), y. */
template <class T> static Status normaliseBy(Run& run, const Units& u) {
  const NormShape s = normShapeOf(u);
  const T *const x = u.array<const T>(0), *const weight = u.array<const T>(1), *const bias = u.array<const T>(2);
  const T *const mean = u.array<const T>(3), *const rstd = u.array<const T>(4);
  T* const y = u.array<T>(5);
  const Index size = s.groups * s.run, row = s.run == 1 ? s.groups : s.inRow();
  const bool streams = isStreamed<T>(u.count * (size / row), row);
  if (s.run == 1) {
    eachUnit(run, u.count, size, [&](Index unit) {
      const T* const from = x + unit * size;
      writeRun<T>(streams, y + unit * size, size, [&](Index i, const auto& some) __attribute__((always_inline)) {
        return fma((some.get(from + i) - some.get(mean + i)) * some.get(rstd + i), some.get(weight + i), some.get(bias + i));
      });
    });
    return DONE;
  }
  eachPiece(run, u.count * s.groups, s.run, [&](Index at, Index from, Index to) {
    const Index group = at % s.groups, channel = group * s.channels;
    normaliseGroup<T>(streams, s, x + at * s.run, weight + channel, bias + channel, mean[group], rstd[group], y + at * s.run, from, to);
  });
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
