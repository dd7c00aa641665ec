// The matrix product C (=|+=) A · B of any strided operands, batched.
//
// B is packed in panels of one tile's width and A in panels of one tile's height, block by block of the depth. Blocks
// depend on the extents alone, and every element adds up its blocks in order: the same bits on any number of threads.

namespace ADJOINT_NAMESPACE {

/** Element (i, j) is at data[i · row + j · column]. */
template <class T> struct Matrix {
  const T* data;
  Index row, column;
};

/** Steps of depth per block, rows of A per task, columns of B per sweep. */
enum { DEPTH_BLOCK = ADJOINT_DEPTH_BLOCK, COLUMN_BLOCK = 2048 };

template <class T> struct Product {
  Index m, n, depth;
  Matrix<T> a, b;
  T* c;
  Index cRow;
  bool accumulate;
};

/** Even blocks of at most DEPTH_BLOCK steps (half of that in double precision: the bytes count). */
template <class T> INLINE Index depthBlock(Index depth) {
  const Index most = DEPTH_BLOCK * 4 / sizeof(T);
  return depth == 0 ? 1 : ceilDivide(depth, ceilDivide(depth, most));
}

/** Bytes of a row of B that are packed at once: lines that lie apart by a power of two push each other out of a cache. */
enum { PACKED_TOGETHER = 512 };

/** Packs `n` columns of B, one panel after the other. */
template <class T> static void packColumns(const T* from, Index column, Index row, Index n, Index depth, T* to) {
  constexpr Index N = Tile<T>::N, W = Lanes<T>::N;
  Index first = 0;
  if (column == 1 && n >= N) {
    const Index panels = n / N;
    first = panels * N;
    for (Index k = 0; k < depth; k++) {
      const T* source = from + k * row;
      T* target = to + k * N;
      for (Index q = 0; q < panels; q++, source += N, target += N * depth)
        UNROLL for (int v = 0; v < NV; v++) store(target + v * W, load(source + v * W));
    }
  }
  for (; first < n; first += N) pack(from + first * column, column, row, smaller(N, n - first), N, depth, to + first * depth);
}

/** Writes one tile, over scratch where it sticks out of the matrix. */
template <class T>
INLINE void putTile(Index rows, Index depth, const T* a, const T* b, T* c, Index cRow, Index width, bool accumulate) {
  constexpr Index N = Tile<T>::N;
  if (width == N) {
    Tiles<T>::rows[rows](1, depth, a, b, N, 0, c, cRow, accumulate);
    return;
  }
  T whole[MR * N] __attribute__((aligned(64)));
  Tiles<T>::rows[rows](1, depth, a, b, N, 0, whole, N, false);
  for (Index i = 0; i < rows; i++) {
    if (!accumulate) {
      copyRun(c + i * cRow, whole + i * N, width);
      continue;
    }
    for (Index j = 0; j < width; j++) c[i * cRow + j] += whole[i * N + j];
  }
}

/** Elements of scratch that `multiply` needs. */
template <class T> INLINE Index gemmScratch(Index m, Index n, Index depth) {
  const Index block = depthBlock<T>(depth);
  return smaller(COLUMN_BLOCK, roundUp(n, Tile<T>::N)) * block + 16 + roundUp(m, MR) * block + 16;
}

/** One product; `scratch` holds gemmScratch elements. The loops over panels and blocks are shared among the threads. */
template <class T> static void multiply(Run& run, const Product<T>& p, T* scratch) {
  constexpr Index N = Tile<T>::N;
  if (p.m == 0 || p.n == 0) return;
  if (p.depth == 0) {
    if (!p.accumulate)
      for (Index i = 0; i < p.m; i++) zero(p.c + i * p.cRow, p.n);
    return;
  }
  const Index block = depthBlock<T>(p.depth);
  const Index sweep = smaller(COLUMN_BLOCK, roundUp(p.n, N));
  const Index height = tileRowsFor(p.m), strips = ceilDivide(p.m, height);
  // Rows of A that one task takes: about half of a second-level cache.
  const Index stripsPerTask = larger(1, smaller(strips, 168 / height));
  const Index rowTasks = ceilDivide(strips, stripsPerTask);
  T* const bPanels = scratch;
  T* const aPanels = scratch + sweep * block + 16;
  for (Index j0 = 0; j0 < p.n; j0 += sweep) {
    const Index panels = ceilDivide(smaller(sweep, p.n - j0), N);
    const Index wanted = run.threads == 1 ? 1 : smaller(panels, ceilDivide(12 * run.threads, rowTasks));
    const Index panelsPerTask = ceilDivide(panels, wanted), columnTasks = ceilDivide(panels, panelsPerTask);
    for (Index k0 = 0; k0 < p.depth; k0 += block) {
      const Index depth = smaller(block, p.depth - k0);
      const bool packsA = j0 == 0 || p.depth > block;
      const Index together = p.b.column == 1 ? PACKED_TOGETHER / Index(sizeof(T)) / N : 1, groups = ceilDivide(panels, together);
      parallel(run, groups + (packsA ? strips : 0), [&](Index t, int) {
        if (t < groups) {
          packColumns(p.b.data + k0 * p.b.row + (j0 + t * together * N) * p.b.column, p.b.column, p.b.row,
                      smaller(together * N, p.n - j0 - t * together * N), depth, bPanels + t * together * N * depth);
        } else {
          const Index i = (t - groups) * height, rows = smaller(height, p.m - i);
          pack(p.a.data + i * p.a.row + k0 * p.a.column, p.a.row, p.a.column, rows, rows, depth, aPanels + i * depth);
        }
      });
      parallel(run, rowTasks * columnTasks, [&](Index t, int) {
        const Index firstStrip = t / columnTasks * stripsPerTask, lastStrip = smaller(strips, firstStrip + stripsPerTask);
        const Index first = t % columnTasks * panelsPerTask, last = smaller(panels, first + panelsPerTask);
        for (Index q = first; q < last; q++) {
          const Index j = j0 + q * N, width = smaller(N, p.n - j);
          for (Index s = firstStrip; s < lastStrip; s++) {
            const Index i = s * height;
            putTile<T>(smaller(height, p.m - i), depth, aPanels + i * depth, bPanels + q * N * depth,
                       p.c + i * p.cRow + j, p.cRow, width, p.accumulate || k0 > 0);
          }
        }
      });
    }
  }
}

/**
 * `batch` products; the operands of product t start at `a + aStarts[t]` and so on. Small products are shared out whole,
 * large ones one by one with the threads inside; the bits are the same.
 */
template <class T>
static Status multiplyBatch(Run& run, Index batch, const Index* aStarts, const Index* bStarts, Index cStep,
                            const Product<T>& p) {
  const Index need = gemmScratch<T>(p.m, p.n, p.depth);
  const bool whole = batch >= run.threads && double(p.m) * double(p.n) * double(larger(1, p.depth)) < double(1 << 22);
  const int parts = whole ? run.threads : 1;
  T* scratch = take<T>(run, need * parts);
  if (!scratch) return OUT_OF_MEMORY;
  auto one = [&](Run& r, Index t, T* space) {
    Product<T> q = p;
    q.a.data += aStarts[t];
    q.b.data += bStarts[t];
    q.c += t * cStep;
    multiply(r, q, space);
  };
  if (!whole) {
    for (Index t = 0; t < batch; t++) one(run, t, scratch);
    return DONE;
  }
  const Index grain = larger(1, batch / (run.threads * 8));
  parallel(run, ceilDivide(batch, grain), [&](Index task, int thread) {
    Run alone = {1, nullptr, nullptr};
    for (Index t = task * grain; t < smaller(batch, (task + 1) * grain); t++) one(alone, t, scratch + thread * need);
  });
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
