// What a reduction adds up, element by element or in rows, of which several may go side by side: their memory then comes in as many
// streams, and what ends each of them waits for nothing.
//
// Sums are as good as the reference's: float32 is added up in double precision, float64 with the rounding errors beside
// (Knuth's TwoSum).

namespace ADJOINT_NAMESPACE {

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

/** From the k-th on, the masks of the last k lanes of a register. */
template <int N> struct LastLanes {
  long long masks[2 * N];
  constexpr LastLanes() : masks() {
    for (int i = N; i < 2 * N; i++) masks[i] = -1;
  }
};
constexpr LastLanes<HALF> lastLanesTable;
constexpr const long long* lastLanes = lastLanesTable.masks;

/** How far from the elements of R rows those of the next R lie, if rows lie as these do; of a single one, the next page. */
template <class T, int R> INLINE Index followingOf(const T* const* from) {
  return R > 1 ? Index(from[R - 1] - from[0]) + Index(from[1] - from[0]) : PAGE<T>;
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
  /** Totals of columns of float32 are plain. */
  static void join(double& a, double b) { a += b; }
  template <class T> static T result(double s) { return T(s); }
  template <class T> INLINE_MEMBER void addOne(State& s, T x) { addTo(s, of(double(x))); }
  /** What fits into registers; a total takes the same additions in the same order on any number of rows side by side. */
  template <class T> static constexpr int SIDE_BY_SIDE = sizeof(T) == 8 ? 1 : BYTES == 64 ? 4 : 2;
  template <class T, int R> static void addRows(State* s, const T* const* from, Index runs, Index step, Index n) {
    // As many sums as additions that wait for each other take.
    constexpr int SUMS = 4;
    Doubles value[R][SUMS] = {}, error[R][SUMS] = {};
    const Index ahead = followingOf<T, R>(from);
    for (Index run = 0; run < runs; run++) {
      const T* x[R];
      for (int r = 0; r < R; r++) x[r] = from[r] + run * step;
      Index i = 0;
      for (; i + SUMS * HALF <= n; i += SUMS * HALF)
        UNROLL for (int r = 0; r < R; r++) {
          fetch<T, SUMS * HALF>(x[r] + i + ahead);
          UNROLL for (int v = 0; v < SUMS; v++) addVector<T>(value[r][v], error[r][v], of(loadDoubles(x[r] + i + v * HALF)));
        }
      for (; i + HALF <= n; i += HALF)
        UNROLL for (int r = 0; r < R; r++) addVector<T>(value[r][0], error[r][0], of(loadDoubles(x[r] + i)));
      if (i < n && n >= HALF) {
        // The last whole register, without what was added before.
        const Bits<double> rest = loadInts<double>(lastLanes + n - i);
        UNROLL for (int r = 0; r < R; r++)
          addVector<T>(value[r][0], error[r][0], of((Doubles)((Bits<double>)loadDoubles(x[r] + n - HALF) & rest)));
        continue;
      }
      for (; i < n; i++)
        for (int r = 0; r < R; r++) addTo(s[r], of(double(x[r][i])));
    }
    UNROLL for (int r = 0; r < R; r++) {
      if constexpr (sizeof(T) == 4) {
        s[r].value += horizontalSum<double>((value[r][0] + value[r][1]) + (value[r][2] + value[r][3]));
        continue;
      }
      for (int v = 1; v < SUMS; v++) {
        addVector<T>(value[r][0], error[r][0], value[r][v]);
        error[r][0] += error[r][v];
      }
      for (int lane = 0; lane < HALF; lane++) {
        addTo(s[r], value[r][0][lane]);
        s[r].error += error[r][0][lane];
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
  template <class T> static constexpr int SIDE_BY_SIDE = 1;
  template <class T, int> static void addRows(State* s, const T* const* from, Index runs, Index step, Index n) {
    for (Index run = 0; run < runs; run++) addRow<T>(*s, *from + run * step, n);
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
  template <class S> static void join(S& a, S b) {
    if (a == a && beats(b, a)) a = b;
  }
  template <class T> static T result(State s) { return T(s); }
  template <class T> INLINE_MEMBER void addOne(State& s, T x) {
    if (s == s && beats(double(x), s)) s = double(x);
  }
  /** Of registers of any width. */
  template <class V> INLINE_MEMBER V pick(V best, V x) {
    if constexpr (LARGEST) return ((x > best) | (x != x)) ? x : best;
    else return ((x < best) | (x != x)) ? x : best;
  }
  template <class T> static constexpr int SIDE_BY_SIDE = BYTES == 64 ? 4 : 2;
  template <class T, int R> static void addRows(State* s, const T* const* from, Index runs, Index step, Index n) {
    for (Index run = 0; run < runs; run++) {
      const T* x[R];
      for (int r = 0; r < R; r++) x[r] = from[r] + run * step;
      if (n < 4 * Lanes<T>::N || !addNumbers<T, R>(s, x, n))
        for (int r = 0; r < R; r++) addRow<T>(s[r], x[r], n);
    }
  }

 private:
  /**
   * By one instruction per register, which forgets a NaN; the sum of all elements tells whether there was one. False if there may be: nothing
   * is added then.
   */
  template <class T, int R> INLINE_MEMBER bool addNumbers(State* s, const T* const* x, Index n) {
    constexpr Index W = Lanes<T>::N;
    Vec<T> best[R][4], sum[R] = {};
    UNROLL for (int r = 0; r < R; r++)
      UNROLL for (int v = 0; v < 4; v++) best[r][v] = splat(T(initial()));
    Index i = 0;
    for (; i + 4 * W <= n; i += 4 * W)
      UNROLL for (int r = 0; r < R; r++) {
        Vec<T> some[4];
        UNROLL for (int v = 0; v < 4; v++) some[v] = load(x[r] + i + v * W);
        UNROLL for (int v = 0; v < 4; v++) best[r][v] = better(best[r][v], some[v]);
        sum[r] += (some[0] + some[1]) + (some[2] + some[3]);
      }
    for (; i + W <= n; i += W)
      UNROLL for (int r = 0; r < R; r++) {
        const Vec<T> some = load(x[r] + i);
        best[r][0] = better(best[r][0], some);
        sum[r] += some;
      }
    Vec<T> all = sum[0];
    UNROLL for (int r = 1; r < R; r++) all += sum[r];
    if (anyLane(all != all)) return false;
    UNROLL for (int r = 0; r < R; r++) {
      const Vec<T> last = better(better(best[r][0], best[r][1]), better(best[r][2], best[r][3]));
      addOne<T>(s[r], horizontally<T>(last, [](auto a, auto b) __attribute__((always_inline)) { return better(a, b); }));
      for (Index j = i; j < n; j++) addOne<T>(s[r], x[r][j]);
    }
    return true;
  }
  /** x where the order picks it, and else the best so far; neither is NaN. */
  template <class V> INLINE_MEMBER V better(V best, V x) {
    if constexpr (LARGEST) return x > best ? x : best;
    else return x < best ? x : best;
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
      addOne<T>(s, horizontally<T>(last, [](auto a, auto b) __attribute__((always_inline)) { return pick(a, b); }));
    }
    for (; i < n; i++) addOne<T>(s, x[i]);
  }
};

}  // namespace ADJOINT_NAMESPACE
