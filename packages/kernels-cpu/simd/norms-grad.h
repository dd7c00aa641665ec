// Gradients of normalisations with respect to what was normalised. Where samples have statistics of their own, sums of each group come
// first; where the batch shares them, norms-sums.h has added them up.

namespace ADJOINT_NAMESPACE {

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

}  // namespace ADJOINT_NAMESPACE
