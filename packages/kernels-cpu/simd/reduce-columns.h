// Columns of a block of rows, reduced side by side: a row is gone through as it lies in memory, beside the totals of its columns.

namespace ADJOINT_NAMESPACE {

/** Columns of a block: a kilobyte or two of each row in one run, and totals that fit into a first-level cache. */
enum { REDUCE_COLUMNS = 1024 };

/**
 * The totals of up to REDUCE_COLUMNS columns. Sums: of float32 double totals alone, which leaves nothing behind; of float64 totals and
 * errors apart.
 */
template <class T, class Op> struct Columns;

template <class T> struct Columns<T, ProdOp> {
  typedef double State;
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
  void put(State* to, Index n) const { copyRun(to, value, n); }
};

template <class T, bool LARGEST> struct Columns<T, ExtremeOp<LARGEST>> {
  typedef ExtremeOp<LARGEST> Op;
  typedef T State;
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
  void put(State* to, Index n) const { copyRun(to, best, n); }

 private:
  static void step(T& b, T x) {
    if (b == b && Op::beats(double(x), double(b))) b = x;
  }
};

template <Summand SUMMAND> struct Columns<float, SumOp<SUMMAND>> {
  typedef SumOp<SUMMAND> Op;
  typedef double State;
  double value[REDUCE_COLUMNS];
  void start(Index n) { zero(value, n); }
  void add(const float* x, Index n) { addSome<1>(x, 0, n); }
  /** A quarter of the loads and stores of the totals. */
  void addFour(const float* x, Index row, Index n) { addSome<4>(x, row, n); }
  void put(State* to, Index n) const { copyRun(to, value, n); }

 private:
  template <int ROWS> void addSome(const float* x, Index row, Index n) {
    Index j = 0;
    for (; j + HALF <= n; j += HALF) {
      Doubles v = load(value + j);
      UNROLL for (int r = 0; r < ROWS; r++) v += Op::of(loadDoubles(x + r * row + j));
      store(value + j, v);
    }
    for (; j < n; j++)
      for (int r = 0; r < ROWS; r++) value[j] += Op::of(double(x[r * row + j]));
  }
};

template <Summand SUMMAND> struct Columns<double, SumOp<SUMMAND>> {
  typedef SumOp<SUMMAND> Op;
  typedef Total State;
  double value[REDUCE_COLUMNS], error[REDUCE_COLUMNS];
  void start(Index n) {
    zero(value, n);
    zero(error, n);
  }
  void add(const double* x, Index n) { addSome<1>(x, 0, n); }
  void addFour(const double* x, Index row, Index n) { addSome<4>(x, row, n); }
  void put(State* to, Index n) const {
    for (Index j = 0; j < n; j++) to[j] = {value[j], error[j]};
  }

 private:
  template <int ROWS> void addSome(const double* x, Index row, Index n) {
    Index j = 0;
    for (; j + HALF <= n; j += HALF) {
      Doubles v = load(value + j), e = load(error + j);
      UNROLL for (int r = 0; r < ROWS; r++) addVector<double>(v, e, Op::of(load(x + r * row + j)));
      store(value + j, v);
      store(error + j, e);
    }
    for (; j < n; j++) {
      Total t = {value[j], error[j]};
      for (int r = 0; r < ROWS; r++) addTo(t, Op::of(x[r * row + j]));
      value[j] = t.value;
      error[j] = t.error;
    }
  }
};

}  // namespace ADJOINT_NAMESPACE
