// The loops that run an element-wise op: over registers, with operands read ahead of what is written; of functions some lanes take a way of their own.

namespace ADJOINT_NAMESPACE {

/**
 * A run of n elements, which are a multiple of a register: all there is of an op in the binary. From one register to the next each
 * operand advances by a register, or by nothing. `out` is none of the operands, or all of one.
 */
template <class T> using MapLoop = void (*)(const T* const* in, const Index* steps, T* out, Index n, Writing writing, T p, T q);

/** The op in float32 (null: it is computed in float64), in float64, and in whole numbers (null: it is computed in float64). */
struct MapOp {
  unsigned name;
  MapLoop<float> single;
  MapLoop<double> twofold;
  MapLoop<int> whole;
  MapLoop<Byte> byte;
};

/** One register of each operand, and the op's own parameters. */
template <class T> struct Given {
  Vec<T> x, y, z, p, q;
};

/**
 * Stores `f(x, y, z)` of every register. Operands are read two registers ahead of what is stored: arrays of one size that were made one
 * after the other lie so that a load from one looks to the processor like the store to the other before it, for which it would wait.
 */
template <class T, int ARITY, class F> INLINE void eachRegister(const T* const* in, const Index* steps, T* out, Index n, Writing writing, const F& f) {
  constexpr Index W = Lanes<T>::N;
  const T *a = in[0], *b = ARITY > 1 ? in[1] : a, *c = ARITY > 2 ? in[2] : a;
  const Index last = n - W, aStep = steps[0], bStep = ARITY > 1 ? steps[1] : aStep, cStep = ARITY > 2 ? steps[2] : aStep;
  // Past the end the last register is read again.
  const Index second = last > 0;
  Vec<T> x = load(a), y = load(b), z = load(c);
  Vec<T> nextX = load(a + second * aStep), nextY = load(b + second * bStep), nextZ = load(c + second * cStep);
  a += second * aStep, b += second * bStep, c += second * cStep;
  for (Index i = 0; i <= last; i += W) {
    const bool more = i + 2 * W <= last;
    a += more ? aStep : 0, b += more ? bStep : 0, c += more ? cStep : 0;
    const Vec<T> afterX = load(a), afterY = load(b), afterZ = load(c);
    writeVector(out + i, f(x, y, z), writing);
    x = nextX, y = nextY, z = nextZ;
    nextX = afterX, nextY = afterY, nextZ = afterZ;
  }
}

template <class T, class Op> __attribute__((noinline)) static void mapLoop(const T* const* in, const Index* steps, T* out, Index n, Writing writing, T p, T q) {
  Given<T> g;
  g.p = splat(p);
  g.q = splat(q);
  eachRegister<T, Op::ARITY>(in, steps, out, n, writing, [&](Vec<T> x, Vec<T> y, Vec<T> z) __attribute__((always_inline)) {
    g.x = x;
    g.y = y;
    g.z = z;
    return Op::template apply<T>(g);
  });
}

/** Sets the lanes of `value` that `hard` marks by a function of their own, number by number. */
template <class Op> INLINE void solveHard(Wide x, Wide y, WideBits hard, Wide& value) {
  long long any = 0;
  UNROLL for (int k = 0; k < Lanes<double>::N; k++) any |= hard[k];
  if (any)
    for (int k = 0; k < Lanes<double>::N; k++)
      if (hard[k]) value[k] = Op::slow(x[k], y[k]);
}

/** Of an op some lanes of which take a way of their own. The result of a lane does not depend on its neighbours. */
template <class Op> __attribute__((noinline)) static void hardLoop(const double* const* in, const Index* steps, double* out, Index n, Writing writing, double, double) {
  eachRegister<double, Op::ARITY>(in, steps, out, n, writing, [](Wide x, Wide y, Wide) __attribute__((always_inline)) {
    WideBits hard = {};
    Wide value = Op::apply(x, y, hard);
    solveHard<Op>(x, y, hard, value);
    return value;
  });
}

/** Of an op of float32 that is computed in float64, with as many terms as float32 needs: half a register at a time. */
template <class Op> __attribute__((noinline)) static void middleLoop(const float* const* in, const Index* steps, float* out, Index n, Writing writing, float, float) {
  eachRegister<float, Op::ARITY>(in, steps, out, n, writing, [](Vec<float> a, Vec<float> b, Vec<float>) __attribute__((always_inline)) {
    Wide x[2], y[2];
    HalfFloats values[2];
    widenBoth(a, x[0], x[1]);
    widenBoth(b, y[0], y[1]);
    UNROLL for (int half = 0; half < 2; half++) {
      WideBits hard = {};
      Wide value = Op::applySingle(x[half], y[half], hard);
      if constexpr (Op::HAS_HARD) solveHard<Op>(x[half], y[half], hard, value);
      values[half] = narrowed(value);
    }
    Vec<float> value;
    __builtin_memcpy(&value, values, sizeof value);
    return value;
  });
}

}  // namespace ADJOINT_NAMESPACE
