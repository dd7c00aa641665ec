// What a reduction adds up, element by element, in rows, or in blocks of columns that are reduced side by side.
//
// Sums are as good as the reference's: float32 is added up in double precision, float64 with the rounding errors beside
// (Knuth's TwoSum).

namespace ADJOINT_NAMESPACE {

/** Columns of a block: a kilobyte or two of each row in one run, and totals that fit into a first-level cache. */
enum { REDUCE_COLUMNS = 1024 };

/** A total and the rounding errors that it has left behind. */
struct Total {
  double value, error;
};

INLINE void addTo(Total& t, double x) {
  const double next = t.value + x, part = next - t.value;
  t.error += (t.value - (next - part)) + (x - part);
  t.value = next;
}
/** A sum that is not finite has a meaningless error. */
INLINE double roundTotal(const Total& t) { return t.value - t.value == 0 ? t.value + t.error : t.value; }

typedef double Doubles __attribute__((vector_size(BYTES)));
enum { HALF = BYTES / 8 };
typedef float HalfFloatsUnaligned __attribute__((vector_size(BYTES / 2), aligned(4), may_alias));

INLINE Doubles loadDoubles(const double* p) { return load(p); }
INLINE Doubles loadDoubles(const float* p) { return widened(*reinterpret_cast<const HalfFloatsUnaligned*>(p)); }

// Rounding errors are kept where the elements have as many bits as the sum.
template <class T> INLINE void addVector(Doubles& value, Doubles& error, Doubles x) {
  if (sizeof(T) == 4) {
    value += x;
    return;
  }
  const Doubles next = value + x, part = next - value;
  error += (value - (next - part)) + (x - part);
  value = next;
}

/** What is summed: the elements, or their squares (of float32 exact). */
enum Summand { ELEMENT, SQUARE };

template <Summand SUMMAND> struct SumOp {
  template <class V> INLINE_MEMBER V of(V x) { return SUMMAND == SQUARE ? x * x : x; }
  typedef Total State;
  static constexpr State initial() { return {0, 0}; }
  static void join(State& a, const State& b) {
    addTo(a, b.value);
    a.error += b.error;
  }
  template <class T> static T result(const State& s) { return T(roundTotal(s)); }
  template <class T> INLINE_MEMBER void addOne(State& s, T x) { addTo(s, of(double(x))); }
  template <class T> static void addRows(State& s, const T* x, Index rows, Index step, Index n) {
    // As many sums side by side as additions that wait for each other take.
    constexpr int SUMS = sizeof(T) == 4 ? 8 : 4;
    Doubles value[SUMS] = {}, error[SUMS] = {};
    for (Index row = 0; row < rows; row++, x += step) {
      Index i = 0;
      for (; i + SUMS * HALF <= n; i += SUMS * HALF) {
        fetch<T, SUMS * HALF>(x + i + PAGE<T>);
        UNROLL for (int v = 0; v < SUMS; v++) addVector<T>(value[v], error[v], of(loadDoubles(x + i + v * HALF)));
      }
      for (; i + HALF <= n; i += HALF) addVector<T>(value[0], error[0], of(loadDoubles(x + i)));
      for (; i < n; i++) addTo(s, of(double(x[i])));
    }
    for (int v = 1; v < SUMS; v++) {
      addVector<T>(value[0], error[0], value[v]);
      error[0] += error[v];
    }
    for (int lane = 0; lane < HALF; lane++) {
      if (sizeof(T) == 4) {
        s.value += value[0][lane];
      } else {
        addTo(s, value[0][lane]);
        s.error += error[0][lane];
      }
    }
  }
};

/** Products in double precision; several at a time, so that one multiplication does not wait for the other. */
struct ProdOp {
  typedef double State;
  static constexpr State initial() { return 1; }
  static void join(State& a, const State& b) { a *= b; }
  template <class T> static T result(const State& s) { return T(s); }
  template <class T> INLINE_MEMBER void addOne(State& s, T x) { s *= double(x); }
  template <class T> static void addRows(State& s, const T* x, Index rows, Index step, Index n) {
    for (Index row = 0; row < rows; row++) addRow<T>(s, x + row * step, n);
  }
  template <class T> static void addRow(State& s, const T* x, Index n) {
    Doubles value[4];
    UNROLL for (int v = 0; v < 4; v++) value[v] = Doubles{} + 1;
    Index i = 0;
    for (; i + 4 * HALF <= n; i += 4 * HALF)
      UNROLL for (int v = 0; v < 4; v++) value[v] *= loadDoubles(x + i + v * HALF);
    const Doubles all = (value[0] * value[1]) * (value[2] * value[3]);
    for (int lane = 0; lane < HALF; lane++) s *= all[lane];
    for (; i < n; i++) s *= double(x[i]);
  }
};

/** The op's order picks x over the best so far; a NaN, once there, stays. */
template <bool LARGEST> struct ExtremeOp {
  typedef double State;
  static constexpr State initial() { return LARGEST ? -__builtin_inf() : __builtin_inf(); }
  INLINE_MEMBER bool beats(double x, double best) { return LARGEST ? !(x <= best) : !(x >= best); }
  static void join(State& a, const State& b) {
    if (a == a && beats(b, a)) a = b;
  }
  template <class T> static T result(const State& s) { return T(s); }
  template <class T> INLINE_MEMBER void addOne(State& s, T x) {
    if (s == s && beats(double(x), s)) s = double(x);
  }
  /** Of registers of any width. */
  template <class V> INLINE_MEMBER V pick(V best, V x) {
    if constexpr (LARGEST) return ((x > best) | (x != x)) ? x : best;
    else return ((x < best) | (x != x)) ? x : best;
  }
  template <class T> INLINE_MEMBER Vec<T> better(Vec<T> best, Vec<T> x) { return pick(best, x); }
  template <class T> static void addRows(State& s, const T* x, Index rows, Index step, Index n) {
    for (Index row = 0; row < rows; row++) addRow<T>(s, x + row * step, n);
  }
  template <class T> static void addRow(State& s, const T* x, Index n) {
    constexpr Index W = Lanes<T>::N;
    Index i = 0;
    if (n >= 4 * W) {
      Vec<T> best[4];
      UNROLL for (int v = 0; v < 4; v++) best[v] = load(x + v * W);
      for (i = 4 * W; i + 4 * W <= n; i += 4 * W)
        UNROLL for (int v = 0; v < 4; v++) best[v] = pick(best[v], load(x + i + v * W));
      const Vec<T> last = pick(pick(best[0], best[1]), pick(best[2], best[3]));
      if constexpr (W > 4) {
        T lanes[W] __attribute__((aligned(64)));
        store(lanes, last);
        typename Lanes<T>::V4 four = load4(lanes);
        UNROLL for (Index lane = 4; lane < W; lane += 4) four = pick(four, load4(lanes + lane));
        four = pick(four, __builtin_shufflevector(four, four, 2, 3, 0, 1));
        four = pick(four, __builtin_shufflevector(four, four, 1, 0, 3, 2));
        addOne<T>(s, four[0]);
      } else {
        for (Index lane = 0; lane < W; lane++) addOne<T>(s, last[lane]);
      }
    }
    for (; i < n; i++) addOne<T>(s, x[i]);
  }
};

/**
 * Columns of a block of rows, all at once. Sums: of float32 double totals alone, which leaves nothing behind; of float64 totals and
 * errors apart.
 */
template <class T, class Op> struct Columns;

template <class T> struct Columns<T, ProdOp> {
  double value[REDUCE_COLUMNS];
  void start(Index n) {
    for (Index j = 0; j < n; j++) value[j] = 1;
  }
  void add(const T* x, Index n) {
    Index j = 0;
    for (; j + HALF <= n; j += HALF) store(value + j, loadDoubles(value + j) * loadDoubles(x + j));
    for (; j < n; j++) value[j] *= double(x[j]);
  }
  void addFour(const T* x, Index row, Index n) {
    for (int r = 0; r < 4; r++) add(x + r * row, n);
  }
  void join(double* to, Index n) const {
    for (Index j = 0; j < n; j++) to[j] *= value[j];
  }
};

template <class T, bool LARGEST> struct Columns<T, ExtremeOp<LARGEST>> {
  typedef ExtremeOp<LARGEST> Op;
  T best[REDUCE_COLUMNS];
  void start(Index n) {
    for (Index j = 0; j < n; j++) best[j] = T(Op::initial());
  }
  void add(const T* x, Index n) {
    constexpr Index W = Lanes<T>::N;
    Index j = 0;
    for (; j + W <= n; j += W) store(best + j, Op::pick(load(best + j), load(x + j)));
    for (; j < n; j++) step(best[j], x[j]);
  }
  void addFour(const T* x, Index row, Index n) {
    constexpr Index W = Lanes<T>::N;
    Index j = 0;
    for (; j + W <= n; j += W) {
      Vec<T> b = load(best + j);
      UNROLL for (int r = 0; r < 4; r++) b = Op::pick(b, load(x + r * row + j));
      store(best + j, b);
    }
    for (; j < n; j++)
      for (int r = 0; r < 4; r++) step(best[j], x[r * row + j]);
  }
  void join(double* to, Index n) const {
    for (Index j = 0; j < n; j++) Op::join(to[j], double(best[j]));
  }

 private:
  static void step(T& b, T x) {
    if (b == b && Op::beats(double(x), double(b))) b = x;
  }
};

template <class T, Summand SUMMAND> struct Columns<T, SumOp<SUMMAND>> {
  typedef SumOp<SUMMAND> Op;
  double value[REDUCE_COLUMNS], error[REDUCE_COLUMNS];
  void start(Index n) {
    for (Index j = 0; j < n; j++) value[j] = error[j] = 0;
  }
  void add(const T* x, Index n) {
    Index j = 0;
    for (; j + HALF <= n; j += HALF) {
      Doubles v = loadDoubles(value + j), e = loadDoubles(error + j);
      addVector<T>(v, e, Op::of(loadDoubles(x + j)));
      store(value + j, v);
      if (sizeof(T) == 8) store(error + j, e);
    }
    for (; j < n; j++) {
      Total t = {value[j], error[j]};
      addTo(t, Op::of(double(x[j])));
      value[j] = t.value;
      error[j] = t.error;
    }
  }
  /** Four rows at once: a quarter of the loads and stores of the totals. */
  void addFour(const T* x, Index row, Index n) {
    Index j = 0;
    for (; j + HALF <= n; j += HALF) {
      Doubles v = loadDoubles(value + j), e = loadDoubles(error + j);
      UNROLL for (int r = 0; r < 4; r++) addVector<T>(v, e, Op::of(loadDoubles(x + r * row + j)));
      store(value + j, v);
      if (sizeof(T) == 8) store(error + j, e);
    }
    for (; j < n; j++)
      for (int r = 0; r < 4; r++) {
        Total t = {value[j], error[j]};
        addTo(t, Op::of(double(x[r * row + j])));
        value[j] = t.value;
        error[j] = t.error;
      }
  }
  void join(Total* to, Index n) const {
    for (Index j = 0; j < n; j++) Op::join(to[j], {value[j], error[j]});
  }
};

}  // namespace ADJOINT_NAMESPACE
