// Normalisations and their gradients. A unit is a sample of groups × channels × places elements; its statistics are those of each
// group of the sample, or those of the group over the batch. Weight and bias belong to (group, channel).

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

/** Σ gw and Σ gw x̂ of elements of a group. */
struct GradSums {
  double ones, products;
};

template <class T>
static GradSums gradSums(const NormShape& s, const T* g, const T* x, const T* weight, Vec<T> mean, Vec<T> rstd, Index from, Index to) {
  DoubleSum<T> ones, products;
  if (s.places == 1) {
    sumsOf<T>(to - from, ones, products, [&](Index j, const auto& some, Vec<T>& a, Vec<T>& b) __attribute__((always_inline)) {
      const Index i = from + j;
      a = some.get(g + i) * some.get(weight + i);
      b = some.keep(a * ((some.get(x + i) - mean) * rstd));
    });
  } else {
    eachChannel(s, from, to, [&](Index first, Index end, Index c) {
      const Vec<T> w = splat(weight[c]);
      sumsOf<T>(end - first, ones, products, [&](Index i, const auto& some, Vec<T>& a, Vec<T>& b) __attribute__((always_inline)) {
        a = some.keep(some.get(g + first + i) * w);
        b = some.keep(a * ((some.get(x + first + i) - mean) * rstd));
      });
    });
  }
  return {ones.total(), products.total()};
}

/** rstd · (gw − average − x̂ slope). */
template <class T>
static void gradOfGroup(bool streams, const NormShape& s, const T* g, const T* x, const T* weight, Vec<T> mean, Vec<T> rstd, GradSums sums, T* out, Index from, Index to) {
  const Vec<T> average = splat(s.centred ? T(sums.ones / double(s.run)) : T(0)), slope = splat(T(sums.products / double(s.run)));
  const Index ahead = nextOf<T>(s.run);
  if (s.places == 1) {
    writeRun<T>(streams, out + from, to - from, [&](Index j, const auto& some) __attribute__((always_inline)) {
      const Index i = from + j;
      fetch(g + i + ahead);
      fetch(x + i + ahead);
      return rstd * (some.get(g + i) * some.get(weight + i) - average - (some.get(x + i) - mean) * rstd * slope);
    });
    return;
  }
  eachChannel(s, from, to, [&](Index first, Index end, Index c) {
    const Vec<T> w = splat(weight[c]);
    writeRun<T>(streams, out + first, end - first, [&](Index i, const auto& some) __attribute__((always_inline)) {
      fetch(g + first + i + ahead);
      fetch(x + first + i + ahead);
      return rstd * (some.get(g + first + i) * w - average - (some.get(x + first + i) - mean) * rstd * slope);
    });
  });
}

/** rstd · (gw − mean(gw) − x̂ mean(gw x̂)) per group. Arrays: cotangent, x, weight (shared), mean, rstd, out. */
template <class T> static Status normaliseSamplesGrad(Run& run, const Units& u) {
  const NormShape s = normShapeOf(u);
  const T *const g = u.array<const T>(0), *const x = u.array<const T>(1), *const weight = u.array<const T>(2);
  const T *const mean = u.array<const T>(3), *const rstd = u.array<const T>(4);
  T* const out = u.array<T>(5);
  const auto sumUp = [&](Index group, Index from, Index to) {
    const T* const ws = weight + group % s.groups * s.channels;
    return gradSums<T>(s, g + group * s.run, x + group * s.run, ws, splat(mean[group]), splat(rstd[group]), from, to);
  };
  const bool streams = isStreamed<T>(u.count * s.groups * (s.run / s.inRow()), s.inRow());
  const auto apply = [&](Index group, const GradSums& sums, Index from, Index to) {
    const T* const ws = weight + group % s.groups * s.channels;
    gradOfGroup<T>(streams, s, g + group * s.run, x + group * s.run, ws, splat(mean[group]), splat(rstd[group]), sums, out + group * s.run, from, to);
  };
  if (!isLong(s.run)) {
    eachUnit(run, u.count * s.groups, s.run, [&](Index group) { apply(group, sumUp(group, 0, s.run), 0, s.run); });
    return DONE;
  }
  const Index pieces = ceilDivide(s.run, MAP_TASK);
  GradSums* const partial = take<GradSums>(run, u.count * s.groups * pieces);
  if (!partial) return OUT_OF_MEMORY;
  eachPiece(run, u.count * s.groups, s.run, [&](Index group, Index from, Index to) { partial[group * pieces + from / MAP_TASK] = sumUp(group, from, to); });
  for (Index group = 0; group < u.count * s.groups; group++) {
    GradSums& all = partial[group * pieces];
    for (Index piece = 1; piece < pieces; piece++) {
      all.ones += partial[group * pieces + piece].ones;
      all.products += partial[group * pieces + piece].products;
    }
  }
  eachPiece(run, u.count * s.groups, s.run, [&](Index group, Index from, Index to) { apply(group, partial[group * pieces], from, to); });
  return DONE;
}

/** scale · g + slope · (x − mean) + shift. Arrays: g, x; mean, scale, slope and shift of each (group, channel), shared; out. */
template <class T> static Status normaliseByGrad(Run& run, const Units& u) {
  const NormShape s = normShapeOf(u);
  const T *const g = u.array<const T>(0), *const x = u.array<const T>(1), *const mean = u.array<const T>(2);
  const T *const scale = u.array<const T>(3), *const slope = u.array<const T>(4), *const shift = u.array<const T>(5);
  T* const out = u.array<T>(6);
  const Index channels = s.groups * s.channels, row = s.places == 1 ? channels : s.places;
  const bool streams = isStreamed<T>(u.count * (channels * s.places / row), row);
  if (s.places == 1) {
    eachUnit(run, u.count, channels, [&](Index unit) {
      const Index at = unit * channels;
      writeRun<T>(streams, out + at, channels, [&](Index i, const auto& some) __attribute__((always_inline)) {
        const Vec<T> far = (some.get(x + at + i) - some.get(mean + i)) * some.get(slope + i);
        return some.get(scale + i) * some.get(g + at + i) + (far + some.get(shift + i));
      });
    });
    return DONE;
  }
  eachPiece(run, u.count * channels, s.places, [&](Index plane, Index from, Index to) {
    const Index c = plane % channels, at = plane * s.places + from;
    const Vec<T> m = splat(mean[c]), a = splat(scale[c]), b = splat(slope[c]), d = splat(shift[c]);
    writeRun<T>(streams, out + at, to - from, [&](Index i, const auto& some) __attribute__((always_inline)) {
      return a * some.get(g + at + i) + ((some.get(x + at + i) - m) * b + d);
    });
  });
  return DONE;
}

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
