// The matrix product C (=|+=) A · B of any strided operands, batched; or C = A · B + a bias for each column.
//
// The sums of a tile run over a block of the depth. B is put into panels of one tile's width: where its rows lie close together, by the
// first tile that needs a panel, while it computes; otherwise, and where tasks share panels, beforehand, by all threads. A is put into
// strips of one tile's height, by all threads or by each task as it comes to them, and read in place where there are few panels. Blocks
// depend on the extents alone, and every element adds up its blocks in order: the same bits on any number of threads.

namespace ADJOINT_NAMESPACE {

/** Element (i, j) is at data[i · row + j · column]. */
template <class T> struct Matrix {
  const T* data;
  Index row, column;
};

/** Steps of depth per block; rows of A and columns of B that are packed at once; panels that a task keeps at hand; strips packed side by side. */
enum { DEPTH_BLOCK = ADJOINT_DEPTH_BLOCK, ROW_BLOCK = 2048, COLUMN_BLOCK = 2048, PANELS_AT_HAND = 16, STRIPS_TOGETHER = 4, FEW_STRIPS = MR < 6 ? 32 : 8, FEW_PANELS = 8 };

template <class T> struct Product {
  Index m, n, depth;
  Matrix<T> a, b;
  T* c;
  Index cRow;
  bool accumulate;
  /** What is added to the sums of column j is at bias[j · biasStep]; null: nothing. Not where they are added to c. */
  const T* bias = nullptr;
  Index biasStep = 0;
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

/** Stores the part of a whole tile that lies within the matrix. */
template <class T> INLINE void putPart(Index rows, Index width, const T* whole, T* c, Index cRow, bool accumulate) {
  for (Index i = 0; i < rows; i++) {
    const T* const from = whole + i * Tile<T>::N;
    if (accumulate)
      for (Index j = 0; j < width; j++) c[i * cRow + j] += from[j];
    else
      copyRun(c + i * cRow, from, width);
  }
}

/** Writes one tile of packed operands, over scratch where it sticks out of the matrix. */
template <class T>
INLINE void putTile(Index rows, Index depth, const T* a, const T* b, T* c, Index cRow, Index width, Addend<T> addend) {
  constexpr Index N = Tile<T>::N;
  if (width == N) {
    Tiles<T>::rows[rows](1, FROM_START, depth, a, b, N, c, cRow, addend);
    return;
  }
  T whole[MR * N] __attribute__((aligned(64)));
  Tiles<T>::rows[rows](1, FROM_START, depth, a, b, N, whole, N, Addend<T>(addend.row));
  putPart(rows, width, whole, c, cRow, addend.accumulate);
}

/** Of registers this narrow a tile has few multiply-adds per step, and the addresses of operands in place cost more than packing both. */
enum { PACKS_ALL = BYTES == 16 };

/** Of so many panels or fewer, rows of A cost less in place than packed; tiles whose multiply-adds read A themselves are faster if it is packed. */
enum { PANELS_IN_PLACE = BYTES == 64 ? 2 : 1 << 30 };

/**
 * Whether tiles read A where it lies, for so many panels: rows along memory, of which no more than half a tile meet in one set of a
 * first-level cache.
 */
template <class T> INLINE bool readsInPlace(const Matrix<T>& a, Index panels) {
  return !PACKS_ALL && panels <= PANELS_IN_PLACE && a.column == 1 && a.row * Index(sizeof(T)) % 4096 != 0;
}

/** Whether tiles that read B where it lies find its next rows in time: more than one of them lies on a page. */
template <class T> INLINE bool liesTogether(const Matrix<T>& b) { return !PACKS_ALL && b.column == 1 && b.row * Index(sizeof(T)) < 4096; }

/**
 * How one product is shared out: sweeps of so many strips (of `height` rows) and panels, in tasks of so many of them. Where a task has all
 * strips of its panels, it packs them itself, and they stay in the cache of its processor. Where it has all panels of its strips, it packs
 * those itself, and the panels are packed beforehand, for all tasks to share.
 */
struct ProductPlan {
  Index block, height, strips, panels, stripsPerTask, panelsPerTask;
  bool tasksPack, sharesPanels;
};

template <class T> INLINE ProductPlan planProduct(int threads, Index m, Index n, Index depth) {
  ProductPlan plan;
  plan.block = depthBlock<T>(depth);
  plan.height = tileRowsFor(smaller(m, ROW_BLOCK));
  plan.strips = ceilDivide(smaller(m, ROW_BLOCK / plan.height * plan.height), plan.height);
  plan.panels = ceilDivide(smaller(n, COLUMN_BLOCK), Tile<T>::N);
  plan.panelsPerTask = ceilDivide(plan.panels, threads);
  plan.stripsPerTask = plan.strips;
  plan.sharesPanels = false;
  // A thread that packs for itself reads all of A and its share of B; one that shares panels reads all of B.
  const bool few = plan.strips <= FEW_STRIPS && plan.panels >= 2 * threads, wide = !PACKS_ALL && 2 * m <= n && plan.panels >= 4 * threads;
  plan.tasksPack = m <= ROW_BLOCK && (threads == 1 || few || wide);
  if (plan.tasksPack && threads > 1) plan.panelsPerTask = smaller(Index(PANELS_AT_HAND), ceilDivide(plan.panels, 2 * threads));
  if (threads == 1 || plan.tasksPack) return plan;
  plan.sharesPanels = plan.panelsPerTask > PANELS_IN_PLACE && plan.strips >= 2 * threads;
  if (plan.sharesPanels) {
    plan.panelsPerTask = plan.panels;
    plan.stripsPerTask = ceilDivide(plan.strips, 4 * threads);
    return plan;
  }
  const Index rowTasks = ceilDivide(6 * threads, ceilDivide(plan.panels, plan.panelsPerTask));
  plan.stripsPerTask = larger(smaller(4, plan.strips), ceilDivide(plan.strips, rowTasks));
  return plan;
}

/** Elements of scratch that `multiply` needs on so many threads: below a megabyte for each, of which it touches what its own tasks pack. */
template <class T> INLINE Index gemmScratch(int threads, Index m, Index n, Index depth) {
  const ProductPlan plan = planProduct<T>(threads, m, n, depth);
  return (larger(plan.panels, threads * PANELS_AT_HAND) * Tile<T>::N + larger(plan.strips * plan.height, threads * MR)) * plan.block;
}

/** Packs strips [first, last) of `height` rows, of which `m` in all are there: all of a step at once where they share cache lines. */
template <class T> static void packStrips(const Matrix<T>& a, Index m, Index height, Index first, Index last, Index depth, T* to) {
  if (a.row == 1) {
    for (Index k = 0; k < depth; k++)
      for (Index s = first; s < last; s++) {
        const Index i = s * height, rows = smaller(height, m - i);
        copyRun(to + (s - first) * height * depth + k * rows, a.data + i + k * a.column, rows);
      }
    return;
  }
  for (Index s = first; s < last; s++) {
    const Index i = s * height, rows = smaller(height, m - i);
    pack(a.data + i * a.row, a.row, a.column, rows, rows, depth, to + (s - first) * height * depth);
  }
}

/** One product over one block of the depth, and what is packed of it. */
template <class T> struct ProductBlock {
  Product<T> p;
  /** Rows of a strip. */
  Index height;
  /** All strips of a, or null: then each task packs the one that it comes to, or reads a in place. */
  const T* strips;
  bool inPlace;
  /** All panels of b, or null: then each task makes its own, before it computes or while it does. */
  const T* packed;
  bool before;

  /** The tiles of strips [firstStrip, lastStrip) times panels [first, last); `own` has space for PANELS_AT_HAND. */
  void run(Index firstStrip, Index lastStrip, Index first, Index last, T* own, T* ownStrip) const {
    constexpr Index N = Tile<T>::N;
    T whole[MR * N] __attribute__((aligned(64))), bias[N];
    for (Index q0 = first; q0 < last; q0 += PANELS_AT_HAND) {
      const Index end = smaller(last, q0 + PANELS_AT_HAND);
      const T* const panels = packed ? packed + q0 * N * p.depth : own;
      const bool ready = packed || before;
      if (!packed && before) packColumns(p.b.data + q0 * N * p.b.column, p.b.column, p.b.row, smaller(end * N, p.n) - q0 * N, p.depth, own);
      for (Index s = firstStrip; s < lastStrip; s++) {
        const Index i = s * height, rows = smaller(height, p.m - i);
        const T* const a = inPlace ? p.a.data + i * p.a.row : strips ? strips + i * p.depth : ownStrip;
        if (!inPlace && !strips) packStrips(p.a, p.m, height, s, s + 1, p.depth, ownStrip);
        const Index aRow = inPlace ? p.a.row : 1, aStep = inPlace ? 1 : rows;
        for (Index q = q0; q < end; q++) {
          const Index j = q * N, width = smaller(N, p.n - j), at = (q - q0) * N * p.depth;
          T* const c = p.c + i * p.cRow + j;
          if (p.accumulate) fetchTile(c, rows);
          const Addend<T> addend = p.bias ? Addend<T>(biasAt(j, width, bias)) : Addend<T>(p.accumulate);
          const bool makes = !ready && s == firstStrip;
          if (!inPlace && !makes) {
            putTile<T>(rows, p.depth, a, panels + at, c, p.cRow, width, addend);
            continue;
          }
          const TilePanel<T> panel = makes ? firstPanel(q, lastStrip - firstStrip, own + at) : TilePanel<T>{panels + at, N, nullptr};
          const auto tile = Tiles<T>::product[rows];
          if (width == N) {
            tile(p.depth, a, aRow, aStep, panel, c, p.cRow, addend);
            continue;
          }
          tile(p.depth, a, aRow, aStep, panel, whole, N, Addend<T>(addend.row));
          putPart(rows, width, whole, c, p.cRow, p.accumulate);
        }
      }
    }
  }

 private:
  /** Lines of memory that a step of a panel takes, and a row of a tile. */
  enum { LINES = NV * BYTES < 64 ? 1 : NV * BYTES / 64 };

  /** The bias of `width` columns from j on, with 0 past them: where it lies, or in `own`. */
  const T* biasAt(Index j, Index width, T* own) const {
    const T* const from = p.bias + j * p.biasStep;
    if (p.biasStep == 1 && width == Tile<T>::N) return from;
    for (Index i = 0; i < Tile<T>::N; i++) own[i] = i < width ? from[i * p.biasStep] : T(0);
    return own;
  }

  /** Brings what is added to a tile near while the tile is computed. */
  void fetchTile(const T* c, Index rows) const {
    constexpr Index N = Tile<T>::N;
    for (Index i = 0; i < rows; i++, c += p.cRow) {
      UNROLL for (Index line = 0; line < LINES; line++) __builtin_prefetch(c + line * (N / LINES), 1);
      __builtin_prefetch(c + N - 1, 1);
    }
  }

  /** Panel q for the first of `strips` strips, which makes it for the others. */
  TilePanel<T> firstPanel(Index q, Index strips, T* made) const {
    constexpr Index N = Tile<T>::N;
    if (p.n - q * N >= N) return {p.b.data + q * N, p.b.row, strips > 1 ? made : nullptr};
    pack(p.b.data + q * N, Index(1), p.b.row, p.n - q * N, N, p.depth, made);
    return {made, N, nullptr};
  }
};

/** One product; `scratch` holds gemmScratch elements. What there is to do is shared among the threads. */
template <class T> static void multiply(Run& run, const Product<T>& p, T* scratch) {
  constexpr Index N = Tile<T>::N;
  if (p.m == 0 || p.n == 0) return;
  if (p.depth == 0) {
    for (Index i = 0; i < p.m && !p.accumulate; i++)
      for (Index j = 0; j < p.n; j++) p.c[i * p.cRow + j] = p.bias ? p.bias[j * p.biasStep] : T(0);
    return;
  }
  const ProductPlan plan = planProduct<T>(run.threads, p.m, p.n, p.depth);
  const bool packsB = plan.sharesPanels || !liesTogether(p.b), inPlace = readsInPlace(p.a, plan.panelsPerTask);
  // Threads that share the panels of a strip share the strip.
  const bool packsA = p.a.column != 1 || (!inPlace && plan.panelsPerTask < smaller(plan.panels, FEW_PANELS));
  const Index height = plan.height, sweepRows = plan.strips * height, sweepColumns = plan.panels * N;
  T* const aStrips = scratch + larger(plan.panels, run.threads * PANELS_AT_HAND) * N * plan.block;
  for (Index j0 = 0; j0 < p.n; j0 += sweepColumns)
    for (Index i0 = 0; i0 < p.m; i0 += sweepRows)
      for (Index k0 = 0; k0 < p.depth; k0 += plan.block) {
        const Index m = smaller(sweepRows, p.m - i0), n = smaller(sweepColumns, p.n - j0), depth = smaller(plan.block, p.depth - k0);
        const Matrix<T> a = {p.a.data + i0 * p.a.row + k0 * p.a.column, p.a.row, p.a.column};
        const Matrix<T> b = {p.b.data + k0 * p.b.row + j0 * p.b.column, p.b.row, p.b.column};
        const T* const bias = p.bias && k0 == 0 ? p.bias + j0 * p.biasStep : nullptr;
        ProductBlock<T> block = {{m, n, depth, a, b, p.c + i0 * p.cRow + j0, p.cRow, p.accumulate || k0 > 0, bias, p.biasStep},
                                 height, packsA ? aStrips : nullptr, inPlace, nullptr, false};
        const bool packsFirst = packsB && !plan.tasksPack;
        block.before = packsB && plan.tasksPack;
        if (packsFirst) block.packed = scratch;
        const Index strips = ceilDivide(m, height), panels = ceilDivide(n, N);
        const Index together = b.column == 1 ? PACKED_TOGETHER / Index(sizeof(T)) / N : 1;
        const Index panelTasks = packsFirst ? ceilDivide(panels, together) : 0, stripTasks = packsA ? ceilDivide(strips, STRIPS_TOGETHER) : 0;
        parallel(run, panelTasks + stripTasks, [&](Index t, int) {
          const Index j = t * together * N;
          if (t < panelTasks) packColumns(b.data + j * b.column, b.column, b.row, smaller(together * N, n - j), depth, scratch + j * depth);
          else {
            const Index first = (t - panelTasks) * STRIPS_TOGETHER;
            packStrips(a, m, height, first, smaller(strips, first + STRIPS_TOGETHER), depth, aStrips + first * height * depth);
          }
        });
        const Index rowTasks = ceilDivide(strips, plan.stripsPerTask), columnTasks = ceilDivide(panels, plan.panelsPerTask);
        parallel(run, rowTasks * columnTasks, [&](Index t, int thread) {
          const Index strip = t / columnTasks * plan.stripsPerTask, panel = t % columnTasks * plan.panelsPerTask;
          block.run(strip, smaller(strips, strip + plan.stripsPerTask), panel, smaller(panels, panel + plan.panelsPerTask),
                    scratch + thread * PANELS_AT_HAND * N * depth, aStrips + thread * MR * depth);
        });
      }
}

/**
 * `batch` products; the operands of product t start at `a + aStarts[t]` and so on. Small products are shared out whole,
 * large ones one by one with the threads inside; the bits are the same.
 */
template <class T>
static Status multiplyBatch(Run& run, Index batch, const Index* aStarts, const Index* bStarts, Index cStep,
                            const Product<T>& p) {
  const bool whole = batch >= run.threads && double(p.m) * double(p.n) * double(larger(1, p.depth)) < double(1 << 22);
  const int parts = whole ? run.threads : 1;
  const Index need = gemmScratch<T>(whole ? 1 : run.threads, p.m, p.n, p.depth);
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
