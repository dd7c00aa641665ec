// Sum, sum of squares, largest, smallest and product over any axes: how the axes are walked. The elements are added in an order of lanes and
// chunks that depends on the shape alone.

namespace ADJOINT_NAMESPACE {

enum { REDUCE_CHUNK = 1 << 16, REDUCE_COLUMN_CHUNK = 1 << 17, REDUCE_TASK = 1 << 14 };

INLINE Index productOf(const Index* extents, Index rank) {
  Index product = 1;
  for (Index axis = 0; axis < rank; axis++) product *= extents[axis];
  return product;
}

/** Where element `index` (row-major) of these axes lies. */
INLINE Index positionOf(const Index* extents, const Index* strides, Index rank, Index index) {
  Index position = 0;
  for (Index axis = rank - 1; axis > 0; axis--) {
    position += index % extents[axis] * strides[axis];
    index /= extents[axis];
  }
  return rank > 0 ? position + index * strides[0] : 0;
}

/** Neighbours in memory belong to different results: whole rows of them are added up side by side. */
template <class T, class Op> static Status reduceColumns(Run& run, const Reduction& r, const T* base, T* out, Index kept, Index reduced) {
  typedef typename Columns<T, Op>::State State;
  const Index width = r.keptExtent[r.keptRank - 1], blocks = ceilDivide(width, REDUCE_COLUMNS), outer = kept / width;
  const Index rowsPerChunk = larger(1, REDUCE_COLUMN_CHUNK / smaller(width, REDUCE_COLUMNS)), chunks = ceilDivide(reduced, rowsPerChunk);
  State* partial = take<State>(run, kept * chunks);
  if (!partial) return OUT_OF_MEMORY;
  const Index tasks = outer * blocks * chunks, work = smaller(width, REDUCE_COLUMNS) * smaller(reduced, rowsPerChunk);
  const Index grain = larger(1, REDUCE_TASK / work);
  parallel(run, ceilDivide(tasks, grain), [&](Index part, int) {
    Columns<T, Op> sums;
    for (Index t = part * grain; t < smaller(tasks, (part + 1) * grain); t++) {
      const Index chunk = t % chunks, block = t / chunks % blocks, o = t / chunks / blocks;
      const Index first = block * REDUCE_COLUMNS, n = smaller(REDUCE_COLUMNS, width - first);
      const T* from = base + positionOf(r.keptExtent, r.keptStride, r.keptRank - 1, o) + first;
      sums.start(n);
      const Index end = smaller(reduced, (chunk + 1) * rowsPerChunk), last = r.rank - 1;
      for (Index row = chunk * rowsPerChunk; row < end;) {
        const T* x = from + positionOf(r.extent, r.stride, r.rank, row);
        const Index run_ = smaller(end - row, r.extent[last] - row % r.extent[last]);
        Index i = 0;
        for (; i + 4 <= run_; i += 4) sums.addFour(x + i * r.stride[last], r.stride[last], n);
        for (; i < run_; i++) sums.add(x + i * r.stride[last], n);
        row += run_;
      }
      sums.put(partial + chunk * kept + o * width + first, n);
    }
  });
  parallel(run, ceilDivide(kept, REDUCE_TASK), [&](Index part, int) {
    for (Index k = part * REDUCE_TASK; k < smaller(kept, (part + 1) * REDUCE_TASK); k++) {
      State s = partial[k];
      for (Index chunk = 1; chunk < chunks; chunk++) Op::join(s, partial[chunk * kept + k]);
      out[k] = Op::template result<T>(s);
    }
  });
  return DONE;
}

/** Adds elements `at` … `end` of those that are reduced to each of R totals, for which they begin at `from`. */
template <class T, class Op, int R>
static void addChunk(const Reduction& r, const T* const* from, Index at, Index end, typename Op::State* totals) {
  const Index last = r.rank - 1, run_ = r.extent[last], stride = r.stride[last];
  while (at < end) {
    const Index position = positionOf(r.extent, r.stride, r.rank, at), begun = r.rank > 1 ? at % run_ : at, n = smaller(end - at, run_ - begun);
    const T* x[R];
    for (int k = 0; k < R; k++) x[k] = from[k] + position;
    if (stride != 1) {
      for (int k = 0; k < R; k++)
        for (Index i = 0; i < n; i++) Op::template addOne<T>(totals[k], x[k][i * stride]);
      at += n;
      continue;
    }
    Index runs = 1, step = 0;
    if (r.rank > 1 && n == run_) {
      // Whole runs along the next axis follow one another.
      const Index next = r.extent[last - 1];
      step = r.stride[last - 1];
      runs = smaller((end - at) / run_, next - at / run_ % next);
    }
    Op::template addRows<T, R>(totals, x, runs, step, n);
    at += runs * n;
  }
}

template <class T, class Op> static Status reduceWith(Run& run, const Reduction& r, const T* a, T* out) {
  typedef typename Op::State State;
  const Index kept = productOf(r.keptExtent, r.keptRank), reduced = productOf(r.extent, r.rank);
  if (kept == 0) return DONE;
  const T* base = a + r.offset;
  // There are enough columns to fill a register.
  const bool columns = r.keptRank > 0 && r.keptStride[r.keptRank - 1] == 1 && r.stride[r.rank - 1] != 1 && r.keptExtent[r.keptRank - 1] >= 4;
  if (columns) return reduceColumns<T, Op>(run, r, base, out, kept, reduced);
  const Index chunks = ceilDivide(reduced, REDUCE_CHUNK), tasks = kept * chunks;
  State* partial = take<State>(run, tasks);
  if (!partial) return OUT_OF_MEMORY;
  const Index grain = larger(1, REDUCE_TASK / smaller(reduced, REDUCE_CHUNK));
  // Where each result has its elements in one chunk, some go side by side.
  constexpr int SOME = Op::template SIDE_BY_SIDE<T>;
  parallel(run, ceilDivide(tasks, grain), [&](Index part, int) {
    const Index end = smaller(tasks, (part + 1) * grain);
    for (Index t = part * grain; t < end;) {
      const T* from[SOME];
      const Index some = chunks == 1 && t + SOME <= end ? SOME : 1, result = chunks == 1 ? t : t / chunks;
      for (Index i = 0; i < some; i++) {
        from[i] = base + positionOf(r.keptExtent, r.keptStride, r.keptRank, result + i);
        partial[t + i] = Op::initial();
      }
      const Index first = (t - result * chunks) * REDUCE_CHUNK, last = smaller(reduced, first + REDUCE_CHUNK);
      if (some == 1) addChunk<T, Op, 1>(r, from, first, last, partial + t);
      else addChunk<T, Op, SOME>(r, from, first, last, partial + t);
      t += some;
    }
  });
  for (Index k = 0; k < kept; k++) {
    State s = partial[k * chunks];
    for (Index chunk = 1; chunk < chunks; chunk++) Op::join(s, partial[k * chunks + chunk]);
    out[k] = Op::template result<T>(s);
  }
  return DONE;
}

template <class T> using Reducer = Status (*)(Run&, const Reduction&, const T* a, T* out);

/** In the order of REDUCE_OPS in src/tiers/machine.ts. */
template <class T> constexpr Named<Reducer<T>> reducers[] = {
    NAMED(sum, reduceWith<T, SumOp<ELEMENT>>), NAMED(max, reduceWith<T, ExtremeOp<true>>), NAMED(min, reduceWith<T, ExtremeOp<false>>),
    NAMED(prod, reduceWith<T, ProdOp>), NAMED(sumOfSquares, reduceWith<T, SumOp<SQUARE>>),
};

/** There is at least one element to reduce. */
template <class T> static Status reduce(Run& run, int op, const Reduction& r, const T* a, T* out) {
  if (op < 0 || op >= int(sizeof(reducers<T>) / sizeof(reducers<T>[0]))) return NOT_HERE;
  return reducers<T>[op].run(run, r, a, out);
}

}  // namespace ADJOINT_NAMESPACE
