// The element-wise ops: of each an expression on registers, and the loops that run it. MAP_OPS in src/tiers/machine.ts lists them
// in this order.

namespace ADJOINT_NAMESPACE {

/** A run of n elements, which are a multiple of a register: all there is of an op in the binary. `out` is none of the operands, or all of one. */
template <class T> using MapLoop = void (*)(const T* const* in, T* out, Index n, T p, T q);

/** The op in float32 (null: it is computed in float64) and in float64. */
struct MapOp {
  MapLoop<float> single;
  MapLoop<double> twofold;
};

/** One register of each operand, and the op's own parameters. */
template <class T> struct Given {
  Vec<T> x, y, z, p, q;
};

template <class T, class Op> __attribute__((noinline)) static void mapLoop(const T* const* in, T* out, Index n, T p, T q) {
  Given<T> g;
  g.p = splat(p);
  g.q = splat(q);
  const T *a = in[0], *b = Op::ARITY > 1 ? in[1] : a, *c = Op::ARITY > 2 ? in[2] : a;
  for (Index i = 0; i < n; i += Lanes<T>::N) {
    g.x = load(a + i);
    g.y = load(b + i);
    g.z = load(c + i);
    store(out + i, Op::template apply<T>(g));
  }
}

/** Of an op some lanes of which take a way of their own, number by number. The result of a lane does not depend on its neighbours. */
template <class Op> __attribute__((noinline)) static void hardLoop(const double* const* in, double* out, Index n, double, double) {
  const double *a = in[0], *b = Op::ARITY > 1 ? in[1] : a;
  for (Index i = 0; i < n; i += Lanes<double>::N) {
    WideBits hard = {};
    const Wide x = load(a + i), y = load(b + i);
    Wide value = Op::apply(x, y, hard);
    long long any = 0;
    UNROLL for (int k = 0; k < Lanes<double>::N; k++) any |= hard[k];
    if (any)
      for (int k = 0; k < Lanes<double>::N; k++)
        if (hard[k]) value[k] = Op::slow(x[k], y[k]);
    store(out + i, value);
  }
}

#define MAP_OF(arity, name, expression)                            \
  struct name {                                                    \
    enum { ARITY = arity };                                        \
    template <VALUES> INLINE_MEMBER Vec<T> apply(const Given<T>& g) { \
      const Vec<T> x = g.x, y = g.y, z = g.z, p = g.p, q = g.q;    \
      (void)x, (void)y, (void)z, (void)p, (void)q;                 \
      return expression;                                           \
    }                                                              \
  };
#define UNARY(name, expression) MAP_OF(1, name, expression)
#define BINARY(name, expression) MAP_OF(2, name, expression)
#define TERNARY(name, expression) MAP_OF(3, name, expression)
#define INLINE_MEMBER static inline __attribute__((always_inline))
#define ONE splat(T(1))
#define ZERO (Vec<T>{})
#define NUMBER(x) splat(T(x))
/** 1 where the mask is set. */
#define TRUTH(mask) ((Vec<T>)((Bits<T>)(mask) & (Bits<T>)ONE))

// Six times the hard sigmoid.
template <VALUES> INLINE Vec<T> hardSix(Vec<T> x) { return smallerOf<T>(largerOf<T>(x + NUMBER(3), ZERO), NUMBER(6)); }
template <VALUES> INLINE Vec<T> softplusOf(Vec<T> z) { return largerOf<T>(z, ZERO) + log1pOf<T>(expOf<T>(-magnitude<T>(z))); }
template <VALUES> INLINE Vec<T> mishOf(Vec<T> x) {
  const Vec<T> e = expOf<T>(choose<T>(x > NUMBER(20), NUMBER(20), x)), n = e * (e + NUMBER(2));
  return choose<T>(x > NUMBER(20), x, x * n / (n + NUMBER(2)));
}
template <VALUES> INLINE Vec<T> geluTanhOf(Vec<T> x) {
  return x * sigmoidOf<T>(NUMBER(2 * 0.7978845608028654) * (x + NUMBER(0.044715) * x * x * x));
}
template <VALUES> INLINE Vec<T> lerpOf(Vec<T> a, Vec<T> b, Vec<T> weight) {
  const Vec<T> distance = b - a;
  return choose<T>(magnitude<T>(weight) < NUMBER(0.5), a + weight * distance, b - distance * (ONE - weight));
}
template <VALUES> INLINE Vec<T> logisticLossOf(Vec<T> x, Vec<T> target) {
  return largerOf<T>(x, ZERO) - x * target + log1pOf<T>(expOf<T>(-magnitude<T>(x)));
}
template <VALUES> INLINE Vec<T> crossEntropyOf(Vec<T> x, Vec<T> target) {
  const Vec<T> yes = largerOf<T>(logOf<T>(x), NUMBER(-100)), no = largerOf<T>(log1pOf<T>(-x), NUMBER(-100));
  return (target - ONE) * no - target * yes;
}

UNARY(Copy, x)
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
UNARY(Exp2, exp2Of(x))
UNARY(Expm1, expm1Of<T>(x))
UNARY(Log, logOf<T>(x))
UNARY(Log2, log2Of(x))
UNARY(Log10, log10Of(x))
UNARY(Log1p, log1pOf<T>(x))
UNARY(Asin, asinOf(x))
UNARY(Acos, acosOf(x))
UNARY(Atan, atanOf(x))
UNARY(Sinh, sinhOf(x))
UNARY(Cosh, coshOf(x))
UNARY(Tanh, tanhOf<T>(x))
UNARY(Asinh, asinhOf(x))
UNARY(Acosh, acoshOf(x))
UNARY(Atanh, atanhOf(x))
UNARY(Erf, erfOf<T>(x))
UNARY(Erfc, erfcOf<T>(x))
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

BINARY(Add, x + y)
BINARY(Sub, x - y)
BINARY(Mul, x* y)
BINARY(Div, x / y)
// Of 0 and −0 the larger is 0: whichever has no sign (JavaScript's Math.max).
BINARY(Maximum, choose<T>(x == y, (Vec<T>)((Bits<T>)x & (Bits<T>)y), choose<T>((x > y) | (x != x), x, y)))
BINARY(Minimum, choose<T>(x == y, (Vec<T>)((Bits<T>)x | (Bits<T>)y), choose<T>((x < y) | (x != x), x, y)))
BINARY(Pow, powOf(x, y))
BINARY(Atan2, atan2Of(x, y))
BINARY(Hypot, hypotOf(x, y))
BINARY(ReluGrad, choose<T>(y <= ZERO, ZERO, x))
BINARY(LogisticLoss, logisticLossOf<T>(x, y))
BINARY(BinaryCrossEntropy, crossEntropyOf<T>(x, y))

TERNARY(Where, choose<T>(x != ZERO, y, z))
TERNARY(Lerp, lerpOf<T>(x, y, z))

UNARY(LogicalNot, TRUTH(x == ZERO))
UNARY(IsNaN, TRUTH(x != x))
UNARY(IsInf, TRUTH(magnitude<T>(x) == NUMBER(__builtin_inf())))
UNARY(IsFinite, TRUTH(x - x == ZERO))
BINARY(Equal, TRUTH(x == y))
BINARY(NotEqual, TRUTH(x != y))
BINARY(Less, TRUTH(x < y))
BINARY(LessEqual, TRUTH(x <= y))
BINARY(Greater, TRUTH(x > y))
BINARY(GreaterEqual, TRUTH(x >= y))
BINARY(LogicalAnd, TRUTH((x != ZERO) & (y != ZERO)))
BINARY(LogicalOr, TRUTH((x != ZERO) | (y != ZERO)))
BINARY(LogicalXor, TRUTH((x != ZERO) ^ (y != ZERO)))

#define ANGULAR(name, from)                                                                            \
  struct name {                                                                                        \
    enum { ARITY = 1 };                                                                                \
    INLINE_MEMBER Wide apply(Wide x, Wide, WideBits& hard) { return from(angleOf(x, hard)); }          \
    static double slow(double x, double) { return x - x == 0 ? from(slowAngle(x))[0] : x - x; }        \
  };
ANGULAR(Sin, sinFrom)
ANGULAR(Cos, cosFrom)
ANGULAR(Tan, tanFrom)
#define MODULAR(name, from)                                                                                        \
  struct name {                                                                                                    \
    enum { ARITY = 2 };                                                                                            \
    INLINE_MEMBER Wide apply(Wide x, Wide y, WideBits& hard) {                                                     \
      const Wide r = moduloOf(x, y, hard);                                                                         \
      return from;                                                                                                 \
    }                                                                                                              \
    static double slow(double left, double right) {                                                                \
      const Wide x = wide(left), y = wide(right), r = withSign<double>(wide(slowModulo(magnitude<double>(x)[0], magnitude<double>(y)[0])), signOf<double>(x)); \
      return (from)[0];                                                                                            \
    }                                                                                                              \
  };
MODULAR(Remainder, remainderFrom(r, y))
MODULAR(FloorDivide, floorDivideFrom(r, x, y))

#define BOTH(name) {mapLoop<float, name>, mapLoop<double, name>}
#define WIDE(name) {nullptr, mapLoop<double, name>}
#define HARD(name) {nullptr, hardLoop<name>}

constexpr MapOp mapOps[] = {
    BOTH(Copy), BOTH(Neg), BOTH(Abs), BOTH(Sign), BOTH(Square), BOTH(Sqrt), BOTH(Rsqrt), BOTH(Reciprocal), BOTH(Floor), BOTH(Ceil), BOTH(Round), BOTH(Trunc),
    BOTH(Exp), WIDE(Exp2), BOTH(Expm1), BOTH(Log), WIDE(Log2), WIDE(Log10), BOTH(Log1p),
    HARD(Sin), HARD(Cos), HARD(Tan), WIDE(Asin), WIDE(Acos), WIDE(Atan), WIDE(Sinh), WIDE(Cosh), BOTH(Tanh), WIDE(Asinh), WIDE(Acosh), WIDE(Atanh),
    BOTH(Erf), WIDE(Erfc), BOTH(Sigmoid), BOTH(LogSigmoid),
    BOTH(Relu), BOTH(LeakyRelu), BOTH(Elu), BOTH(Softplus), BOTH(Silu), BOTH(Mish), BOTH(Gelu), BOTH(GeluTanh), BOTH(Hardsigmoid), BOTH(Hardswish), BOTH(Clamp),
    BOTH(Add), BOTH(Sub), BOTH(Mul), BOTH(Div), WIDE(Pow), HARD(Remainder), HARD(FloorDivide), BOTH(Maximum), BOTH(Minimum), WIDE(Atan2), WIDE(Hypot),
    BOTH(ReluGrad), WIDE(LogisticLoss), WIDE(BinaryCrossEntropy),
    BOTH(Where), BOTH(Lerp),
    BOTH(LogicalNot), BOTH(IsNaN), BOTH(IsInf), BOTH(IsFinite), BOTH(Equal), BOTH(NotEqual), BOTH(Less), BOTH(LessEqual), BOTH(Greater), BOTH(GreaterEqual),
    BOTH(LogicalAnd), BOTH(LogicalOr), BOTH(LogicalXor)};
enum { FIRST_PREDICATE = 62 };

}  // namespace ADJOINT_NAMESPACE
