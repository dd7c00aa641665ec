// The weight gradient of few input channels and many output channels: a register holds neighbouring output channels of y, and
// the elements of x that a tap meets are read one by one from a padded copy. So x is neither transposed nor spread out.

namespace ADJOINT_NAMESPACE {

/** dw, summed over the batch image by image, band by band, block by block, in parts: see conv-parts.h. */
template <class T> static Status weightByTaps(Run& run, const ConvShape& s, const T* x, const T* y, T* w) {
  constexpr Index W = Lanes<T>::N;
  ConvPlan<T> plan;
  if (!planForward<T>(run, s, x, nullptr, BY_PHASE, plan)) return OUT_OF_MEMORY;
  const Padded& p = plan.padded;
  const Index* const offsets = plan.phase->offsets;
  const Index m = s.outChannels, lanes = roundUp(m, W), columns = plan.phase->depth;
  const Index outPlane = s.out[0] * s.out[1] * s.out[2];
  const BandUnits units = unitsOf(plan);
  // Rows whose part of y stays in the first-level cache, tap after tap.
  const Index blockRows = larger(1, DEPTH_BLOCK * 2 / Index(sizeof(T)) / larger(1, s.out[2]));
  const Index blocks = ceilDivide(units.bandRows, blockRows);
  const Index xSize = plan.unitSize(), unitSize = roundUp(xSize + units.bandRows * s.out[2] * lanes, 16);
  const Index strips = ceilDivide(m, 2 * W), tapTiles = ceilDivide(columns, TAPS), tiles = strips * tapTiles;
  const Index sumsSize = roundUp(columns * lanes, 16);
  const UnitSums all = {s.groups, units.perGroup, unitSize, sumsSize, p.channels + blocks, tiles, lanes / W};
  const Index sumParts = all.template parts<T>();

  const auto copyPiece = [&](T* copy, Index group, Index unit, Index piece) {
    const UnitPlace at = units.place(unit);
    const Index first = at.band * units.bandRows, bandRows = smaller(units.bandRows, s.out[1] - first);
    if (piece < p.channels) {
      copyUnitChannel(plan, group, at, piece, copy);
      return;
    }
    // Strips of two registers of channels, or one: [block][strip][position][channel].
    const Index r = (piece - p.channels) * blockRows, positions = smaller(blockRows, bandRows - r) * s.out[2];
    const T* from = y + (at.n * s.groups + group) * m * outPlane + (at.depth * s.out[1] + first + r) * s.out[2];
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
  // A register of channels at a time.
  const auto finish = [&](T* sums, Index group, Index task) {
    const Index i = task * W;
    if (sumParts > 1)
      for (Index k = 0; k < columns; k++) {
        T* const to = sums + k * lanes + i;
        Vec<T> total = load(to);
        for (Index part = 1; part < sumParts; part++) total += load(to + part * sumsSize);
        store(to, total);
      }
    pack(sums + i, lanes, Index(1), columns, columns, smaller(W, m - i), w + (group * m + i) * columns);
  };
  return sumUnits<T>(run, all, copyPiece, addTiles, finish);
}

}  // namespace ADJOINT_NAMESPACE
