// Convolutions of 3 × 3 with stride 1 in 16 multiplications per 2 × 2 outputs and channel, where the definition takes 36:
// Winograd's F(2 × 2, 3 × 3), Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A over tiles d of 4 × 4 (Lavin and Gray 2016, arXiv:1509.09308).
//
// The matrices hold 0, ±1 and ±1/2 only, so whole numbers stay exact. Otherwise the error is bounded by ε times the same
// expression in absolute values, (channels + 14) times: it knows the tile, not the output, as elements of d that an output does not
// meet cancel out. Larger tiles save more and are neither exact nor that accurate. Numbers that are not finite would not cancel out,
// nor do sums that overflow on the way: where one shows up among the results, all is left to the direct kernels.
//
// Taps that are apart meet the outputs of one phase (position modulo dilation) only, which lie as far apart: every phase of an image is an
// image of its own.

namespace ADJOINT_NAMESPACE {

/** Products per tile and channel. */
enum { POINTS = 16 };

/** Bᵀ d, along one axis. */
template <class V> INLINE void tilePoints(const V (&d)[4], V (&to)[4]) {
  to[0] = d[0] - d[2];
  to[1] = d[1] + d[2];
  to[2] = d[2] - d[1];
  to[3] = d[1] - d[3];
}

/** G g. */
template <class T, class V = Vec<T>> INLINE void weightPoints(const V (&g)[3], V (&to)[4]) {
  const V outer = (g[0] + g[2]) * splat<T>(T(0.5)), inner = g[1] * splat<T>(T(0.5));
  to[0] = g[0];
  to[1] = outer + inner;
  to[2] = outer - inner;
  to[3] = g[2];
}

/** Aᵀ m. */
template <class V> INLINE void outputsOf(const V (&m)[4], V (&to)[2]) {
  to[0] = m[0] + m[1] + m[2];
  to[1] = m[1] - m[2] - m[3];
}

// The adjoints of the last two: what the weight gradient takes y and its sums through.

/** A y. */
template <class V> INLINE void outputPoints(const V (&y)[2], V (&to)[4]) {
  to[0] = y[0];
  to[1] = y[0] + y[1];
  to[2] = y[0] - y[1];
  to[3] = -y[1];
}

/** Gᵀ m. */
template <class T, class V = Vec<T>> INLINE void tapsOf(const V (&m)[4], V (&to)[3]) {
  const V outer = (m[1] + m[2]) * splat<T>(T(0.5));
  to[0] = m[0] + outer;
  to[1] = (m[1] - m[2]) * splat<T>(T(0.5));
  to[2] = outer + m[3];
}

/** Where tiles of 2 × 2 outputs are: `rows` × `columns` of them per image, tile (0, 0) reading from source position `origin` on. */
struct TileGrid {
  Index rows, columns, origin[2];
};

/** What the tiles from `first` on, through all rows and images, read. At most `MOST` of them. */
template <int MOST> struct TileRows {
  /** Part of a row of the source with its padding: `count` elements, the first of which is in column `first`; copied to `at`. */
  struct Row {
    Index image, row, first, count, at;
  } rows[4 * MOST];
  /** Neighbouring tiles from (row, column) on, numbered from `tile` on; where each of their four rows starts; rows until here. */
  struct Piece {
    Index image, row, column, tile, count, from[4], rowCount;
  } pieces[MOST];
  Index rowCount, pieceCount;

  /** Rows start at multiples of `unit`. */
  void lay(const TileGrid& grid, Index first, Index last, Index unit) {
    rowCount = pieceCount = 0;
    Index at = 0;
    for (Index t = first; t < last;) {
      const Index y = t / grid.columns % grid.rows, image = t / grid.columns / grid.rows, x = t % grid.columns;
      Piece& piece = pieces[pieceCount++];
      piece = {image, y, x, t - first, smaller(grid.columns - x, last - t), {}, 0};
      // Two of the four rows are those of the tiles above, if all of these are here.
      const Index shared = y > 0 && t - grid.columns >= first ? 2 : 0;
      for (Index r = 0; r < 4; r++) {
        if (r < shared) {
          piece.from[r] = rows[rowCount - 2 + r].at;
          continue;
        }
        piece.from[r] = at;
        rows[rowCount - shared + r] = {image, 2 * y + r + grid.origin[0], 2 * x + grid.origin[1], 2 * piece.count + 2, at};
        at += roundUp(2 * piece.count + 2, unit);
      }
      rowCount += 4 - shared;
      piece.rowCount = rowCount;
      t += piece.count;
    }
  }
};

/** How far the copies of what `tiles` read reach, at most. */
INLINE Index tileRowsReach(const TileGrid& grid, Index tiles, Index unit) {
  const Index columns = smaller(grid.columns, tiles);
  return columns == 0 ? 0 : 4 * (ceilDivide(tiles, columns) + 1) * roundUp(2 * columns + 2, unit);
}

/** The forward convolution, or the input gradient, which is one with the taps turned around and rows and channels of w exchanged. */
template <class T> struct Winograd {
  /** Per group: channels of the source, and rows of the weight in strips of `height`. */
  Index batch, groups, channels, m, height;
  /** Rows and columns of the source and of the target; how far taps are apart; where the first tap of target (0, 0) reads. */
  Index from[2], to[2], dilation[2], start[2];
  /** Phases of the target per axis, and tiles of one of them. */
  Index phases[2];
  TileGrid grid;
  const T* source;
  T* target;
  const T* weight;
  /** Elements of the weight from row to row, and from channel to channel. */
  Index rowStep, channelStep;
  bool turned;
  Index tileCount() const { return batch * phases[0] * phases[1] * grid.rows * grid.columns; }
  /** The image of the batch, and the phase of its rows and columns, that are image `index` of the tiles. */
  void place(Index index, Index& image, Index (&phase)[2]) const {
    image = index / (phases[0] * phases[1]);
    phase[0] = index / phases[1] % phases[0];
    phase[1] = index % phases[1];
  }
  // A matrix per point, with room for the register that its last row is written in.
  Index panelMatrix() const { return channels * Tile<T>::N + Lanes<T>::N; }
  Index stripMatrix() const { return channels * height + Lanes<T>::N; }
};

/** 3 × 3 taps on two axes at most, each output. */
INLINE bool isThreeByThree(const ConvShape& s) {
  for (int axis = 1; axis < 3; axis++)
    if (s.kernel[axis] != 3 || s.stride[axis] != 1) return false;
  return s.in[0] == 1 && s.out[0] == 1 && s.kernel[0] == 1 && s.padding[0] == 0;
}

/** With channels and rows of the weight, the source and the target of one of the two; what is left are the steps of the weight. */
template <class T>
static Winograd<T> winogradOf(const ConvShape& s, Index channels, Index m, const Index* from, const Index* to, const Index (&start)[2], const T* source,
                              const T* weight, T* target) {
  Winograd<T> p = {};
  p.batch = s.batch;
  p.groups = s.groups;
  p.channels = channels;
  p.m = m;
  p.height = tileRowsFor(m);
  for (int a = 0; a < 2; a++) {
    p.from[a] = from[a + 1];
    p.to[a] = to[a + 1];
    p.dilation[a] = s.dilation[a + 1];
    p.start[a] = start[a];
    p.phases[a] = smaller(p.dilation[a], p.to[a]);
  }
  p.grid = {ceilDivide(ceilDivide(p.to[0], p.dilation[0]), 2), ceilDivide(ceilDivide(p.to[1], p.dilation[1]), 2), {0, 0}};
  p.source = source;
  p.weight = weight;
  p.target = target;
  return p;
}

template <class T> static Winograd<T> winogradForward(const ConvShape& s, const T* x, const T* w, T* y) {
  Winograd<T> p = winogradOf<T>(s, s.inChannels, s.outChannels, s.in, s.out, {-s.padding[1], -s.padding[2]}, x, w, y);
  p.rowStep = 9 * s.inChannels;
  p.channelStep = 9;
  return p;
}

template <class T> static Winograd<T> winogradInputGrad(const ConvShape& s, const T* w, const T* y, T* x) {
  Winograd<T> p = winogradOf<T>(s, s.outChannels, s.inChannels, s.out, s.in, {s.padding[1] - 2 * s.dilation[1], s.padding[2] - 2 * s.dilation[2]}, y, w, x);
  p.rowStep = 9;
  p.channelStep = 9 * s.inChannels;
  p.turned = true;
  return p;
}

/** Most bytes of a panel's transformed tiles: each thread has one at least. */
enum { PANEL_BYTES = 2 << 20 };

/**
 * Whether 16 products and the transforms take less than 36: in multiply-adds, as whose multiples a transformed tile, a tile that is
 * transformed back and a transformed weight were measured. (The direct kernels take about 1.3 of theirs, for what they copy.)
 */
template <class T> static bool winogradPays(const Winograd<T>& p) {
  const double tiles = double(p.tileCount()), columns = double(p.to[1]), channels = double(p.channels), m = double(p.m);
  if (double(POINTS * sizeof(T)) * double(p.panelMatrix()) > PANEL_BYTES || p.m <= Tiles<T>::THIN || columns == 0) return false;
  const double panels = double(roundUp(p.tileCount(), Tile<T>::N));
  const double winograd = POINTS * (panels * channels * m + 26 * tiles * channels + 11 * tiles * m + 27 * channels * m);
  const double direct = 1.3 * 9 * double(p.batch * p.to[0]) * columns * channels * (m + 3 + 3.0 * Lanes<T>::N / columns);
  return 1.1 * winograd < direct;
}

}  // namespace ADJOINT_NAMESPACE
