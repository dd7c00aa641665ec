// A unit of a plan, which is a band of output rows of one image and group: the padded copy of what it reads, and where it writes.

namespace ADJOINT_NAMESPACE {

/** A unit within its group: image, depth and band of rows of the output. */
struct UnitPlace {
  Index n, depth, band;
};

/** The units of one group, in order. */
struct BandUnits {
  Index depths, bands, bandRows, perGroup;
  UnitPlace place(Index unit) const { return {unit / bands / depths, unit / bands % depths, unit % bands}; }
};

template <class T> INLINE BandUnits unitsOf(const ConvPlan<T>& plan) {
  return {plan.depths, plan.bands, plan.bandRows, plan.batch * plan.depths * plan.bands};
}

/** to[j] = from[j · step]. */
template <class T> INLINE void copySteps(T* to, const T* from, Index step, Index n) {
  if (step == 1) {
    copyRun(to, from, n);
    return;
  }
  constexpr Index N = Lanes<T>::N;
  Index j = 0;
  if (step == 2 && n >= N) {
    for (; j + N <= n; j += N) store(to + j, loadEvens(from + 2 * j));
    if (j < n) store(to + n - N, loadEvens(from + 2 * (n - N)));
    return;
  }
  if (step == 2 && N > 4 && n >= 4) {
    const auto four = [&](Index at) {
      store4(to + at, __builtin_shufflevector(load4(from + 2 * at), load4(from + 2 * at + 3), 0, 2, 5, 7));
    };
    for (; j + 4 <= n; j += 4) four(j);
    if (j < n) four(n - 4);
    return;
  }
  for (; j < n; j++) to[j] = from[j * step];
}

/** Fills the copy of one channel for the unit at (depth, first row of its band). `image` is the channel's source. */
template <class T> static void copyChannel(const Padded& p, const T* image, Index depth, Index firstRow, T* to) {
  for (Index slice = 0; slice < p.slices; slice++) {
    const Index d = depth * p.scale[0] + p.origin[0] + slice * p.sliceStep;
    if (d < 0 || d >= p.extent[0]) {
      const Index size = p.rowPhases * p.columnPhases * p.planeSize();
      zero(to, size);
      to += size;
      continue;
    }
    const T* plane = image + d * p.extent[1] * p.extent[2];
    for (Index rp = 0; rp < p.rowPhases; rp++)
      for (Index cp = 0; cp < p.columnPhases; cp++) {
        // Column j of the copy is column start + j · scale of the source, if that is there.
        const Index start = p.origin[2] + p.columnPhase[cp], scale = p.scale[2];
        const Index low = start < 0 ? smaller(p.pitch, ceilDivide(-start, scale)) : 0;
        const Index high = larger(low, start < p.extent[2] ? smaller(p.pitch, ceilDivide(p.extent[2] - start, scale)) : 0);
        for (Index r = 0; r < p.rows; r++, to += p.pitch) {
          const Index h = (firstRow + r) * p.scale[1] + p.origin[1] + p.rowPhase[rp];
          if (h < 0 || h >= p.extent[1]) {
            zero(to, p.pitch);
            continue;
          }
          zeroEnds(to, low, high, p.pitch);
          copySteps(to + low, plane + h * p.extent[2] + start + low * scale, scale, high - low);
        }
      }
  }
}

/** Fills the copy of one channel of a unit. */
template <class T> INLINE void copyUnitChannel(const ConvPlan<T>& plan, Index group, UnitPlace at, Index channel, T* copy) {
  const Padded& p = plan.padded;
  const T* image = plan.source + ((at.n * plan.groups + group) * p.channels + channel) * plan.sourcePlane();
  copyChannel(p, image, at.depth, at.band * plan.bandRows * plan.readStep[0], copy + channel * p.channelSize());
}

/** Where one unit writes: its first row, at column 0. */
template <class T> struct UnitTarget {
  T* data;
  Index rows;
};

template <class T>
INLINE UnitTarget<T> targetOf(const ConvPlan<T>& plan, const OutputPhase<T>& phase, Index group, UnitPlace at) {
  const Index j = at.band * plan.bandRows;
  const Index rows = at.depth < phase.count[0] ? smaller(plan.bandRows, phase.count[1] - j) : 0;
  const Index d = phase.first[0] + at.depth * plan.outStep[0], h = phase.first[1] + j * plan.outStep[1];
  T* image = plan.target + (at.n * plan.groups + group) * plan.m * plan.outPlane();
  return {image + (d * plan.outExtent[1] + h) * plan.outExtent[2], larger(0, rows)};
}

/** to[j · step + c] = from[c · fromStep + j] for every column phase c, as far as that index is below n. */
template <class T> INLINE void putColumns(T* to, Index phases, Index step, const T* from, Index fromStep, Index n) {
  if (step == 1) {
    copyRun(to, from, n);
    return;
  }
  Index first = 0;
  if (step == 2 && phases == 2)
    for (; 2 * first + 8 <= n; first += 4) interleave4(from + first, from + fromStep + first, to + 2 * first);
  for (Index c = 0; c < phases; c++)
    for (Index j = first; j * step + c < n; j++) to[j * step + c] = from[c * fromStep + j];
}

}  // namespace ADJOINT_NAMESPACE
