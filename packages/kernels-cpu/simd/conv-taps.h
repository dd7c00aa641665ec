// The weight gradient of few input channels and many output channels: a register holds neighbouring output channels of y, and
// the elements of x that a tap meets are read one by one from a padded copy. So x is neither transposed nor spread out.

namespace ADJOINT_NAMESPACE {

/** Sums that are made apart and added up in the end, and what they may take, in bytes. */
enum { TAP_PARTS = 16, TAP_BYTES = 2 << 20 };

/**
 * dw, summed over the batch image by image, band by band, block by block, in parts that depend on the sizes alone: each is summed by one
 * thread, from copies that no other reads, and all are added up in order. Of a single part the threads share the tiles.
 */
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
  const Index room = TAP_BYTES / Index(sizeof(T)) / larger(1, sumsSize);
  const Index sumParts = units.perGroup < 4 || room < 4 ? 1 : smaller(units.perGroup, smaller(room, Index(TAP_PARTS)));

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
  /** `sums` are those of each part of a group. */
  const auto finish = [&](T* sums, Index group, Index i) {
    for (Index k = 0; k < columns; k++) {
      T total = sums[k * lanes + i];
      for (Index part = 1; part < sumParts; part++) total += sums[part * sumsSize + k * lanes + i];
      w[(group * m + i) * columns + k] = total;
    }
  };

  const Index groupsAtOnce = smaller(s.groups, ceilDivide(4 * run.threads, sumParts));
  if (sumParts > 1 || groupsAtOnce >= run.threads) {
    T* const copies = take<T>(run, run.threads * unitSize);
    T* const sums = take<T>(run, groupsAtOnce * sumParts * sumsSize);
    if (!copies || !sums) return OUT_OF_MEMORY;
    for (Index first = 0; first < s.groups; first += groupsAtOnce) {
      const Index count = smaller(groupsAtOnce, s.groups - first);
      parallel(run, count * sumParts, [&](Index task, int thread) {
        T* const copy = copies + thread * unitSize;
        T* const to = sums + task * sumsSize;
        zero(to, sumsSize);
        const Index part = task % sumParts, last = shareOf(units.perGroup, part + 1, sumParts);
        for (Index unit = shareOf(units.perGroup, part, sumParts); unit < last; unit++) {
          for (Index piece = 0; piece < parts; piece++) copyPart(copy, first + task / sumParts, unit, piece);
          addTiles(copy, to, unit, 0, tiles);
        }
      });
      parallel(run, count * m, [&](Index t, int) { finish(sums + t / m * sumParts * sumsSize, first + t / m, t % m); });
    }
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
