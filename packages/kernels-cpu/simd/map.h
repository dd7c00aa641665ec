// Element-wise kernels: one driver, and an operation on registers for each.

namespace ADJOINT_NAMESPACE {

/** Elements per task. A task is the same on any number of threads, and an element's result does not depend on its place. */
enum { MAP_TASK = 1 << 14, MAP_BUFFER = 256 };

/** n elements of an operand from `at`, `step` apart, side by side: in place if they are, else in `buffer`. */
template <class A> INLINE const A* sideBySide(const A* from, Index step, Index n, A* buffer) {
  if (step == 1) return from;
  if (step == 0) {
    const A value = *from;
    for (Index i = 0; i < n; i++) buffer[i] = value;
  } else {
    for (Index i = 0; i < n; i++) buffer[i] = from[i * step];
  }
  return buffer;
}

/** Calls `body(first, n, position of each operand)` for every run of at most `most` elements along the last axis. */
template <int OPERANDS, class F> static void eachRun(Run& run, const Layout& layout, Index count, Index most, const F& body) {
  const Index last = layout.rank - 1, length = layout.extent[last];
  parallel(run, ceilDivide(count, MAP_TASK), [&](Index task, int) {
    Index at = task * MAP_TASK;
    const Index end = smaller(count, at + MAP_TASK);
    Index counter[MOST_AXES], position[OPERANDS];
    for (int p = 0; p < OPERANDS; p++) position[p] = layout.offset[p];
    Index rest = at;
    for (Index axis = last; axis >= 0; axis--) {
      counter[axis] = rest % layout.extent[axis];
      rest /= layout.extent[axis];
      for (int p = 0; p < OPERANDS; p++) position[p] += counter[axis] * layout.stride[p][axis];
    }
    while (at < end) {
      const Index n = smaller(most, smaller(length - counter[last], end - at));
      body(at, n, position);
      at += n;
      counter[last] += n;
      for (int p = 0; p < OPERANDS; p++) position[p] += n * layout.stride[p][last];
      for (Index axis = last; axis > 0 && counter[axis] == layout.extent[axis]; axis--) {
        counter[axis] = 0;
        counter[axis - 1]++;
        for (int p = 0; p < OPERANDS; p++)
          position[p] += layout.stride[p][axis - 1] - layout.extent[axis] * layout.stride[p][axis];
      }
    }
  });
}

INLINE Index runLength(const Layout& layout, int operands) {
  for (int p = 0; p < operands; p++)
    if (layout.stride[p][layout.rank - 1] != 1) return MAP_BUFFER;
  return MAP_TASK;
}

/** The last, incomplete register of an operand; lanes past the end hold its first element, which is as good as any. */
template <class T> INLINE Vec<T> loadPart(const T* from, Index n) {
  T lanes[Lanes<T>::N] __attribute__((aligned(64)));
  for (Index i = 0; i < Lanes<T>::N; i++) lanes[i] = from[i < n ? i : 0];
  return load(lanes);
}
template <class T> INLINE void storePart(T* to, Vec<T> v, Index n) {
  T lanes[Lanes<T>::N] __attribute__((aligned(64)));
  store(lanes, v);
  for (Index i = 0; i < n; i++) to[i] = lanes[i];
}

template <class T, class Op> static void mapUnary(Run& run, const Layout& layout, Index count, const T* a, T* out, T p, T q) {
  constexpr Index W = Lanes<T>::N;
  const Vec<T> pv = splat(p), qv = splat(q);
  eachRun<1>(run, layout, count, runLength(layout, 1), [&](Index first, Index n, const Index* position) {
    T buffer[MAP_BUFFER];
    const T* x = sideBySide(a + position[0], layout.stride[0][layout.rank - 1], n, buffer);
    T* y = out + first;
    Index i = 0;
    for (; i + 2 * W <= n; i += 2 * W) {
      const Vec<T> r0 = Op::template apply<T>(load(x + i), pv, qv), r1 = Op::template apply<T>(load(x + i + W), pv, qv);
      store(y + i, r0);
      store(y + i + W, r1);
    }
    for (; i + W <= n; i += W) store(y + i, Op::template apply<T>(load(x + i), pv, qv));
    if (i < n) storePart(y + i, Op::template apply<T>(loadPart(x + i, n - i), pv, qv), n - i);
  });
}

#define UNARY(name, expression)                                                        \
  struct name {                                                                        \
    template <VALUES> INLINE_MEMBER Vec<T> apply(Vec<T> x, Vec<T> p, Vec<T> q) {       \
      (void)p;                                                                         \
      (void)q;                                                                         \
      return expression;                                                               \
    }                                                                                  \
  };
#define INLINE_MEMBER static inline __attribute__((always_inline))
#define ONE splat(T(1))
#define ZERO (Vec<T>{})
#define NUMBER(x) splat(T(x))
// Six times the hard sigmoid.
template <VALUES> INLINE Vec<T> hardSix(Vec<T> x) { return smallerOf<T>(largerOf<T>(x + NUMBER(3), ZERO), NUMBER(6)); }
template <VALUES> INLINE Vec<T> softplusOf(Vec<T> z) { return largerOf<T>(z, ZERO) + log1pOf<T>(expOf<T>(-magnitude<T>(z))); }
template <VALUES> INLINE Vec<T> mishOf(Vec<T> x) {
  const Vec<T> e = expOf<T>(choose<T>(x > NUMBER(20), NUMBER(20), x)), n = e * (e + NUMBER(2));
  return choose<T>(x > NUMBER(20), x, x * n / (n + NUMBER(2)));
}
template <VALUES> INLINE Vec<T> geluOf(Vec<T> x) {
  const Vec<T> t = magnitude<T>(x) * NUMBER(0.7071067811865476), half = NUMBER(0.5) * x;
  // x² / 2 of the left tail, formed from x: the rounding of t would be magnified.
  const Vec<T> size = magnitude<T>(x), high = (Vec<T>)((Bits<T>)size & (Bits<T>{} + Format<T>::splitMask));
  const Vec<T> bounded = clampTo<T>(t, T(1.25), T(28)), s = ONE / (bounded * bounded);
  const Vec<T> ratio = choose<T>(bounded < NUMBER(1 / 0.35), polynomial<T>(s, TAIL_R) / polynomial<T>(s, TAIL_S), polynomial<T>(s, FAR_R) / polynomial<T>(s, FAR_S));
  const Vec<T> tail = expOf<T>(NUMBER(-0.5) * high * high) * expOf<T>(NUMBER(0.5) * (high - size) * (high + size) + (ratio - NUMBER(0.5625))) / bounded;
  const Vec<T> left = half * choose<T>(t >= NUMBER(1.25), tail, erfcPositive<T>(t));
  const Vec<T> result = choose<T>(x >= ZERO, half * (ONE + erfOf<T>(t)), choose<T>(t >= NUMBER(28), x * ZERO, left));
  return choose<T>(x != x, x, result);
}
template <VALUES> INLINE Vec<T> geluTanhOf(Vec<T> x) {
  return x * sigmoidOf<T>(NUMBER(2 * 0.7978845608028654) * (x + NUMBER(0.044715) * x * x * x));
}

UNARY(Neg, -x)
UNARY(Abs, magnitude<T>(x))
UNARY(Sign, choose<T>(x > ZERO, ONE, choose<T>(x < ZERO, -ONE, ZERO)))
UNARY(Square, x* x)
UNARY(Sqrt, squareRoot<T>(x))
UNARY(Rsqrt, ONE / squareRoot<T>(x))
UNARY(Reciprocal, ONE / x)
UNARY(Floor, withSign<T>(magnitude<T>(floorOf<T>(x)), signOf<T>(x)))
UNARY(Ceil, -floorOf<T>(-x))
UNARY(Round, roundEven<T>(x))
UNARY(Trunc, withSign<T>(floorOf<T>(magnitude<T>(x)), signOf<T>(x)))
UNARY(Exp, expOf<T>(x))
UNARY(Expm1, expm1Of<T>(x))
UNARY(Log, logOf<T>(x))
UNARY(Log1p, log1pOf<T>(x))
UNARY(Tanh, tanhOf<T>(x))
UNARY(Erf, erfOf<T>(x))
UNARY(Sigmoid, sigmoidOf<T>(x))
UNARY(LogSigmoid, smallerOf<T>(x, ZERO) - log1pOf<T>(expOf<T>(-magnitude<T>(x))))
UNARY(Relu, largerOf<T>(x, ZERO))
UNARY(LeakyRelu, choose<T>(x > ZERO, x, x* p))
UNARY(Elu, choose<T>(x > ZERO, q* x, q* p* expm1Of<T>(x)))
UNARY(Softplus, choose<T>(x* p > q, x, softplusOf<T>(x* p) / p))
UNARY(Silu, x* sigmoidOf<T>(x))
UNARY(Mish, mishOf<T>(x))
UNARY(Gelu, geluOf<T>(x))
UNARY(GeluTanh, geluTanhOf<T>(x))
UNARY(Hardsigmoid, hardSix<T>(x) / NUMBER(6))
UNARY(Hardswish, x*(hardSix<T>(x) / NUMBER(6)))
UNARY(Clamp, smallerOf<T>(largerOf<T>(x, p), q))
UNARY(Copy, x)

template <class T> using UnaryMap = void (*)(Run&, const Layout&, Index, const T*, T*, T, T);
/** In the order of UNARY_OPS in src/tiers/machine.ts. */
template <class T> constexpr UnaryMap<T> unaryMaps[] = {
    mapUnary<T, Neg>, mapUnary<T, Abs>, mapUnary<T, Sign>, mapUnary<T, Square>, mapUnary<T, Sqrt>, mapUnary<T, Rsqrt>,
    mapUnary<T, Reciprocal>, mapUnary<T, Floor>, mapUnary<T, Ceil>, mapUnary<T, Round>, mapUnary<T, Trunc>, mapUnary<T, Exp>,
    mapUnary<T, Expm1>, mapUnary<T, Log>, mapUnary<T, Log1p>, mapUnary<T, Tanh>, mapUnary<T, Erf>, mapUnary<T, Sigmoid>,
    mapUnary<T, LogSigmoid>, mapUnary<T, Relu>, mapUnary<T, LeakyRelu>, mapUnary<T, Elu>, mapUnary<T, Softplus>, mapUnary<T, Silu>,
    mapUnary<T, Mish>, mapUnary<T, Gelu>, mapUnary<T, GeluTanh>, mapUnary<T, Hardsigmoid>, mapUnary<T, Hardswish>, mapUnary<T, Clamp>,
    mapUnary<T, Copy>};

template <class T> static Status unary(Run& run, int op, T p, T q, const Layout& layout, Index count, const T* a, T* out) {
  if (op < 0 || op >= int(sizeof(unaryMaps<T>) / sizeof(unaryMaps<T>[0]))) return NOT_HERE;
  unaryMaps<T>[op](run, layout, count, a, out, p, q);
  return DONE;
}

template <class T, class Op> static void mapBinary(Run& run, const Layout& layout, Index count, const T* a, const T* b, T* out) {
  constexpr Index W = Lanes<T>::N;
  const Index last = layout.rank - 1, aStep = layout.stride[0][last], bStep = layout.stride[1][last];
  // A repeated element stays in a register.
  const bool aOnce = aStep == 0 && bStep == 1, bOnce = bStep == 0 && aStep == 1;
  eachRun<2>(run, layout, count, aOnce || bOnce ? Index(MAP_TASK) : runLength(layout, 2), [&](Index first, Index n, const Index* position) {
    T* y = out + first;
    Index i = 0;
    if (aOnce || bOnce) {
      const T* x = aOnce ? b + position[1] : a + position[0];
      const Vec<T> once = splat(aOnce ? a[position[0]] : b[position[1]]);
      for (; i + W <= n; i += W) store(y + i, aOnce ? Op::template apply<T>(once, load(x + i)) : Op::template apply<T>(load(x + i), once));
      if (i < n) {
        const Vec<T> rest = loadPart(x + i, n - i);
        storePart(y + i, aOnce ? Op::template apply<T>(once, rest) : Op::template apply<T>(rest, once), n - i);
      }
      return;
    }
    T aBuffer[MAP_BUFFER], bBuffer[MAP_BUFFER];
    const T* left = sideBySide(a + position[0], aStep, n, aBuffer);
    const T* right = sideBySide(b + position[1], bStep, n, bBuffer);
    for (; i + 2 * W <= n; i += 2 * W) {
      const Vec<T> r0 = Op::template apply<T>(load(left + i), load(right + i)), r1 = Op::template apply<T>(load(left + i + W), load(right + i + W));
      store(y + i, r0);
      store(y + i + W, r1);
    }
    for (; i + W <= n; i += W) store(y + i, Op::template apply<T>(load(left + i), load(right + i)));
    if (i < n) storePart(y + i, Op::template apply<T>(loadPart(left + i, n - i), loadPart(right + i, n - i)), n - i);
  });
}

#define BINARY(name, expression)                                                  \
  struct name {                                                                   \
    template <VALUES> INLINE_MEMBER Vec<T> apply(Vec<T> x, Vec<T> y) { return expression; } \
  };
BINARY(Add, x + y)
BINARY(Sub, x - y)
BINARY(Mul, x* y)
BINARY(Div, x / y)
// Of 0 and −0 the larger is 0: whichever has no sign (JavaScript's Math.max).
BINARY(Maximum, choose<T>(x == y, (Vec<T>)((Bits<T>)x & (Bits<T>)y), choose<T>((x > y) | (x != x), x, y)))
BINARY(Minimum, choose<T>(x == y, (Vec<T>)((Bits<T>)x | (Bits<T>)y), choose<T>((x < y) | (x != x), x, y)))

template <class T> using BinaryMap = void (*)(Run&, const Layout&, Index, const T*, const T*, T*);
/** In the order of BINARY_OPS in src/tiers/machine.ts. */
template <class T> constexpr BinaryMap<T> binaryMaps[] = {mapBinary<T, Add>, mapBinary<T, Sub>, mapBinary<T, Mul>, mapBinary<T, Div>, mapBinary<T, Maximum>, mapBinary<T, Minimum>};

template <class T> static Status binary(Run& run, int op, const Layout& layout, Index count, const T* a, const T* b, T* out) {
  if (op < 0 || op >= int(sizeof(binaryMaps<T>) / sizeof(binaryMaps<T>[0]))) return NOT_HERE;
  binaryMaps<T>[op](run, layout, count, a, b, out);
  return DONE;
}

/** Comparisons in the order of COMPARE_OPS in src/tiers/machine.ts; 0 or 1 in a byte. */
template <class T> static Status compare(Run& run, int op, const Layout& layout, Index count, const T* a, const T* b, unsigned char* out) {
  if (op < 0 || op > 5) return NOT_HERE;
  const Index last = layout.rank - 1;
  eachRun<2>(run, layout, count, MAP_BUFFER, [&](Index first, Index n, const Index* position) {
    T aBuffer[MAP_BUFFER], bBuffer[MAP_BUFFER];
    const T* x = sideBySide(a + position[0], layout.stride[0][last], n, aBuffer);
    const T* y = sideBySide(b + position[1], layout.stride[1][last], n, bBuffer);
    unsigned char* o = out + first;
    if (op == 0) for (Index i = 0; i < n; i++) o[i] = x[i] == y[i];
    else if (op == 1) for (Index i = 0; i < n; i++) o[i] = x[i] != y[i];
    else if (op == 2) for (Index i = 0; i < n; i++) o[i] = x[i] < y[i];
    else if (op == 3) for (Index i = 0; i < n; i++) o[i] = x[i] <= y[i];
    else if (op == 4) for (Index i = 0; i < n; i++) o[i] = x[i] > y[i];
    else for (Index i = 0; i < n; i++) o[i] = x[i] >= y[i];
  });
  return DONE;
}

/** out = condition ? a : b, with the condition in bytes. */
template <class T> static Status where(Run& run, const Layout& layout, Index count, const unsigned char* condition, const T* a, const T* b, T* out) {
  const Index last = layout.rank - 1;
  eachRun<3>(run, layout, count, MAP_BUFFER, [&](Index first, Index n, const Index* position) {
    unsigned char cBuffer[MAP_BUFFER];
    T aBuffer[MAP_BUFFER], bBuffer[MAP_BUFFER];
    const unsigned char* c = sideBySide(condition + position[0], layout.stride[0][last], n, cBuffer);
    const T* x = sideBySide(a + position[1], layout.stride[1][last], n, aBuffer);
    const T* y = sideBySide(b + position[2], layout.stride[2][last], n, bBuffer);
    T* o = out + first;
    for (Index i = 0; i < n; i++) {
      const T yes = x[i], no = y[i];
      o[i] = c[i] ? yes : no;
    }
  });
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
