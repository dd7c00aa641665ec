// The weight gradient, summed over the batch image by image, band by band, always in that order.
//
// With many input channels x is turned channels-last once, so that a register holds neighbouring channels and no matrix of taps
// is needed; of 3 × 3 taps the tiles are transformed besides (conv-winograd-weight.h). With few, and many output channels, y is
// (conv-taps.h); with few of both, inner products along rows do without.
// All give one element to one thread for the whole sum.

namespace ADJOINT_NAMESPACE {

/** dw as products of rows of y with channels-last x. */
template <class T> static Status weightByChannels(Run& run, const ConvShape& s, const T* x, const T* y, T* w) {
  constexpr Index N = Tile<T>::N;
  const Index taps = s.kernel[0] * s.kernel[1] * s.kernel[2];
  const Index channels = roundUp(s.inChannels, N), m = s.outChannels, height = tileRowsFor(m), strips = ceilDivide(m, height);
  const Index inPlane = s.in[0] * s.in[1] * s.in[2], outPlane = s.out[0] * s.out[1] * s.out[2];
  // Columns that are read, and rows that a band reads.
  const Index pitch = (s.out[2] - 1) * s.stride[2] + (s.kernel[2] - 1) * s.dilation[2] + 1;
  const Index overlap = (s.kernel[1] - 1) * s.dilation[1];
  BandUnits units;
  units.bandRows = bandRowsFor(s.out[1], s.kernel[0] * pitch * channels * s.stride[1] * Index(sizeof(T)), overlap / s.stride[1]);
  units.bands = ceilDivide(s.out[1], units.bandRows);
  units.depths = s.out[0];
  units.perGroup = s.batch * units.depths * units.bands;
  const Index rows = (units.bandRows - 1) * s.stride[1] + overlap + 1;
  const Index xSize = roundUp(s.kernel[0] * rows * pitch * channels, 16), ySize = roundUp(m * units.bandRows * s.out[2], 16);
  // Rows of y whose strip and columns stay in the first-level cache.
  const Index rowsPerBlock = larger(1, DEPTH_BLOCK * 4 / Index(sizeof(T)) / s.out[2]);
  // Short units are summed up in bundles, as long as such a block: a tile puts its sums down once for all of them. Their number depends
  // on the sizes alone.
  const Index fit = smaller(rowsPerBlock / units.bandRows, WAVE_BYTES / ((xSize + ySize) * Index(sizeof(T))));
  const Index bundle = ceilDivide(larger(1, units.perGroup), ceilDivide(larger(1, units.perGroup), larger(1, fit)));
  const Index bundles = ceilDivide(units.perGroup, bundle), bundleSize = bundle * (xSize + ySize);
  const Index wave = waveOf(run, bundles, bundleSize * Index(sizeof(T)));
  const Index columns = taps * (channels / N);
  T* copies = take<T>(run, wave * bundleSize);
  T* sums = take<T>(run, m * taps * channels);
  Index* starts = take<Index>(run, run.threads * rowsPerBlock);
  if (!copies || !sums || !starts) return OUT_OF_MEMORY;
  /** Rows from r on that belong to one block, of units [first, last). */
  const auto rowsOf = [&](Index first, Index last, Index r) {
    Index count = 0;
    for (Index unit = first; unit < last; unit++)
      count += larger(0, smaller(rowsPerBlock, smaller(units.bandRows, s.out[1] - unit % units.bands * units.bandRows) - r));
    return count;
  };
  for (Index group = 0; group < s.groups; group++) {
    parallelShares(run, m, [&](Index i, int) { zero(sums + i * taps * channels, taps * channels); });
    for (Index b0 = 0; b0 < bundles; b0 += wave) {
      const Index first = b0 * bundle, count = smaller(wave * bundle, units.perGroup - first);
      // Of x rows of N channels, [channels / N][depth][row][column][N]: so few channels are read in as many streams as a processor foresees, and
      // what a tile reads of them lies together.
      const Index slabs = s.kernel[0] * rows, pieces = channels / N * slabs + strips;
      parallelShares(run, count * pieces, [&](Index t, int) {
        const Index local = t / pieces, unit = first + local, part = t % pieces;
        const UnitPlace at = units.place(unit);
        const Index row = at.band * units.bandRows;
        T* const copy = copies + local / bundle * bundleSize;
        if (part >= pieces - strips) {
          // Strips of y, block of rows by block of rows, each [unit][position][row of the strip].
          const Index i = (part - (pieces - strips)) * height, high = smaller(height, m - i), from = unit - local % bundle;
          const T* const y0 = y + ((at.n * s.groups + group) * m + i) * outPlane + (at.depth * s.out[1] + row) * s.out[2];
          for (Index r = 0; r < units.bandRows; r += rowsPerBlock) {
            const Index all = rowsOf(from, smaller(from + bundle, units.perGroup), r), before = rowsOf(from, unit, r);
            pack(y0 + r * s.out[2], outPlane, Index(1), high, high, rowsOf(unit, unit + 1, r) * s.out[2],
                 copy + bundle * xSize + (r * m + all * i + before * high) * s.out[2]);
          }
          return;
        }
        // Rows that no tap meets, of a stride beyond the kernel's reach.
        if (part % rows % s.stride[1] > overlap) return;
        const Index c = part / slabs * N, d = at.depth * s.stride[0] - s.padding[0] + part % slabs / rows * s.dilation[0];
        const Index h = row * s.stride[1] - s.padding[1] + part % rows;
        T* to = copy + local % bundle * xSize + part * pitch * N;
        if (d < 0 || d >= s.in[0] || h < 0 || h >= s.in[1]) {
          zero(to, pitch * N);
          return;
        }
        const Index low = smaller(s.padding[2], pitch), high = larger(low, smaller(pitch, s.in[2] + s.padding[2]));
        zero(to, low * N);
        const T* from = x + ((at.n * s.groups + group) * s.inChannels + c) * inPlane + (d * s.in[1] + h) * s.in[2];
        pack(from + low - s.padding[2], inPlane, Index(1), smaller(N, s.inChannels - c), N, high - low, to + low * N);
        zero(to + high * N, (pitch - high) * N);
      });
      const Index tiles = columns * strips, tasks = smaller(tiles, run.threads == 1 ? 1 : 4 * run.threads);
      parallel(run, tasks, [&](Index task, int thread) {
        Index* const own = starts + thread * rowsPerBlock;
        for (Index from = first; from < first + count; from += bundle)
          for (Index r = 0; r < units.bandRows; r += rowsPerBlock) {
            const T* const copy = copies + (from - first) / bundle * bundleSize;
            Index runs = 0;
            for (Index unit = from; unit < smaller(from + bundle, units.perGroup); unit++)
              for (Index j = 0; j < rowsOf(unit, unit + 1, r); j++)
                own[runs++] = (unit - from) * xSize + (r + j) * s.stride[1] * pitch * N;
            for (Index t = tiles * task / tasks; t < tiles * (task + 1) / tasks; t++) {
              const Index column = t / strips, i = t % strips * height;
              const Index tap = column % taps, c = column / taps * N;
              const Index kw = tap % s.kernel[2], kh = tap / s.kernel[2] % s.kernel[1], kd = tap / s.kernel[2] / s.kernel[1];
              Tiles<T>::rows[smaller(height, m - i)](runs, own, s.out[2], copy + bundle * xSize + (r * m + runs * i) * s.out[2],
                                                     copy + c * slabs * pitch + ((kd * rows + kh * s.dilation[1]) * pitch + kw * s.dilation[2]) * N,
                                                     s.stride[2] * N, sums + (i * taps + tap) * channels + c, taps * channels, true);
            }
          }
      });
    }
    parallelShares(run, m, [&](Index i, int) {
      pack(sums + i * taps * channels, channels, Index(1), taps, taps, s.inChannels, w + (group * m + i) * s.inChannels * taps);
    });
  }
  return DONE;
}

/** dw as inner products of rows of y with rows of the padded copies of x. */
template <class T> static Status weightByRows(Run& run, const ConvShape& s, const T* x, const T* y, T* w) {
  constexpr Index W = Lanes<T>::N;
  ConvPlan<T> plan;
  if (!planForward<T>(run, s, x, nullptr, BY_PHASE, plan)) return OUT_OF_MEMORY;
  const Padded& p = plan.padded;
  const OutputPhase<T>& phase = plan.phase[0];
  const Index m = s.outChannels, columns = phase.depth;
  const Index xSize = plan.unitSize(), yRow = roundUp(plan.bandRows * p.pitch, W), unitSize = roundUp(xSize + m * yRow, 16);
  const Index outPlane = s.out[0] * s.out[1] * s.out[2];
  const BandUnits units = unitsOf(plan);
  const Index tileRows = ceilDivide(m, ceilDivide(m, Index(Tiles<T>::DOT_ROWS))), tileColumns = Tiles<T>::dotColumns[tileRows];
  const Index strips = ceilDivide(m, tileRows), columnTiles = ceilDivide(columns, tileColumns), tiles = strips * columnTiles;
  const Index size = m * columns, sumsSize = roundUp(size, 16), finishers = smaller(m, 16);
  const UnitSums all = {s.groups, units.perGroup, unitSize, sumsSize, p.channels + m, tiles, finishers};
  const Index sumParts = all.template parts<T>();
  const auto copyPiece = [&](T* copy, Index group, Index unit, Index piece) {
    const UnitPlace at = units.place(unit);
    const Index first = at.band * units.bandRows, bandRows = smaller(units.bandRows, s.out[1] - first);
    if (piece < p.channels) {
      copyUnitChannel(plan, group, at, piece, copy);
      if (piece == p.channels - 1) zero(copy + p.channels * p.channelSize(), xSize - p.channels * p.channelSize());
      return;
    }
    const Index i = piece - p.channels;
    const T* from = y + ((at.n * s.groups + group) * m + i) * outPlane + (at.depth * s.out[1] + first) * s.out[2];
    T* to = copy + xSize + i * yRow;
    for (Index r = 0; r < bandRows; r++, from += s.out[2], to += p.pitch) {
      copyRun(to, from, s.out[2]);
      zero(to + s.out[2], p.pitch - s.out[2]);
    }
    zero(to, yRow - bandRows * p.pitch);
  };
  const auto addTiles = [&](const T* copy, T* sums, Index unit, Index first, Index last) {
    const Index bandRows = smaller(units.bandRows, s.out[1] - unit % units.bands * units.bandRows);
    const Index positions = roundUp((bandRows - 1) * p.pitch + s.out[2], W);
    for (Index t = first; t < last; t++) {
      // A last strip that is too short repeats its last row; so do columns.
      const Index i = t % strips * tileRows, j = t / strips * tileColumns, rows = smaller(tileRows, m - i);
      T* to = sums + i * columns + j;
      const int width = int(smaller(tileColumns, columns - j));
      const T* left = copy + xSize + i * yRow;
      if (rows == tileRows) {
        Tiles<T>::dots[tileRows](positions, left, yRow, copy, phase.offsets + j, width, to, columns, int(rows));
      } else {
        // Narrower tiles in the same order of summation.
        for (Index c = 0; c < width; c += Tiles<T>::dotColumns[rows])
          Tiles<T>::dots[rows](positions, left, yRow, copy, phase.offsets + j + c, int(smaller(Tiles<T>::dotColumns[rows], width - c)),
                               to + c, columns, int(rows));
      }
    }
  };
  const auto finish = [&](T* sums, Index group, Index task) {
    for (Index i = shareOf(size, task, finishers); i < shareOf(size, task + 1, finishers); i++) {
      T total = sums[i];
      for (Index part = 1; part < sumParts; part++) total += sums[part * sumsSize + i];
      w[group * size + i] = total;
    }
  };
  return sumUnits<T>(run, all, copyPiece, addTiles, finish);
}

template <class T> static Status convWeightGrad(Run& run, const ConvShape& s, const T* x, const T* y, T* w) {
  if (isDense(s)) return denseWeightGrad(run, s, x, y, w);
  if (isPointwise(s) && s.groups == 1) return pointwiseWeight(run, s, x, y, w);
  if (isThreeByThree(s) && s.dilation[1] == 1 && s.dilation[2] == 1) {
    const WinogradWeight<T> tiles = winogradWeight(s, x, y);
    if (winogradWeightPays(tiles) && runWinogradWeight(run, tiles, w) == DONE) return DONE;
  }
  // Channels-last wastes the lanes that the last register of channels leaves empty.
  const Index lanes = roundUp(s.inChannels, Tile<T>::N);
  if (s.inChannels * 4 >= lanes * 3) return weightByChannels(run, s, x, y, w);
  const Index m = s.outChannels;
  if (m > Tiles<T>::DOT_ROWS && 2 * m >= roundUp(m, Lanes<T>::N)) return weightByTaps(run, s, x, y, w);
  const auto kernel = depthwiseKernels<T>(s).weight;
  const Status status = kernel ? kernel(run, planeShapeOf(s), s.batch, s.groups, x, y, w) : weightByRows(run, s, x, y, w);
  if (status != DONE) return status;
  // The zeros between rows of y meet elements of x that are not theirs: NaN if one is infinite. Then let others do it.
  const Index size = s.groups * s.outChannels * s.inChannels * s.kernel[0] * s.kernel[1] * s.kernel[2];
  for (Index i = 0; i < size; i++)
    if (w[i] != w[i]) return NOT_HERE;
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
