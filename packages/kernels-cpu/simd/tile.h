// The register tiles that all products come down to: MR × NV vectors of sums that stay in registers over the whole depth.
//
// Every element's sum runs with the depth ascending and one multiply-add per step, whatever tile computes it. So how the
// work is cut into tiles and threads does not show in the bits.

namespace ADJOINT_NAMESPACE {

// Vectors per tile row, and most rows per tile: as many sums as there are registers left beside the operands.
enum { NV = 2, MR = ADJOINT_TILE_ROWS };

template <class T> struct Tile { enum { N = Lanes<T>::N * NV }; };

/**
 * sum += left · right, of one number and a row of registers. AVX-512's multiply-adds can read the number themselves, which saves the
 * instruction that loads it: where another thread shares the processor, it is instructions that a tile waits for. Each of them then
 * reads it anew, for which there are units enough if every third row is loaded once. (GCC loads whatever is used twice.)
 */
enum LeftOperand { LOADED, IN_PLACE };
#if defined(__AVX512F__) && ADJOINT_VECTOR_BYTES == 64
INLINE void addInPlace(Vec<float>& sum, const float& left, Vec<float> right) {
  asm("vfmadd231ps %1%{1to16%}, %2, %0" : "+v"(sum) : "m"(left), "v"(right));
}
INLINE void addInPlace(Vec<double>& sum, const double& left, Vec<double> right) {
  asm("vfmadd231pd %1%{1to8%}, %2, %0" : "+v"(sum) : "m"(left), "v"(right));
}
#else
template <class T> INLINE void addInPlace(Vec<T>& sum, const T& left, Vec<T> right) { sum = fma(splat(left), right, sum); }
#endif
template <class T, int V> INLINE void addRow(Vec<T> (&sum)[V], const T& left, const Vec<T> (&right)[V], LeftOperand operand) {
  if (operand == IN_PLACE) {
    UNROLL for (int v = 0; v < V; v++) addInPlace(sum[v], left, right[v]);
    return;
  }
  const Vec<T> x = splat(left);
  UNROLL for (int v = 0; v < V; v++) sum[v] = fma(x, right[v], sum[v]);
}

/** The rows of a tile, one by one, of a packed operand. More registers than two per row would read each number too often. */
template <class T, int R, int V> INLINE void addStep(Vec<T> (&sum)[R][V], const T* left, const Vec<T> (&right)[V]) {
  UNROLL for (int i = 0; i < R; i++) addRow<T, V>(sum[i], left[i], right, V <= 2 && i % 3 ? IN_PLACE : LOADED);
}

/**
 * What is added to the sums of a tile once they are whole: what c holds, or a row of a tile's width to each of its rows, or nothing. Sums that
 * began with it would lose small products beside a large bias, one by one.
 */
template <class T> struct Addend {
  const T* row;
  bool accumulate;

  Addend(bool accumulate) : row(nullptr), accumulate(accumulate) {}
  explicit Addend(const T* row) : row(row), accumulate(false) {}
};

/** c = the sums of a tile, and what is added to them. */
template <class T, int R, int V> INLINE void putSums(const Vec<T> (&sum)[R][V], T* c, Index cRow, Addend<T> addend) {
  constexpr int W = Lanes<T>::N;
  const T* const from = addend.accumulate ? c : addend.row;
  const Index step = addend.accumulate ? cRow : 0;
  if (from) {
    UNROLL for (int i = 0; i < R; i++) UNROLL for (int v = 0; v < V; v++)
      store(c + i * cRow + v * W, sum[i][v] + load(from + i * step + v * W));
  } else {
    UNROLL for (int i = 0; i < R; i++) UNROLL for (int v = 0; v < V; v++) store(c + i * cRow + v * W, sum[i][v]);
  }
}

/**
 * c (=|+=) a · b for `runs` runs of `depth` steps: the panel a holds R elements per step; run r of b begins at `starts[r]`, and moves on by
 * `bStep` per step.
 */
template <class T, int R>
__attribute__((noinline)) void tileRows(Index runs, const Index* starts, Index depth, const T* a, const T* b, Index bStep, T* c, Index cRow,
                                        Addend<T> addend) {
  constexpr int W = Lanes<T>::N;
  Vec<T> sum[R][NV];
  UNROLL for (int i = 0; i < R; i++) UNROLL for (int v = 0; v < NV; v++) sum[i][v] = Vec<T>{};
  for (Index run = 0; run < runs; run++) {
    const T* from = b + starts[run];
    for (Index k = 0; k < depth; k++, a += R, from += bStep) {
      Vec<T> right[NV];
      UNROLL for (int v = 0; v < NV; v++) right[v] = load(from + v * W);
      addStep<T>(sum, a, right);
    }
  }
  putSums<T>(sum, c, cRow, addend);
}

/** The one run of a panel. */
static const Index FROM_START[] = {0};

/** How many steps ahead a matrix that is read in place is fetched: its rows are apart, which no processor foresees. */
enum { FETCH_AHEAD = 12 };

/** What a tile reads of b: `step` apart from step to step, and kept at `keep`, side by side, unless that is null. */
template <class T> struct TilePanel {
  const T* from;
  Index step;
  T* keep;
};

/** c (=|+=) a · b over `depth` steps for R rows that lie anywhere: `aRow` apart from each other, with steps of `aStep`. */
template <class T, int R>
__attribute__((noinline)) void tileProduct(Index depth, const T* a, Index aRow, Index aStep, const TilePanel<T>& panel, T* c, Index cRow,
                                           Addend<T> addend) {
  const T* b = panel.from;
  const Index bStep = panel.step;
  T* keep = panel.keep;
  constexpr int W = Lanes<T>::N, GROUPS = (R + 2) / 3;
  // A pointer for three rows each: there are not registers enough for one each.
  const T* left[GROUPS];
  Vec<T> sum[R][NV];
  UNROLL for (int g = 0; g < GROUPS; g++) left[g] = a + 3 * g * aRow;
  UNROLL for (int i = 0; i < R; i++) UNROLL for (int v = 0; v < NV; v++) sum[i][v] = Vec<T>{};
  for (Index k = 0; k < depth; k++, b += bStep) {
    Vec<T> right[NV];
    UNROLL for (int v = 0; v < NV; v++) right[v] = load(b + v * W);
    if (keep) {
      UNROLL for (int v = 0; v < NV; v++) {
        __builtin_prefetch(b + FETCH_AHEAD * bStep + v * W);
        store(keep + v * W, right[v]);
      }
      keep += NV * W;
    }
    // An address of two registers costs a multiply-add what it saves.
    UNROLL for (int i = 0; i < R; i++) addRow<T, NV>(sum[i], left[i / 3][i % 3 * aRow], right, i % 3 ? LOADED : IN_PLACE);
    UNROLL for (int g = 0; g < GROUPS; g++) left[g] += aStep;
  }
  putSums<T>(sum, c, cRow, addend);
}

/** c (=|+=) a · b where step k reads b at `offsets[k]`: a convolution read in place, without a matrix. */
template <class T, int R, int V>
__attribute__((noinline)) void tileOffsets(Index depth, const T* a, const T* b, const Index* offsets, T* c,
                                                  Index cRow, bool accumulate) {
  constexpr int W = Lanes<T>::N;
  Vec<T> sum[R][V];
  UNROLL for (int i = 0; i < R; i++) UNROLL for (int v = 0; v < V; v++) sum[i][v] = Vec<T>{};
  for (Index k = 0; k < depth; k++, a += R) {
    const T* from = b + offsets[k];
    Vec<T> right[V];
    UNROLL for (int v = 0; v < V; v++) right[v] = load(from + v * W);
    addStep<T>(sum, a, right);
  }
  putSums<T>(sum, c, cRow, accumulate);
}

/** A register of sums: what it reads, and where it goes. */
template <class T> struct Place {
  const T* from;
  T* to;
};
enum { PLACES = 8 };

/** to = Σ a[k] · from[offsets[k]] at each of PLACES places: one row of a weight is too few for the tiles above. */
template <class T>
__attribute__((noinline)) void tilePlaces(Index depth, const T* a, const Index* offsets, const Place<T>* places) {
  Vec<T> sum[PLACES];
  const T* from[PLACES];
  UNROLL for (int i = 0; i < PLACES; i++) {
    sum[i] = Vec<T>{};
    from[i] = places[i].from;
  }
  for (Index k = 0; k < depth; k++) {
    const Vec<T> left = splat(a[k]);
    const Index offset = offsets[k];
    UNROLL for (int i = 0; i < PLACES; i++) sum[i] = fma(left, load(from[i] + offset), sum[i]);
  }
  UNROLL for (int i = 0; i < PLACES; i++) store(places[i].to, sum[i]);
}

/** Inner products along memory: c[i, j] += Σ a[i][t] · b[j][t] over `count` (a multiple of the vector) contiguous t. */
template <class T, int R, int C>
__attribute__((noinline)) void tileDots(Index count, const T* a, Index aRow, const T* b, const Index* offsets,
                                               int columns, T* c, Index cRow, int rows) {
  constexpr int W = Lanes<T>::N;
  const T* right[C];
  UNROLL for (int j = 0; j < C; j++) right[j] = b + offsets[j < columns ? j : columns - 1];
  Vec<T> sum[R][C];
  UNROLL for (int i = 0; i < R; i++) UNROLL for (int j = 0; j < C; j++) sum[i][j] = Vec<T>{};
  for (Index t = 0; t < count; t += W) {
    Vec<T> left[R];
    UNROLL for (int i = 0; i < R; i++) left[i] = load(a + i * aRow + t);
    UNROLL for (int j = 0; j < C; j++) {
      const Vec<T> x = load(right[j] + t);
      UNROLL for (int i = 0; i < R; i++) sum[i][j] = fma(left[i], x, sum[i][j]);
    }
  }
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) c[i * cRow + j] += horizontalSum<T>(sum[i][j]);
}

/** Taps per tile of `tileTaps`: one address each must fit into the registers that are not vectors. */
enum { TAPS = MR < 10 ? MR : 10 };

/**
 * c[i] += Σ b[t] · a[offsets[i] + position of t] for `taps` <= TAPS of i: V registers of b per t, which runs over `rows` rows of
 * `count` neighbouring positions, `aJump` positions between two rows.
 */
template <class T, int V>
__attribute__((noinline)) void tileTaps(Index rows, Index count, const T* a, Index aJump, const Index* offsets, Index taps,
                                        const T* b, T* c, Index cRow) {
  constexpr int W = Lanes<T>::N;
  const T* left[TAPS];
  Vec<T> sum[TAPS][V];
  UNROLL for (int i = 0; i < TAPS; i++) {
    left[i] = a + offsets[i < taps ? i : taps - 1];
    UNROLL for (int v = 0; v < V; v++) sum[i][v] = Vec<T>{};
  }
  for (Index row = 0, at = 0; row < rows; row++, at += aJump)
    for (Index t = 0; t < count; t++, at++, b += V * W) {
      Vec<T> right[V];
      UNROLL for (int v = 0; v < V; v++) right[v] = load(b + v * W);
      UNROLL for (int i = 0; i < TAPS; i++) {
        const Vec<T> x = splat(left[i][at]);
        UNROLL for (int v = 0; v < V; v++) sum[i][v] = fma(x, right[v], sum[i][v]);
      }
    }
  UNROLL for (int i = 0; i < TAPS; i++)
    if (i < taps) UNROLL for (int v = 0; v < V; v++) store(c + i * cRow + v * W, sum[i][v] + load(c + i * cRow + v * W));
}

template <class T> using RowsTile = void (*)(Index, const Index*, Index, const T*, const T*, Index, T*, Index, Addend<T>);
template <class T>
using ProductTile = void (*)(Index, const T*, Index, Index, const TilePanel<T>&, T*, Index, Addend<T>);
template <class T> using OffsetsTile = void (*)(Index, const T*, const T*, const Index*, T*, Index, bool);
template <class T> using DotsTile = void (*)(Index, const T*, Index, const T*, const Index*, int, T*, Index, int);

// A tile of each number of rows that there is.
#if ADJOINT_TILE_ROWS >= 14
#define EACH_ROWS(tile) tile(1), tile(2), tile(3), tile(4), tile(5), tile(6), tile(7), tile(8), tile(9), tile(10), tile(11), tile(12), tile(13), tile(14)
#elif ADJOINT_TILE_ROWS >= 12
#define EACH_ROWS(tile) tile(1), tile(2), tile(3), tile(4), tile(5), tile(6), tile(7), tile(8), tile(9), tile(10), tile(11), tile(12)
#elif ADJOINT_TILE_ROWS >= 6
#define EACH_ROWS(tile) tile(1), tile(2), tile(3), tile(4), tile(5), tile(6)
#else
#define EACH_ROWS(tile) tile(1), tile(2), tile(3), tile(4)
#endif
#define ROWS_TILE(r) tileRows<T, r>
#define PRODUCT_TILE(r) tileProduct<T, r>
#define OFFSETS_TILE(r) tileOffsets<T, r, NV>

/** Tiles by their number of rows; [0] is unused. */
template <class T> struct Tiles {
  static constexpr RowsTile<T> rows[] = {nullptr, EACH_ROWS(ROWS_TILE)};
  static constexpr ProductTile<T> product[] = {nullptr, EACH_ROWS(PRODUCT_TILE)};
  static constexpr OffsetsTile<T> offsets[] = {nullptr, EACH_ROWS(OFFSETS_TILE)};
  // Few rows make a tile too small to hide the latency of its sums, or what it loads: these are wider. A single row has tilePlaces.
  // So few rows as THIN are not worth packing anything for.
  enum { THIN = 4 };
#if ADJOINT_TILE_ROWS >= 12
  enum { FEW = 6 };
  static constexpr int fewVectors[] = {0, PLACES, 8, 6, 4, 4, 4};
  static constexpr OffsetsTile<T> few[] = {nullptr,
                                           nullptr,
                                           tileOffsets<T, 2, 8>,
                                           tileOffsets<T, 3, 6>,
                                           tileOffsets<T, 4, 4>,
                                           tileOffsets<T, 5, 4>,
                                           tileOffsets<T, 6, 4>};
  enum { DOT_ROWS = 4 };
  static constexpr int dotColumns[] = {0, 9, 9, 9, 5};
  static constexpr DotsTile<T> dots[] = {nullptr, tileDots<T, 1, 9>, tileDots<T, 2, 9>, tileDots<T, 3, 9>, tileDots<T, 4, 5>};
#else
  enum { FEW = THIN };
  static constexpr int fewVectors[] = {0, PLACES, 4, 3, 2};
  static constexpr OffsetsTile<T> few[] = {nullptr, nullptr, tileOffsets<T, 2, 4>, tileOffsets<T, 3, 3>, tileOffsets<T, 4, 2>};
  enum { DOT_ROWS = 2 };
  static constexpr int dotColumns[] = {0, 9, 5};
  static constexpr DotsTile<T> dots[] = {nullptr, tileDots<T, 1, 9>, tileDots<T, 2, 5>};
#endif
};

/** Rows per tile for a matrix of `m` rows: as many as fit, but so that the last tile is about as tall as the others. */
INLINE int tileRowsFor(Index m) { return static_cast<int>(ceilDivide(m, ceilDivide(m, MR))); }

}  // namespace ADJOINT_NAMESPACE
