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

// Loops of one op over whole registers; `n` is a multiple of theirs. They are all there is of an op in the binary: what is
// left over goes through the same loop by way of a buffer.
template <class T> using UnaryLoop = void (*)(const T* x, T* y, Index n, T p, T q);
template <class T> using BinaryLoop = void (*)(const T* a, const T* b, T* y, Index n);

template <class T, class Op> __attribute__((noinline)) static void unaryLoop(const T* x, T* y, Index n, T p, T q) {
  const Vec<T> pv = splat(p), qv = splat(q);
  for (Index i = 0; i < n; i += Lanes<T>::N) store(y + i, Op::template apply<T>(load(x + i), pv, qv));
}
template <class T, class Op> __attribute__((noinline)) static void binaryLoop(const T* a, const T* b, T* y, Index n) {
  for (Index i = 0; i < n; i += Lanes<T>::N) store(y + i, Op::template apply<T>(load(a + i), load(b + i)));
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
/** x/2 · erfc(−x/√2), by the intervals of `erfcPositive`; 2 − erfc serves the right half. */
template <VALUES> INLINE Vec<T> geluOf(Vec<T> x) {
  const Vec<T> size = magnitude<T>(x), t = size * NUMBER(0.7071067811865476), half = NUMBER(0.5) * x;
  const Vec<T> z = t * t, nearRatio = polynomial<T>(z, NEAR_P) / polynomial<T>(z, NEAR_Q), d = t - ONE;
  const Vec<T> near = choose<T>(t < NUMBER(0.25), ONE - fma(t, nearRatio, t), NUMBER(0.5) - fma(t, nearRatio, t - NUMBER(0.5)));
  const Vec<T> middle = (ONE - NUMBER(ERX)) - polynomial<T>(d, MIDDLE_P) / polynomial<T>(d, MIDDLE_Q);
  // x²/2 of the tail is formed from x: the rounding of t would be magnified.
  const Vec<T> high = (Vec<T>)((Bits<T>)size & (Bits<T>{} + Format<T>::splitMask));
  const Vec<T> bounded = clampTo<T>(t, T(1.25), T(28)), s = ONE / (bounded * bounded);
  const Vec<T> ratio = choose<T>(bounded < NUMBER(1 / 0.35), polynomial<T>(s, TAIL_R) / polynomial<T>(s, TAIL_S), polynomial<T>(s, FAR_R) / polynomial<T>(s, FAR_S));
  const Vec<T> exponential = expOf<T>(NUMBER(-0.5) * high * high) * expOf<T>(NUMBER(0.5) * (high - size) * (high + size) + (ratio - NUMBER(0.5625)));
  const Vec<T> tail = choose<T>(t >= NUMBER(28), ZERO, exponential / bounded);
  const Vec<T> complement = choose<T>(t < NUMBER(0.84375), near, choose<T>(t < NUMBER(1.25), middle, tail));
  return choose<T>(x != x, x, half * choose<T>(x >= ZERO, NUMBER(2) - complement, complement));
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

/** In the order of UNARY_OPS in src/tiers/machine.ts. */
template <class T> constexpr UnaryLoop<T> unaryLoops[] = {
    unaryLoop<T, Neg>, unaryLoop<T, Abs>, unaryLoop<T, Sign>, unaryLoop<T, Square>, unaryLoop<T, Sqrt>, unaryLoop<T, Rsqrt>,
    unaryLoop<T, Reciprocal>, unaryLoop<T, Floor>, unaryLoop<T, Ceil>, unaryLoop<T, Round>, unaryLoop<T, Trunc>, unaryLoop<T, Exp>,
    unaryLoop<T, Expm1>, unaryLoop<T, Log>, unaryLoop<T, Log1p>, unaryLoop<T, Tanh>, unaryLoop<T, Erf>, unaryLoop<T, Sigmoid>,
    unaryLoop<T, LogSigmoid>, unaryLoop<T, Relu>, unaryLoop<T, LeakyRelu>, unaryLoop<T, Elu>, unaryLoop<T, Softplus>, unaryLoop<T, Silu>,
    unaryLoop<T, Mish>, unaryLoop<T, Gelu>, unaryLoop<T, GeluTanh>, unaryLoop<T, Hardsigmoid>, unaryLoop<T, Hardswish>, unaryLoop<T, Clamp>,
    unaryLoop<T, Copy>};

/**
 * Copies a view whose last axis is not the one along memory, but another is: in squares, so that neither side is read or
 * written one element per cache line. False if the view is not of that kind.
 */
template <class T> static bool copyTransposed(Run& run, const Layout& layout, const T* a, T* out) {
  const Index last = layout.rank - 1, columns = layout.extent[last], columnStep = layout.stride[0][last];
  Index axis = last - 1;
  while (axis >= 0 && layout.stride[0][axis] != 1) axis--;
  if (axis < 0 || columnStep == 1 || columnStep == 0 || columns < 4 || layout.extent[axis] < 4) return false;
  const Index rows = layout.extent[axis];
  Index rowStep = 1, outer = 1;
  for (Index x = axis + 1; x <= last; x++) rowStep *= layout.extent[x];
  for (Index x = 0; x < last; x++)
    if (x != axis) outer *= layout.extent[x];
  constexpr Index SQUARE = 64;
  const Index rowBlocks = ceilDivide(rows, SQUARE), columnBlocks = ceilDivide(columns, SQUARE);
  parallel(run, outer * rowBlocks * columnBlocks, [&](Index task, int) {
    const Index j0 = task % columnBlocks * SQUARE, i0 = task / columnBlocks % rowBlocks * SQUARE;
    Index rest = task / columnBlocks / rowBlocks, from = layout.offset[0], to = 0, size = columns;
    for (Index x = last - 1; x >= 0; x--) {
      if (x != axis) {
        const Index at = rest % layout.extent[x];
        rest /= layout.extent[x];
        from += at * layout.stride[0][x];
        to += at * size;
      }
      size *= layout.extent[x];
    }
    const Index iEnd = smaller(rows, i0 + SQUARE), jEnd = smaller(columns, j0 + SQUARE);
    Index j = j0;
    for (; j + 4 <= jEnd; j += 4) {
      const T* source = a + from + j * columnStep;
      Index i = i0;
      for (; i + 4 <= iEnd; i += 4) transpose4(source + i, columnStep, out + to + i * rowStep + j, rowStep);
      for (; i < iEnd; i++)
        for (Index k = 0; k < 4; k++) out[to + i * rowStep + j + k] = source[i + k * columnStep];
    }
    for (; j < jEnd; j++)
      for (Index i = i0; i < iEnd; i++) out[to + i * rowStep + j] = a[from + i + j * columnStep];
  });
  return true;
}

enum { COPY_OP = 30 };

template <class T> static Status unary(Run& run, int op, T p, T q, const Layout& layout, Index count, const T* a, T* out) {
  constexpr Index W = Lanes<T>::N;
  if (op < 0 || op >= int(sizeof(unaryLoops<T>) / sizeof(unaryLoops<T>[0]))) return NOT_HERE;
  if (op == COPY_OP && copyTransposed(run, layout, a, out)) return DONE;
  const UnaryLoop<T> loop = unaryLoops<T>[op];
  eachRun<1>(run, layout, count, runLength(layout, 1), [&](Index first, Index n, const Index* position) {
    T buffer[MAP_BUFFER], last[W] __attribute__((aligned(64)));
    const T* x = sideBySide(a + position[0], layout.stride[0][layout.rank - 1], n, buffer);
    const Index whole = n / W * W;
    loop(x, out + first, whole, p, q);
    if (whole == n) return;
    store(last, loadPart(x + whole, n - whole));
    loop(last, last, W, p, q);
    for (Index i = whole; i < n; i++) out[first + i] = last[i - whole];
  });
  return DONE;
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

/** In the order of BINARY_OPS in src/tiers/machine.ts. */
template <class T> constexpr BinaryLoop<T> binaryLoops[] = {binaryLoop<T, Add>, binaryLoop<T, Sub>, binaryLoop<T, Mul>, binaryLoop<T, Div>, binaryLoop<T, Maximum>, binaryLoop<T, Minimum>};

template <class T> static Status binary(Run& run, int op, const Layout& layout, Index count, const T* a, const T* b, T* out) {
  constexpr Index W = Lanes<T>::N;
  if (op < 0 || op >= int(sizeof(binaryLoops<T>) / sizeof(binaryLoops<T>[0]))) return NOT_HERE;
  const BinaryLoop<T> loop = binaryLoops<T>[op];
  const Index aStep = layout.stride[0][layout.rank - 1], bStep = layout.stride[1][layout.rank - 1];
  eachRun<2>(run, layout, count, runLength(layout, 2), [&](Index first, Index n, const Index* position) {
    T aBuffer[MAP_BUFFER], bBuffer[MAP_BUFFER], aLast[W] __attribute__((aligned(64))), bLast[W] __attribute__((aligned(64)));
    const T* x = sideBySide(a + position[0], aStep, n, aBuffer);
    const T* y = sideBySide(b + position[1], bStep, n, bBuffer);
    const Index whole = n / W * W;
    loop(x, y, out + first, whole);
    if (whole == n) return;
    store(aLast, loadPart(x + whole, n - whole));
    store(bLast, loadPart(y + whole, n - whole));
    loop(aLast, bLast, aLast, W);
    for (Index i = whole; i < n; i++) out[first + i] = aLast[i - whole];
  });
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
