// The weight gradient of few input channels and many output channels: a register holds neighbouring output channels of y, and
// the elements of x that a tap meets are read one by one from a padded copy. So x is neither transposed nor spread out.

namespace ADJOINT_NAMESPACE {

/** dw, summed over the batch image by image, band by band, block by block, always in that order. */
template <class T> static Status weightByTaps(Run& run, const ConvShape& s, const T* x, const T* y, T* w) {
  constexpr Index W = Lanes<T>::N;
  ConvPlan<T> plan;
  if (!planForward<T>(run, s, x, nullptr, BY_PHASE, plan)) return OUT_OF_MEMORY;
  const Padded& p = plan.padded;
  const Index* const offsets = plan.phase->offsets;
  const Index m = s.outChannels, lanes = roundUp(m, W), columns = plan.phase->depth;
  const Index outPlane = s.out[0] * s.out[1] * s.out[2];
  const WeightUnits units = {plan.depths, plan.bands, plan.bandRows, s.batch * plan.depths * plan.bands};
  // Rows whose part of y stays in the first-level cache, tap after tap.
  const Index blockRows = larger(1, DEPTH_BLOCK * 2 / Index(sizeof(T)) / larger(1, s.out[2]));
  const Index blocks = ceilDivide(units.bandRows, blockRows), parts = p.channels + blocks;
  const Index xSize = plan.unitSize(), unitSize = roundUp(xSize + units.bandRows * s.out[2] * lanes, 16);
  const Index strips = ceilDivide(m, 2 * W), tapTiles = ceilDivide(columns, TAPS), tiles = strips * tapTiles;
  const Index sumsSize = roundUp(columns * lanes, 16);

  const auto copyPart = [&](T* copy, Index group, Index unit, Index part) {
    Index n, depth, band;
    units.place(unit, n, depth, band);
    const Index first = band * units.bandRows, bandRows = smaller(units.bandRows, s.out[1] - first);
    if (part < p.channels) {
      const Index channel = (n * s.groups + group) * p.channels + part;
      copyChannel(p, x + channel * plan.sourcePlane(), depth, first, copy + part * p.channelSize());
      return;
    }
    // Strips of two registers of channels, or one: [block][strip][position][channel].
    const Index r = (part - p.channels) * blockRows, positions = smaller(blockRows, bandRows - r) * s.out[2];
    const T* from = y + (n * s.groups + group) * m * outPlane + (depth * s.out[1] + first + r) * s.out[2];
    T* to = copy + xSize + r * s.out[2] * lanes;
    for (Index i = 0; i < m && positions > 0; i += 2 * W)
      pack(from + i * outPlane, outPlane, Index(1), smaller(2 * W, m - i), smaller(2 * W, lanes - i), positions, to + i * positions);
  };
  const auto addTiles = [&](const T* copy, T* sums, Index unit, Index first, Index last) {
    const Index bandRows = smaller(units.bandRows, s.out[1] - unit % units.bands * units.bandRows);
    for (Index r = 0; r < bandRows; r += blockRows) {
      const Index rows = smaller(blockRows, bandRows - r);
      for (Index t = first; t < last; t++) {
        const Index i = t % strips * 2 * W, j = t / strips * TAPS;
        const auto tile = lanes - i > W ? tileTaps<T, 2> : tileTaps<T, 1>;
        tile(rows, s.out[2], copy + r * p.pitch, p.pitch - s.out[2], offsets + j, smaller(TAPS, columns - j),
             copy + xSize + (r * lanes + i * rows) * s.out[2], sums + j * lanes + i, lanes);
      }
    }
  };
  const auto finish = [&](const T* sums, Index group, Index i) {
    for (Index k = 0; k < columns; k++) w[(group * m + i) * columns + k] = sums[k * lanes + i];
  };

  if (s.groups >= 4 * run.threads || (run.threads == 1 && s.groups > 1)) {
    T* space = take<T>(run, run.threads * (unitSize + sumsSize));
    if (!space) return OUT_OF_MEMORY;
    parallel(run, s.groups, [&](Index group, int thread) {
      T* const copy = space + thread * (unitSize + sumsSize);
      T* const sums = copy + unitSize;
      zero(sums, sumsSize);
      for (Index unit = 0; unit < units.perGroup; unit++) {
        for (Index part = 0; part < parts; part++) copyPart(copy, group, unit, part);
        addTiles(copy, sums, unit, 0, tiles);
      }
      for (Index i = 0; i < m; i++) finish(sums, group, i);
    });
    return DONE;
  }
  const Index wave = waveOf(run, units.perGroup, unitSize * Index(sizeof(T)));
  T* copies = take<T>(run, wave * unitSize);
  T* sums = take<T>(run, sumsSize);
  if (!copies || !sums) return OUT_OF_MEMORY;
  for (Index group = 0; group < s.groups; group++) {
    zero(sums, sumsSize);
    for (Index w0 = 0; w0 < units.perGroup; w0 += wave) {
      const Index count = smaller(wave, units.perGroup - w0);
      parallel(run, count * parts, [&](Index t, int) { copyPart(copies + t / parts * unitSize, group, w0 + t / parts, t % parts); });
      const Index tasks = smaller(tiles, run.threads == 1 ? 1 : 4 * run.threads);
      parallel(run, tasks, [&](Index task, int) {
        for (Index u = 0; u < count; u++)
          addTiles(copies + u * unitSize, sums, w0 + u, tiles * task / tasks, tiles * (task + 1) / tasks);
      });
    }
    parallel(run, m, [&](Index i, int) { finish(sums, group, i); });
  }
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
