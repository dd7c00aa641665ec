// Normalisations and their gradients. A unit is a sample of groups × channels × places elements; its statistics are those of each
// group of the sample, or those of the group over the batch. Weight and bias belong to (group, channel).

namespace ADJOINT_NAMESPACE {

struct NormShape {
  Index groups, channels, places, run;
  double eps;
  bool centred;
};

/** Numbers: groups, channels, places, epsilon, 1 if the mean is taken off. */
INLINE NormShape normShapeOf(const Units& u) {
  const double* n = u.numbers;
  return {Index(n[0]), Index(n[1]), Index(n[2]), Index(n[1]) * Index(n[2]), n[3], n[4] != 0};
}

/** Calls `body(i, some, channel values…)` for the registers of a group: values of channels are vectors, or one number in all lanes. */
template <class T, class F> INLINE void eachChannelVector(const NormShape& s, const T* perChannel, const F& body) {
  if (s.places == 1) {
    eachVector<T>(s.run, [&](Index i, const auto& some) __attribute__((always_inline)) { body(i, some, some.get(perChannel + i)); });
    return;
  }
  for (Index c = 0; c < s.channels; c++) {
    const Vec<T> value = splat(perChannel[c]);
    const Index first = c * s.places;
    eachVector<T>(s.places, [&](Index i, const auto& some) __attribute__((always_inline)) { body(first + i, some, value); });
  }
}

template <class T> static Moments squaresOfRun(const T* x, Index n) {
  DoubleSum<T> sum;
  eachVector<T>(n, [&](Index i, const auto& some) __attribute__((always_inline)) {
    const Vec<T> v = some.get(x + i);
    sum.add(v * v);
  });
  return {double(n), 0, sum.total()};
}

/** y = (x − mean) · rstd · weight + bias for one group. */
template <class T> static void normaliseGroup(const NormShape& s, const T* x, const T* weight, const T* bias, T mean, T rstd, T* y) {
  const Vec<T> m = splat(mean), r = splat(rstd);
  if (s.places == 1) {
    eachVector<T>(s.run, [&](Index i, const auto& some) __attribute__((always_inline)) {
      some.put(y + i, fma((some.get(x + i) - m) * r, some.get(weight + i), some.get(bias + i)));
    });
    return;
  }
  for (Index c = 0; c < s.channels; c++) {
    const Vec<T> w = splat(weight[c]), b = splat(bias[c]);
    const Index first = c * s.places;
    eachVector<T>(s.places, [&](Index i, const auto& some) __attribute__((always_inline)) {
      some.put(y + first + i, fma((some.get(x + first + i) - m) * r, w, b));
    });
  }
}

/** Each group of each sample by its own statistics. Arrays: x, weight and bias (shared), y; mean and rstd, one of each group. */
template <class T> static Status normaliseSamples(Run& run, const Units& u) {
  const NormShape s = normShapeOf(u);
  const T *const x = u.array<const T>(0), *const weight = u.array<const T>(1), *const bias = u.array<const T>(2);
  T *const y = u.array<T>(3), *const mean = u.array<T>(4), *const rstd = u.array<T>(5);
  eachUnit(run, u.count * s.groups, s.run, [&](Index group) {
    const T* const from = x + group * s.run;
    const Index channel = group % s.groups * s.channels;
    const Moments all = s.centred ? momentsOfRun<T>(from, s.run) : squaresOfRun<T>(from, s.run);
    mean[group] = T(all.mean);
    rstd[group] = T(1 / __builtin_sqrt(all.squares / double(s.run) + s.eps));
    normaliseGroup<T>(s, from, weight + channel, bias + channel, mean[group], rstd[group], y + group * s.run);
  });
  return DONE;
}

/** By statistics that all samples share. Arrays: x, weight and bias, mean and rstd of each group (all shared), y. */
template <class T> static Status normaliseBy(Run& run, const Units& u) {
  const NormShape s = normShapeOf(u);
  const T *const x = u.array<const T>(0), *const weight = u.array<const T>(1), *const bias = u.array<const T>(2);
  const T *const mean = u.array<const T>(3), *const rstd = u.array<const T>(4);
  T* const y = u.array<T>(5);
  const Index size = s.groups * s.run;
  if (s.run == 1) {
    eachUnit(run, u.count, size, [&](Index unit) {
      const T* const from = x + unit * size;
      eachVector<T>(size, [&](Index i, const auto& some) __attribute__((always_inline)) {
        some.put(y + unit * size + i, fma((some.get(from + i) - some.get(mean + i)) * some.get(rstd + i), some.get(weight + i), some.get(bias + i)));
      });
    });
    return DONE;
  }
  eachUnit(run, u.count * s.groups, s.run, [&](Index at) {
    const Index group = at % s.groups, channel = group * s.channels;
    normaliseGroup<T>(s, x + at * s.run, weight + channel, bias + channel, mean[group], rstd[group], y + at * s.run);
  });
  return DONE;
}

/** rstd · (gw − mean(gw) − x̂ mean(gw x̂)) per group. Arrays: cotangent, x, weight (shared), mean, rstd, out. */
template <class T> static Status normaliseSamplesGrad(Run& run, const Units& u) {
  const NormShape s = normShapeOf(u);
  const T *const g = u.array<const T>(0), *const x = u.array<const T>(1), *const weight = u.array<const T>(2);
  const T *const mean = u.array<const T>(3), *const rstd = u.array<const T>(4);
  T* const out = u.array<T>(5);
  eachUnit(run, u.count * s.groups, s.run, [&](Index group) {
    const T *const gs = g + group * s.run, *const xs = x + group * s.run;
    const T* const ws = weight + group % s.groups * s.channels;
    const Vec<T> m = splat(mean[group]), r = splat(rstd[group]);
    DoubleSum<T> sum, product;
    eachChannelVector<T>(s, ws, [&](Index i, const auto& some, Vec<T> w) __attribute__((always_inline)) {
      const Vec<T> gw = some.get(gs + i) * w;
      sum.add(gw);
      product.add(gw * ((some.get(xs + i) - m) * r));
    });
    const Vec<T> average = splat(s.centred ? T(sum.total() / double(s.run)) : T(0)), slope = splat(T(product.total() / double(s.run)));
    eachChannelVector<T>(s, ws, [&](Index i, const auto& some, Vec<T> w) __attribute__((always_inline)) {
      const Vec<T> centred = (some.get(xs + i) - m) * r;
      some.put(out + group * s.run + i, r * (some.get(gs + i) * w - average - centred * slope));
    });
  });
  return DONE;
}

/** scale · g + slope · (x − mean) + shift. Arrays: g, x; mean, scale, slope and shift of each (group, channel), shared; out. */
template <class T> static Status normaliseByGrad(Run& run, const Units& u) {
  const NormShape s = normShapeOf(u);
  const T *const g = u.array<const T>(0), *const x = u.array<const T>(1), *const mean = u.array<const T>(2);
  const T *const scale = u.array<const T>(3), *const slope = u.array<const T>(4), *const shift = u.array<const T>(5);
  T* const out = u.array<T>(6);
  const Index channels = s.groups * s.channels;
  if (s.places == 1) {
    eachUnit(run, u.count, channels, [&](Index unit) {
      const Index at = unit * channels;
      eachVector<T>(channels, [&](Index i, const auto& some) __attribute__((always_inline)) {
        const Vec<T> far = (some.get(x + at + i) - some.get(mean + i)) * some.get(slope + i);
        some.put(out + at + i, some.get(scale + i) * some.get(g + at + i) + (far + some.get(shift + i)));
      });
    });
    return DONE;
  }
  eachUnit(run, u.count * channels, s.places, [&](Index plane) {
    const Index c = plane % channels, at = plane * s.places;
    const Vec<T> m = splat(mean[c]), a = splat(scale[c]), b = splat(slope[c]), d = splat(shift[c]);
    eachVector<T>(s.places, [&](Index i, const auto& some) __attribute__((always_inline)) {
      some.put(out + at + i, a * some.get(g + at + i) + ((some.get(x + at + i) - m) * b + d));
    });
  });
  return DONE;
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
  // Where channels lie side by side and each has statistics of its own, or all have the same.
  const bool one = s.groups == 1, columns = s.places == 1 && (one || s.channels == 1);
  const Index width = columns ? Index(MOMENT_COLUMNS) : larger(1, smaller(channels, MAP_TASK / s.places)), blocks = ceilDivide(channels, width);
  const Index unitsEach = columns ? Index(MOMENT_ROWS) : larger(1, MAP_TASK / s.places), chunks = ceilDivide(u.count, unitsEach);
  double* const partial = take<double>(run, chunks * 2 * channels);
  if (!partial) return OUT_OF_MEMORY;
  eachUnit(run, chunks * blocks, smaller(width, channels) * smaller(unitsEach, u.count) * s.places, [&](Index task) {
    const Index block = task % blocks, chunk = task / blocks, first = block * width, n = smaller(width, channels - first);
    const Index begin = chunk * unitsEach, end = smaller(u.count, begin + unitsEach);
    double *const sum = partial + chunk * 2 * channels + first, *const product = sum + channels;
    if (!columns) {
      for (Index c = 0; c < n; c++) {
        const Index group = (first + c) / s.channels;
        DoubleSum<T> ones, twos;
        double total = 0, weighted = 0;
        for (Index unit = begin; unit < end; unit++) {
          const T *const gs = g + unit * size + (first + c) * s.places, *const xs = x + unit * size + (first + c) * s.places;
          const Vec<T> m = splat(mean[unit * statistics + group]), r = splat(rstd[unit * statistics + group]);
          eachVector<T>(s.places, [&](Index i, const auto& some) __attribute__((always_inline)) {
            const Vec<T> v = some.get(gs + i);
            ones.add(v);
            twos.add(v * ((some.get(xs + i) - m) * r));
          });
        }
        total += ones.total();
        weighted += twos.total();
        sum[c] = total;
        product[c] = weighted;
      }
      return;
    }
    LineTotals ones, twos;
    ones.start(LINE_COLUMNS);
    twos.start(LINE_COLUMNS);
    for (Index unit = begin; unit < end; unit++) {
      const T *const gs = g + unit * size + first, *const xs = x + unit * size + first;
      const T *const ms = mean + unit * statistics, *const rs = rstd + unit * statistics;
      eachVector<T>(n, [&](Index i, const auto& some) __attribute__((always_inline)) {
        const Vec<T> m = one ? splat(ms[0]) : some.get(ms + first + i), r = one ? splat(rs[0]) : some.get(rs + first + i);
        const Vec<T> v = some.get(gs + i);
        LineTotals::addTo(ones.value + i, v);
        LineTotals::addTo(twos.value + i, v * ((some.get(xs + i) - m) * r));
      });
    }
    for (Index i = 0; i < n; i++) {
      sum[i] = ones.value[i];
      product[i] = twos.value[i];
    }
  });
  for (Index i = 0; i < 2 * channels; i++)
    for (Index chunk = 0; chunk < chunks; chunk++) sums[i] += partial[chunk * 2 * channels + i];
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
