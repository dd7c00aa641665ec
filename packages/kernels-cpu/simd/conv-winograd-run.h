// Runs Winograd's convolution block by block of tiles: all channels of a block are transformed, then, for each strip of rows of the
// weight, its 16 products are summed and transformed back while they are in the first-level cache.
//
// Tiles are numbered through all images, and a block is a few panels of them, whichever rows they are in. The weight is transformed
// once. Every sum is one element's own, with the channels ascending: how tiles are cut into blocks does not show in the bits.

namespace ADJOINT_NAMESPACE {

/**
 * Panels per block, at most; bytes of its transformed tiles, about; channels whose weights are packed at a time, and whose rows are
 * copied: not one by one, as a load that spans what two recent stores wrote waits for them.
 */
enum { BLOCK_PANELS = 4, BLOCK_BYTES = 1 << 20, WEIGHT_CHANNELS = 16, COPIED_CHANNELS = 8 };

/** to[point][channel][row] = G g Gᵀ for the strip of rows from `i` on. `space` holds stripScratch elements. */
template <class T> static void transformStrip(const Winograd<T>& p, Index group, Index i, T* space, T* to) {
  constexpr Index W = Lanes<T>::N;
  const Index rows = smaller(p.height, p.m - i), matrix = p.stripMatrix();
  const T* from = p.weight + group * p.channels * p.m * 9 + i * p.rowStep;
  const Index first = p.turned ? 8 * rows : 0, step = p.turned ? -rows : rows;
  for (Index c0 = 0; c0 < p.channels; c0 += WEIGHT_CHANNELS) {
    const Index count = smaller(WEIGHT_CHANNELS, p.channels - c0);
    // The taps of neighbouring channels may be neighbours.
    const Index run = p.channelStep == 9 ? count : 1;
    for (Index c = 0; c < count; c += run)
      pack(from + (c0 + c) * p.channelStep, p.rowStep, Index(1), rows, rows, 9 * run, space + c * 9 * rows);
    for (Index c = 0; c < count; c++)
      // Whole registers are written in ascending order: what is too much is overwritten by the next.
      for (Index r = 0; r < rows; r += W) {
        const T* taps = space + c * 9 * rows + first + r;
        Vec<T> half[4][3];
        UNROLL for (int k = 0; k < 3; k++) {
          const Vec<T> g[3] = {load(taps + k * step), load(taps + (3 + k) * step), load(taps + (6 + k) * step)};
          Vec<T> points[4];
          weightPoints<T>(g, points);
          UNROLL for (int j = 0; j < 4; j++) half[j][k] = points[j];
        }
        UNROLL for (int j = 0; j < 4; j++) {
          Vec<T> points[4];
          weightPoints<T>(half[j], points);
          UNROLL for (int k = 0; k < 4; k++) store(to + (4 * j + k) * matrix + (c0 + c) * rows + r, points[k]);
        }
      }
  }
}
template <class T> INLINE Index stripScratch(const Winograd<T>& p) { return WEIGHT_CHANNELS * 9 * p.height + Lanes<T>::N; }

/** Where the parts of a block of tiles come from and go to: the same for every channel. */
template <class T> struct TileBlock {
  enum { MOST = BLOCK_PANELS * Tile<T>::N };
  TileRows<MOST> source;
  /** A row of the copy: elements low … high are those of a channel of the source from `from` on, the others are zeros. */
  struct Copied {
    Index from, low, high, at, count;
  } copied[4 * MOST];
  /** A register of neighbouring tiles: where its four rows are in the copy, and where it goes in the first channel's panel. */
  struct Piece {
    Index from[4], to;
  } pieces[MOST];
  /** Neighbouring tiles of one panel, from `lane` on: to rows × columns of the target, from `to` on. */
  struct Output {
    Index lane, to, rows, columns;
  } outputs[MOST];
  Index pieceCount, outputCount, outputStart[BLOCK_PANELS + 1];
};

template <class T> static void layBlock(const Winograd<T>& p, Index first, Index last, TileBlock<T>& b) {
  constexpr Index N = Tile<T>::N, W = Lanes<T>::N;
  b.source.lay(p.grid, first, last, W);
  for (Index r = 0; r < b.source.rowCount; r++) {
    const auto& row = b.source.rows[r];
    Index image, phase[2];
    p.place(row.image, image, phase);
    const Index step = p.dilation[1], h = phase[0] + row.row * p.dilation[0] + p.start[0], column = phase[1] + row.first * step + p.start[1];
    const bool outside = h < 0 || h >= p.from[0];
    const Index low = outside ? row.count : column < 0 ? smaller(row.count, ceilDivide(-column, step)) : 0;
    const Index high = larger(low, column < p.from[1] ? smaller(row.count, ceilDivide(p.from[1] - column, step)) : 0);
    b.copied[r] = {low == high ? 0 : (image * p.groups * p.channels * p.from[0] + h) * p.from[1] + column + low * step, low, high, row.at, row.count};
  }
  b.pieceCount = b.outputCount = 0;
  Index panels = 0;
  for (Index i = 0; i < b.source.pieceCount; i++) {
    const auto& piece = b.source.pieces[i];
    Index image, phase[2], extent[2];
    p.place(piece.image, image, phase);
    for (int a = 0; a < 2; a++) extent[a] = ceilDivide(p.to[a] - phase[a], p.dilation[a]);
    for (Index j = 0; j < piece.count;) {
      const Index lane = (piece.tile + j) % N, panel = (piece.tile + j) / N, width = smaller(N - lane, piece.count - j);
      const Index y = 2 * piece.row, x = 2 * (piece.column + j);
      while (panels <= panel) b.outputStart[panels++] = b.outputCount;
      const Index row = phase[0] + y * p.dilation[0], column = phase[1] + x * p.dilation[1];
      b.outputs[b.outputCount++] = {lane, (image * p.groups * p.m * p.to[0] + row) * p.to[1] + column, smaller(2, extent[0] - y),
                                    smaller(2 * width, extent[1] - x)};
      for (Index k = j; k < j + width; k += W)
        b.pieces[b.pieceCount++] = {{piece.from[0] + 2 * k, piece.from[1] + 2 * k, piece.from[2] + 2 * k, piece.from[3] + 2 * k},
                                    panel * POINTS * p.panelMatrix() + lane + k - j};
      j += width;
    }
  }
  b.outputStart[panels] = b.outputCount;
}

/** The rows that a block reads of one channel, with zeros around. */
template <class T> static void copyRows(const Winograd<T>& p, const TileBlock<T>& b, const T* channel, T* copy) {
  const Index step = p.dilation[1];
  for (Index r = 0; r < b.source.rowCount; r++) {
    const auto& row = b.copied[r];
    zeroEnds(copy + row.at, row.low, row.high, row.count);
    copySteps(copy + row.at + row.low, channel + row.from, step, row.high - row.low);
  }
}

/** to[point][tile] = Bᵀ d B for the tiles of one channel. Up to a register more than a panel's tiles are written. */
template <class T> static void transformTiles(const TileBlock<T>& b, const T* copy, T* to, Index matrix) {
  constexpr Index W = Lanes<T>::N;
  for (Index i = 0; i < b.pieceCount; i++) {
    const auto& piece = b.pieces[i];
    Vec<T> half[4][4];
    UNROLL for (int r = 0; r < 4; r++) {
      const T* from = copy + piece.from[r];
      const Vec<T> low = load(from), high = load(from + W), nextLow = load(from + 2), nextHigh = load(from + W + 2);
      tilePoints<Vec<T>>({evens(low, high), odds(low, high), evens(nextLow, nextHigh), odds(nextLow, nextHigh)}, half[r]);
    }
    UNROLL for (int k = 0; k < 4; k++) {
      Vec<T> points[4];
      tilePoints<Vec<T>>({half[0][k], half[1][k], half[2][k], half[3][k]}, points);
      UNROLL for (int j = 0; j < 4; j++) store(to + (4 * j + k) * matrix + piece.to, points[j]);
    }
  }
}

/**
 * The sums[point][row][tile] of one strip and panel, transformed back into the target: 0 if all are finite, else NaN. `lines` holds
 * linesSize elements.
 */
template <class T>
static Vec<T> putTiles(const Winograd<T>& p, const TileBlock<T>& b, Index panel, Index rows, const T* sums, T* lines, T* target) {
  constexpr Index N = Tile<T>::N, W = Lanes<T>::N;
  const Index step = rows * N;
  Vec<T> odd = {};
  for (Index r = 0; r < rows; r++)
    UNROLL for (int v = 0; v < NV; v++) {
      const T* from = sums + r * N + v * W;
      Vec<T> half[2][4];
      UNROLL for (int k = 0; k < 4; k++) {
        Vec<T> outputs[2];
        outputsOf<Vec<T>>({load(from + k * step), load(from + (4 + k) * step), load(from + (8 + k) * step), load(from + (12 + k) * step)}, outputs);
        half[0][k] = outputs[0];
        half[1][k] = outputs[1];
      }
      UNROLL for (int i = 0; i < 2; i++) {
        Vec<T> outputs[2];
        outputsOf(half[i], outputs);
        // x · 0 is 0 for a finite x, else NaN.
        odd = fma(outputs[0], Vec<T>{}, odd);
        odd = fma(outputs[1], Vec<T>{}, odd);
        storeInterleaved(lines + (2 * r + i) * 2 * N + 2 * v * W, outputs[0], outputs[1]);
      }
    }
  // Only now: a load that spans what two recent stores wrote would wait for them.
  for (Index r = 0; r < rows; r++, target += p.to[0] * p.to[1])
    for (Index k = b.outputStart[panel]; k < b.outputStart[panel + 1]; k++) {
      const auto& output = b.outputs[k];
      for (Index i = 0; i < output.rows; i++) {
        T* const to = target + output.to + i * p.dilation[0] * p.to[1];
        const T* const line = lines + (2 * r + i) * 2 * N + 2 * output.lane;
        if (p.dilation[1] == 1)
          copyRun(to, line, output.columns);
        else
          for (Index j = 0; j < output.columns; j++) to[j * p.dilation[1]] = line[j];
      }
    }
  return odd;
}
template <class T> INLINE Index linesSize(const Winograd<T>& p) { return 4 * p.height * Tile<T>::N; }

/** Not here where a result is not finite: the target is to be written by others then. */
template <class T> static Status runWinograd(Run& run, const Winograd<T>& p) {
  constexpr Index N = Tile<T>::N;
  const Index tiles = p.tileCount(), strips = ceilDivide(p.m, p.height), allPanels = ceilDivide(tiles, N);
  const Index stripSize = POINTS * p.stripMatrix(), panelSize = POINTS * p.panelMatrix();
  Index panels = smaller(BLOCK_PANELS, larger(1, BLOCK_BYTES / (panelSize * Index(sizeof(T)))));
  if (run.threads > 1) panels = larger(1, smaller(panels, allPanels * p.groups / (8 * run.threads)));
  const Index blocks = ceilDivide(allPanels, panels);
  // Where tiles are few, their strips are shared out too.
  const Index parts = run.threads == 1 ? 1 : smaller(strips, ceilDivide(4 * run.threads, larger(1, p.groups * blocks)));
  const Index sumsSize = roundUp(POINTS * p.height * N, 16), copy = tileRowsReach(p.grid, panels * N, Lanes<T>::N) + 2 * Lanes<T>::N;
  const Index restSize = larger(COPIED_CHANNELS * copy, larger(linesSize(p), stripScratch(p)));
  const Index size = roundUp(panels * panelSize + sumsSize + restSize, 16);
  T* const weight = take<T>(run, p.groups * strips * stripSize);
  T* const space = take<T>(run, run.threads * size);
  TileBlock<T>* const layouts = take<TileBlock<T>>(run, run.threads);
  if (!weight || !space || !layouts) return OUT_OF_MEMORY;
  parallel(run, p.groups * strips, [&](Index t, int thread) {
    transformStrip(p, t / strips, t % strips * p.height, space + thread * size, weight + t * stripSize);
  });
  bool odd = false;
  parallel(run, p.groups * parts * blocks, [&](Index t, int thread) {
    if (__atomic_load_n(&odd, __ATOMIC_RELAXED)) return;
    const Index group = t / blocks / parts, part = t / blocks % parts, first = t % blocks * panels * N;
    const Index last = smaller(tiles, first + panels * N), count = ceilDivide(last - first, N);
    T* const transformed = space + thread * size;
    T* const sums = transformed + panels * panelSize;
    T* const rest = sums + sumsSize;
    TileBlock<T>& layout = layouts[thread];
    layBlock(p, first, last, layout);
    // Registers reach past the rows that are copied.
    zero(rest, COPIED_CHANNELS * copy);
    for (Index c0 = 0; c0 < p.channels; c0 += COPIED_CHANNELS) {
      const Index end = smaller(p.channels, c0 + COPIED_CHANNELS);
      for (Index c = c0; c < end; c++)
        copyRows(p, layout, p.source + (group * p.channels + c) * p.from[0] * p.from[1], rest + (c - c0) * copy);
      for (Index c = c0; c < end; c++) transformTiles(layout, rest + (c - c0) * copy, transformed + c * N, p.panelMatrix());
    }
    // Lanes of no tile are 0: what is written past the last tile depends on how tiles are cut into blocks, and might overflow.
    if (const Index used = (last - first) % N)
      for (Index x = 0; x < POINTS; x++)
        for (Index c = 0; c < p.channels; c++)
          zero(transformed + (count - 1) * panelSize + x * p.panelMatrix() + c * N + used, N - used);
    const Index block = depthBlock<T>(p.channels);
    Vec<T> strange = {};
    for (Index s = shareOf(strips, part, parts); s < shareOf(strips, part + 1, parts); s++) {
      const Index i = s * p.height, rows = smaller(p.height, p.m - i);
      const T* const a = weight + (group * strips + s) * stripSize;
      for (Index q = 0; q < count; q++) {
        const T* const b = transformed + q * panelSize;
        for (Index k0 = 0; k0 < p.channels; k0 += block)
          for (Index x = 0; x < POINTS; x++)
            Tiles<T>::rows[rows](1, FROM_START, smaller(block, p.channels - k0), a + x * p.stripMatrix() + k0 * rows,
                                 b + x * p.panelMatrix() + k0 * N, N, sums + x * rows * N, N, k0 > 0);
        strange += putTiles(p, layout, q, rows, sums, rest, p.target + (group * p.m + i) * p.to[0] * p.to[1]);
      }
    }
    if (horizontalSum<T>(strange) != 0) __atomic_store_n(&odd, true, __ATOMIC_RELAXED);
  });
  return odd ? NOT_HERE : DONE;
}

/** Not here, too, where it does not pay. */
template <class T> static Status tryWinograd(Run& run, const Winograd<T>& p) { return winogradPays(p) ? runWinograd(run, p) : NOT_HERE; }

}  // namespace ADJOINT_NAMESPACE
