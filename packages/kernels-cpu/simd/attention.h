// Attention: softmax(scale · query · keyᵀ + mask) · value, head by head; its gradients are in attention-grad.h. Of the scores only those of a
// block of queries are at hand at a time, in scratch: the array of all is never made, and the gradient makes them anew.
//
// Scores lie with the queries side by side, a row for each key: their largest, their exponentials and sums are then those of whole registers.
// What a head reads is brought near first, row by row, so that tiles read it in place, wherever it lay.
//
// Of keys that causality hides from all queries of a block nothing is computed: their weights would be 0.
//
// A unit is a sample. Heads are shared out among threads, and where those are few, parts of the queries of each; parts and blocks depend on
// sizes alone, and so do the bits.

namespace ADJOINT_NAMESPACE {

/** Queries at once, and fewer of them where a query has many scores. */
enum { QUERIES_AT_ONCE = 64, FEWER_QUERIES = 32, MANY_KEYS = 1024 };

/** So many heads are enough to share out; of fewer, queries are parted into so many tasks. Those of the gradient add up sums of their own. */
enum { ENOUGH_TASKS = 16, ENOUGH_SUMS = 8 };

/** Rows that lie side by side, of `stride` elements: whole tiles, with 0 past the end. */
template <class T> struct NearRows {
  T* data;
  Index stride;

  /** Elements from row to row: lines that lie apart by a power of two push each other out of a cache. */
  static Index strideOf(Index columns) {
    const Index whole = roundUp(larger(1, columns), Tile<T>::N);
    return whole * Index(sizeof(T)) % 4096 == 0 ? whole + Tile<T>::N : whole;
  }
  void read(const Matrix<T>& from, Index rows, Index columns) const {
    for (Index i = 0; i < rows; i++) {
      T* const to = data + i * stride;
      if (from.column == 1) copyRun(to, from.data + i * from.row, columns);
      else
        for (Index j = 0; j < columns; j++) to[j] = from.data[i * from.row + j * from.column];
      zero(to + columns, stride - columns);
    }
  }
  Matrix<T> rows() const { return {data, stride, 1}; }
  /** Whether 0 times each element of the first `rows` rows is 0. */
  bool areFinite(Index rows) const {
    Vec<T> sum = {};
    for (Index i = 0; i < rows * stride; i += Lanes<T>::N) sum += load(data + i) * splat(T(0));
    return horizontalSum<T>(sum) == 0;
  }
};

/**
 * c (=|+=) a · b of what is near: a is read in place, and so is b, whose rows go on to the end of the last tile. In blocks of the depth, as all
 * products: a sum of many small numbers of one sign would lose more and more of them.
 */
template <class T> static void multiplyNear(const Product<T>& p) {
  constexpr Index N = Tile<T>::N;
  T whole[MR * N] __attribute__((aligned(64)));
  const Index height = tileRowsFor(p.m), block = depthBlock<T>(p.depth);
  for (Index k = 0; k < p.depth; k += block) {
    const Index depth = smaller(block, p.depth - k);
    const bool accumulate = p.accumulate || k > 0;
    for (Index j = 0; j < p.n; j += N) {
      const Index width = smaller(N, p.n - j);
      const TilePanel<T> panel = {p.b.data + k * p.b.row + j, p.b.row, nullptr};
      for (Index i = 0; i < p.m; i += height) {
        const Index rows = smaller(height, p.m - i);
        const auto tile = Tiles<T>::product[rows];
        const T* const a = p.a.data + i * p.a.row + k * p.a.column;
        T* const c = p.c + i * p.cRow + j;
        if (width == N) {
          tile(depth, a, p.a.row, p.a.column, panel, c, p.cRow, accumulate);
          continue;
        }
        tile(depth, a, p.a.row, p.a.column, panel, whole, N, false);
        putPart(rows, width, whole, c, p.cRow, accumulate);
      }
    }
  }
}

/** An operand: its first element, and the strides of samples, rows, heads and columns. */
template <class T> struct HeadsOf {
  const T* data;
  Index sample, row, head, column;

  /** From `n`: offset, and strides in that order. */
  static HeadsOf read(const T* array, const double* n) { return {array + Index(n[0]), Index(n[1]), Index(n[2]), Index(n[3]), Index(n[4])}; }
  Matrix<T> of(Index s, Index h, Index first = 0) const { return {data + s * sample + h * head + first * row, row, column}; }
};
enum { HEADS_NUMBERS = 5 };

/** The sums of the elements of each place of a register. */
INLINE Vec<double> placesOf(const DoubleSum<double>& sum) { return sum.value; }
INLINE Vec<float> placesOf(const DoubleSum<float>& sum) {
  const HalfFloats halves[2] = {narrowed(sum.low), narrowed(sum.high)};
  Vec<float> v;
  __builtin_memcpy(&v, halves, sizeof v);
  return v;
}

/** Σ term(j) over n rows, place by place. Four at a time are added up before they go to double precision. */
template <class T, class F> INLINE Vec<T> sumOfPlaces(Index n, const F& term) {
  DoubleSum<T> sum;
  Index j = 0;
  ROLLED for (; j + 4 <= n; j += 4) {
    Vec<T> some[4];
    UNROLL for (int i = 0; i < 4; i++) some[i] = term(j + i);
    sum.add((some[0] + some[1]) + (some[2] + some[3]));
  }
  ROLLED for (; j < n; j++) sum.add(term(j));
  return placesOf(sum);
}

/** What a task computes: some queries of a head. */
struct HeadPart {
  Index sample, unit, head, index, first, end;
  /** Whether keys and values are all finite: weights of 0 then hide them. */
  bool isFinite;
};

/** A call: sizes and operands. */
template <class T> struct Attention {
  Index samples, firstSample, heads, queries, keys, features, outputs;
  T scale;
  bool causal, masked;
  HeadsOf<T> query, key, value, mask;
  /** Queries at once, and elements of a row of their scores. */
  Index block, width;
  /** Queries of a part of a head, and parts. */
  Index partQueries, parts;

  /** Where numbers of operands begin. */
  enum { VIEWS = 9 };

  /** Numbers: heads, queries, keys, features, outputs, scale, causal, masked, all samples; query, key, value, mask. Arrays in that order. */
  Attention(const Units& u, Index tasks) {
    const double* const n = u.numbers;
    samples = u.count;
    firstSample = u.first;
    heads = Index(n[0]);
    queries = Index(n[1]);
    keys = Index(n[2]);
    features = Index(n[3]);
    outputs = Index(n[4]);
    scale = T(n[5]);
    causal = n[6] != 0;
    masked = n[7] != 0;
    const Index allHeads = Index(n[8]) * heads;
    const double* const views = n + VIEWS;
    query = HeadsOf<T>::read(u.array<const T>(0), views);
    key = HeadsOf<T>::read(u.array<const T>(1), views + HEADS_NUMBERS);
    value = HeadsOf<T>::read(u.array<const T>(2), views + 2 * HEADS_NUMBERS);
    mask = HeadsOf<T>::read(u.array<const T>(3), views + 3 * HEADS_NUMBERS);
    block = smaller(queries, keys > MANY_KEYS ? FEWER_QUERIES : QUERIES_AT_ONCE);
    width = roundUp(block, Tile<T>::N);
    const Index blocks = ceilDivide(queries, block);
    partQueries = block * ceilDivide(blocks, smaller(blocks, ceilDivide(tasks, allHeads)));
    parts = ceilDivide(queries, partQueries);
  }

  /** Scratch of one thread, part by part; with `from` null it counts how much that is. */
  struct Space {
    NearRows<T> query, key, value, cotangent;
    T *panel, *masks, *weights, *slopes;
    Index size;

    Space(const Attention& a, T* from) : size(0) {
      const auto part = [&](Index elements) {
        T* const start = from ? from + size : nullptr;
        size += roundUp(elements, 64 / Index(sizeof(T)));
        return start;
      };
      const Index wide = NearRows<T>::strideOf(a.features), out = NearRows<T>::strideOf(a.outputs);
      key = {part(a.keys * wide), wide};
      value = {part(a.keys * out), out};
      query = {part(a.block * wide), wide};
      cotangent = {part(a.block * out), out};
      panel = part(larger(a.features, a.outputs) * a.width);
      masks = part(a.masked ? a.keys * Lanes<T>::N : 0);
      weights = part(a.keys * a.width);
      slopes = part(a.keys * a.width);
    }
  };

  /** The head whose keys and values a thread has near, and whether all of them are finite. */
  struct Near {
    Index head;
    bool isFinite;
  };

  /** Calls `one(part, space)` for each part of each head of each unit; its keys and values are near. */
  template <class F> Status eachPart(Run& run, const F& one) const {
    const Index size = Space(*this, nullptr).size;
    T* const scratch = take<T>(run, size * run.threads);
    Near* const near = take<Near>(run, run.threads);
    if (!scratch || !near) return OUT_OF_MEMORY;
    for (int thread = 0; thread < run.threads; thread++) near[thread].head = -1;
    parallel(run, samples * heads * parts, [&](Index t, int thread) {
      const Space space(*this, scratch + thread * size);
      const Index index = t % parts, unit = t / parts / heads, head = t / parts % heads, sample = firstSample + unit;
      if (near[thread].head != t / parts) {
        space.key.read(key.of(sample, head), keys, features);
        space.value.read(value.of(sample, head), keys, outputs);
        near[thread] = {t / parts, causal && space.key.areFinite(keys) && space.value.areFinite(keys)};
      }
      const Index first = index * partQueries;
      one(HeadPart{sample, unit, head, index, first, smaller(queries, first + partQueries), near[thread].isFinite}, space);
    });
    return DONE;
  }

  /** How many keys the queries before `end` need. What is not finite is hidden from none: 0 times it is NaN. */
  Index keysBefore(Index end, bool areFinite) const { return causal && areFinite ? smaller(keys, end) : keys; }

  /** Whether weights of 0 hide keys from the gradients of a block of queries: all that they are multiplied with is finite, and so are they. */
  bool hides(const Space& space, Index rows) const {
    return space.query.areFinite(rows) && space.cotangent.areFinite(rows) && NearRows<T>{space.weights, width}.areFinite(1);
  }

  /** c = left · rightᵀ of `n` rows of `left`, with the rows of `right`, of which there are `count`, side by side. */
  void multiplyTurned(const NearRows<T>& left, Index n, const NearRows<T>& right, Index count, Index depth, T* panel, T* c) const {
    pack(right.data, right.stride, Index(1), count, width, depth, panel);
    multiplyNear<T>({n, width, depth, left.rows(), {panel, width, 1}, c, width, false});
  }

  /** The weights of the first `seen` keys for `rows` queries from `first` on, in `space`, to which they are brought near. */
  void weigh(const Space& space, const HeadPart& part, Index first, Index rows, Index seen) const {
    space.query.read(query.of(part.sample, part.head, first), rows, features);
    multiplyTurned(space.key, seen, space.query, rows, features, space.panel, space.weights);
    for (Index i = 0; i < rows; i += Lanes<T>::N) {
      if (masked) {
        const Matrix<T> own = mask.of(part.sample, part.head, first + i);
        pack(own.data, own.row, own.column, smaller(Lanes<T>::N, rows - i), Index(Lanes<T>::N), seen, space.masks);
      }
      weighPlaces(space.weights + i, masked ? space.masks : nullptr, first + i, seen);
    }
  }

  /** The softmax of a register of queries over `seen` keys; the first of them is the query `first`. */
  void weighPlaces(T* x, const T* masks, Index first, Index seen) const {
    constexpr Index N = Lanes<T>::N;
    const Vec<T> scales = splat(scale), never = splat(T(-__builtin_inf()));
    T places[N] __attribute__((aligned(64)));
    for (Index i = 0; i < N; i++) places[i] = T(i);
    const Vec<T> place = load(places);
    Vec<T> largest = never;
    for (Index j = 0; j < seen; j++) {
      Vec<T> score = load(x + j * width) * scales;
      if (masks) score += load(masks + j * N);
      if (causal && j > first) score = choose<T>(place < splat(T(j - first)), never, score);
      store(x + j * width, score);
      largest = largerOrFirst<T>(largest, score);
    }
    const Vec<T> sum = sumOfPlaces<T>(seen, [&](Index j) __attribute__((always_inline)) {
      const Vec<T> e = expOfDrop<T>(load(x + j * width) - largest);
      store(x + j * width, e);
      return e;
    });
    const Vec<T> factor = splat(T(1)) / sum;
    for (Index j = 0; j < seen; j++) store(x + j * width, load(x + j * width) * factor);
  }

  /** y = scale · w(y − Σ w y) over `seen` keys: from the cotangents of the weights of a register of queries those of what was scaled. */
  void slopesOfPlaces(T* y, const T* w, Index seen) const {
    const Vec<T> scales = splat(scale);
    const Vec<T> sum = sumOfPlaces<T>(seen, [&](Index j) __attribute__((always_inline)) { return load(y + j * width) * load(w + j * width); });
    for (Index j = 0; j < seen; j++) store(y + j * width, (load(y + j * width) - sum) * load(w + j * width) * scales);
  }
};

/** Arrays: query, key, value, mask; result (queries, heads, outputs). Numbers: see Attention. */
template <class T> static Status attention(Run& run, const Units& u) {
  const Attention<T> a(u, ENOUGH_TASKS);
  T* const out = u.array<T>(4);
  const Index row = a.heads * a.outputs;
  return a.eachPart(run, [&](const HeadPart& part, const auto& space) {
    for (Index first = part.first; first < part.end; first += a.block) {
      const Index rows = smaller(a.block, part.end - first), seen = a.keysBefore(first + rows, part.isFinite);
      a.weigh(space, part, first, rows, seen);
      T* const to = out + (part.unit * a.queries + first) * row + part.head * a.outputs;
      multiplyNear<T>({rows, a.outputs, seen, {space.weights, 1, a.width}, space.value.rows(), to, row, false});
    }
  });
}

}  // namespace ADJOINT_NAMESPACE
