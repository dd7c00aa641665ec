// The weight gradient by Winograd's tiles, as the adjoint of the forward convolution: dw = Gᵀ[Σ (A dy Aᵀ) ⊙ (Bᵀ d B)]G.
//
// The sum runs over blocks of tiles through all images, in order. Of a block, x and y are turned channels-last and transformed; then
// each of the 16 products is added to sums that are transformed back at the very end. The error is within ε (tiles + 14) times the
// same expression in absolute values.

namespace ADJOINT_NAMESPACE {

/** Tiles per block, at most; bytes of a block, transformed, about, and at most for the fewest that are worth it. */
enum { WEIGHT_TILES = 256, LEAST_WEIGHT_TILES = 64, WEIGHT_BYTES = 4 << 20 };

template <class T> struct WinogradWeight {
  Index batch, groups, channels, m, height;
  Index in[2], out[2];
  TileGrid grid;
  const T* x;
  const T* y;
  Index tileCount() const { return batch * grid.rows * grid.columns; }
  Index panels() const { return ceilDivide(channels, Tile<T>::N); }
  Index strips() const { return ceilDivide(m, height); }
};

template <class T> static WinogradWeight<T> winogradWeight(const ConvShape& s, const T* x, const T* y) {
  return {s.batch, s.groups, s.inChannels, s.outChannels, tileRowsFor(s.outChannels), {s.in[1], s.in[2]}, {s.out[1], s.out[2]},
          {ceilDivide(s.out[1], 2), ceilDivide(s.out[2], 2), {-s.padding[1], -s.padding[2]}}, x, y};
}

/** Tiles per block: the same on any number of threads. */
template <class T> INLINE Index weightTiles(const WinogradWeight<T>& p) {
  const Index bytes = POINTS * (p.panels() * Tile<T>::N + p.m) * Index(sizeof(T));
  const Index most = larger(LEAST_WEIGHT_TILES, smaller(WEIGHT_TILES, WEIGHT_BYTES / bytes)), tiles = p.tileCount();
  return ceilDivide(tiles, ceilDivide(tiles, most));
}

typedef TileRows<WEIGHT_TILES> WeightRows;

/** to[point][tile][channel] = Bᵀ d B for a panel of `n` channels. `copy` holds the rows, channels-last. */
template <class T>
static void transformPanel(const WinogradWeight<T>& p, const WeightRows& b, const T* x, Index n, T* copy, T* to, Index matrix) {
  constexpr Index N = Tile<T>::N, W = Lanes<T>::N;
  const Index plane = p.in[0] * p.in[1], imageStep = p.groups * p.channels * plane;
  Index r = 0;
  for (Index i = 0; i < b.pieceCount; i++) {
    const auto& piece = b.pieces[i];
    for (; r < piece.rowCount; r++) {
      const auto& row = b.rows[r];
      T* const line = copy + row.at * N;
      if (row.row < 0 || row.row >= p.in[0]) {
        zero(line, row.count * N);
        continue;
      }
      const Index low = larger(0, smaller(row.count, -row.first)), high = larger(low, smaller(row.count, p.in[1] - row.first));
      zero(line, low * N);
      pack(x + row.image * imageStep + row.row * p.in[1] + row.first + low, plane, Index(1), n, N, high - low, line + low * N);
      zero(line + high * N, (row.count - high) * N);
    }
    for (Index t = 0; t < piece.count; t++)
      for (Index v = 0; v < N; v += W) {
        Vec<T> half[4][4];
        UNROLL for (int k = 0; k < 4; k++) {
          const T* from = copy + (piece.from[k] + 2 * t) * N + v;
          tilePoints<Vec<T>>({load(from), load(from + N), load(from + 2 * N), load(from + 3 * N)}, half[k]);
        }
        UNROLL for (int k = 0; k < 4; k++) {
          Vec<T> points[4];
          tilePoints<Vec<T>>({half[0][k], half[1][k], half[2][k], half[3][k]}, points);
          UNROLL for (int j = 0; j < 4; j++) store(to + (4 * j + k) * matrix + (piece.tile + t) * N + v, points[j]);
        }
      }
  }
}

/** to[point][tile][row] = A dy Aᵀ for a strip of `n` output channels. `copy` holds two rows, channels-last. */
template <class T>
static void transformOutputs(const WinogradWeight<T>& p, const WeightRows& b, const T* y, Index n, T* copy, T* to, Index matrix) {
  constexpr Index W = Lanes<T>::N;
  const Index plane = p.out[0] * p.out[1], imageStep = p.groups * p.m * plane;
  for (Index i = 0; i < b.pieceCount; i++) {
    const auto& piece = b.pieces[i];
    const Index columns = smaller(2 * piece.count, p.out[1] - 2 * piece.column), line = 2 * piece.count * n;
    for (Index r = 0; r < 2; r++) {
      const Index row = 2 * piece.row + r, there = row < p.out[0] ? columns : 0;
      pack(y + piece.image * imageStep + row * p.out[1] + 2 * piece.column, plane, Index(1), n, n, there, copy + r * line);
      zero(copy + r * line + there * n, line - there * n);
    }
    // Whole registers are written in ascending order: what is too much is overwritten by the next.
    for (Index t = 0; t < piece.count; t++)
      for (Index v = 0; v < n; v += W) {
        const T* from = copy + 2 * t * n + v;
        Vec<T> half[2][4];
        UNROLL for (int k = 0; k < 2; k++) outputPoints<Vec<T>>({load(from + k * line), load(from + k * line + n)}, half[k]);
        UNROLL for (int k = 0; k < 4; k++) {
          Vec<T> points[4];
          outputPoints<Vec<T>>({half[0][k], half[1][k]}, points);
          UNROLL for (int j = 0; j < 4; j++) store(to + (4 * j + k) * matrix + (piece.tile + t) * n + v, points[j]);
        }
      }
  }
}

/** w[channel][tap] = Gᵀ m G for one output channel, from sums[point][panel][row][channel]; 0 if all are finite, else NaN. */
template <class T> static T putTaps(const WinogradWeight<T>& p, const T* sums, Index row, T* w) {
  constexpr Index N = Tile<T>::N, W = Lanes<T>::N;
  const Index step = p.panels() * p.m * N;
  Vec<T> odd = {};
  for (Index c = 0; c < p.channels; c += W) {
    const T* from = sums + (c / N * p.m + row) * N + c % N;
    Vec<T> half[3][4];
    UNROLL for (int k = 0; k < 4; k++) {
      Vec<T> taps[3];
      tapsOf<T>({load(from + k * step), load(from + (4 + k) * step), load(from + (8 + k) * step), load(from + (12 + k) * step)}, taps);
      UNROLL for (int j = 0; j < 3; j++) half[j][k] = taps[j];
    }
    T lanes[9 * W] __attribute__((aligned(64)));
    UNROLL for (int j = 0; j < 3; j++) {
      Vec<T> taps[3];
      tapsOf<T>(half[j], taps);
      UNROLL for (int k = 0; k < 3; k++) {
        // x · 0 is 0 for a finite x, else NaN.
        odd = fma(taps[k], Vec<T>{}, odd);
        store(lanes + (3 * j + k) * W, taps[k]);
      }
    }
    for (Index i = 0; i < smaller(W, p.channels - c); i++)
      for (Index tap = 0; tap < 9; tap++) w[(c + i) * 9 + tap] = lanes[tap * W + i];
  }
  return horizontalSum<T>(odd);
}

/** Not here where a result is not finite: w is to be written by others then. */
template <class T> static Status runWinogradWeight(Run& run, const WinogradWeight<T>& p, T* w) {
  constexpr Index N = Tile<T>::N, W = Lanes<T>::N;
  const Index tiles = p.tileCount(), most = weightTiles(p), panels = p.panels(), strips = p.strips();
  const Index panelMatrix = most * N, stripMatrix = most * p.height + W;
  const Index size = roundUp(larger(tileRowsReach(p.grid, most, 1) * N, 4 * smaller(most, p.grid.columns) * p.height + W), 16);
  T* const left = take<T>(run, POINTS * strips * stripMatrix);
  T* const right = take<T>(run, POINTS * panels * panelMatrix);
  T* const sums = take<T>(run, POINTS * panels * p.m * N);
  T* const space = take<T>(run, run.threads * size);
  WeightRows* const rows = take<WeightRows>(run, 1);
  if (!left || !right || !sums || !space || !rows) return OUT_OF_MEMORY;
  bool odd = false;
  for (Index group = 0; group < p.groups; group++) {
    const T* const x = p.x + group * p.channels * p.in[0] * p.in[1];
    const T* const y = p.y + group * p.m * p.out[0] * p.out[1];
    for (Index first = 0; first < tiles; first += most) {
      const Index count = smaller(most, tiles - first);
      rows->lay(p.grid, first, first + count, 1);
      parallel(run, panels + strips, [&](Index t, int thread) {
        T* const copy = space + thread * size;
        if (t < panels) {
          transformPanel(p, *rows, x + t * N * p.in[0] * p.in[1], smaller(N, p.channels - t * N), copy, right + t * panelMatrix,
                         panels * panelMatrix);
        } else {
          const Index i = (t - panels) * p.height;
          transformOutputs(p, *rows, y + i * p.out[0] * p.out[1], smaller(p.height, p.m - i), copy, left + (t - panels) * stripMatrix,
                           strips * stripMatrix);
        }
      });
      parallel(run, POINTS * panels, [&](Index t, int) {
        T* const to = sums + t * p.m * N;
        for (Index s = 0; s < strips; s++) {
          const Index i = s * p.height, high = smaller(p.height, p.m - i);
          Tiles<T>::rows[high](1, FROM_START, count, left + (t / panels * strips + s) * stripMatrix, right + t * panelMatrix, N, to + i * N, N, first > 0);
        }
      });
    }
    parallel(run, p.m, [&](Index i, int) {
      if (putTaps(p, sums, i, w + (group * p.m + i) * p.channels * 9) != 0) __atomic_store_n(&odd, true, __ATOMIC_RELAXED);
    });
    if (odd) return NOT_HERE;
  }
  return DONE;
}

/** Whether it takes less than the direct kernels; as `winogradPays`. */
template <class T> static bool winogradWeightPays(const WinogradWeight<T>& p) {
  const double lanes = double(p.panels() * Tile<T>::N), m = double(p.m), tiles = double(p.tileCount());
  const double winograd = POINTS * (tiles * (lanes * m + 20 * (lanes + m)) + 27 * lanes * m);
  const double direct = 1.3 * 9 * double(p.batch * p.out[0] * p.out[1]) * lanes * m;
  if (POINTS * (lanes + m) * LEAST_WEIGHT_TILES * sizeof(T) > 2 * double(WEIGHT_BYTES)) return false;
  return p.channels * 4 >= lanes * 3 && 1.1 * winograd < direct;
}

}  // namespace ADJOINT_NAMESPACE
