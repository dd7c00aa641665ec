// The element-wise ops: of each an expression on registers, and the loops of ./map-loops.h that run it. MAP_OPS in src/tiers/machine.ts
// lists them in this order.

namespace ADJOINT_NAMESPACE {

#define MAP_OF(arity, name, expression)                            \
  struct name {                                                    \
    enum { ARITY = arity };                                        \
    template <VALUES> INLINE_MEMBER Vec<T> apply(const Given<T>& g) { \
      const Vec<T> x = g.x, y = g.y, z = g.z, p = g.p, q = g.q;    \
      (void)x, (void)y, (void)z, (void)p, (void)q;                 \
      return expression;                                           \
    }                                                              \
  };
/** An op in float64, by `full`; float32 is rounded from `brief`. */
#define MIDDLE_OF(arity, name, full, brief)                                        \
  struct name {                                                                    \
    enum { ARITY = arity, HAS_HARD = 0 };                                          \
    template <VALUES> INLINE_MEMBER Wide apply(const Given<T>& g) {                \
      const Wide x = g.x, y = g.y;                                                 \
      (void)y;                                                                     \
      return full;                                                                 \
    }                                                                              \
    INLINE_MEMBER Wide applySingle(Wide x, Wide y, WideBits&) { return (void)y, brief; } \
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

// Whole numbers wrap around.
template <class T> constexpr bool isWhole = T(0.5) == T(0);
template <class T> struct UnsignedOf { typedef unsigned V __attribute__((vector_size(BYTES))); };
template <> struct UnsignedOf<Byte> { typedef Vec<Byte> V; };
template <class T> using Unsigned = typename UnsignedOf<T>::V;
#define WRAPPING(name, operation)                                                  \
  template <VALUES> INLINE Vec<T> name(Vec<T> x, Vec<T> y) {                       \
    if constexpr (isWhole<T>) return (Vec<T>)((Unsigned<T>)x operation (Unsigned<T>)y); \
    else return x operation y;                                                     \
  }
WRAPPING(plus, +)
WRAPPING(minus, -)
WRAPPING(times, *)
template <VALUES> INLINE Vec<T> negative(Vec<T> x) {
  if constexpr (isWhole<T>) return minus<T>(ZERO, x);
  else return -x;
}

// Six times the hard sigmoid.
template <VALUES> INLINE Vec<T> hardSix(Vec<T> x) { return smallerOf<T>(largerOf<T>(x + NUMBER(3), ZERO), NUMBER(6)); }
template <VALUES> INLINE Vec<T> softplusOf(Vec<T> z) { return largerOf<T>(z, ZERO) + log1pOf<T>(expMinusSize<T>(z)); }
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
  return largerOf<T>(x, ZERO) - x * target + log1pOf<T>(expMinusSize<T>(x));
}
template <VALUES> INLINE Vec<T> crossEntropyOf(Vec<T> x, Vec<T> target) {
  const Vec<T> yes = largerOf<T>(logOf<T>(x), NUMBER(-100)), no = largerOf<T>(log1pOf<T>(-x), NUMBER(-100));
  return (target - ONE) * no - target * yes;
}

// The derivatives of functions, times a cotangent x. y is what the function was given, of some what it gave.
template <VALUES> INLINE Vec<T> softplusGradOf(Vec<T> x, Vec<T> y, Vec<T> beta, Vec<T> threshold) {
  const Vec<T> scaled = y * beta;
  return choose<T>(scaled > threshold, x, x * sigmoidOf<T>(scaled));
}
template <VALUES> INLINE Vec<T> siluGradOf(Vec<T> x, Vec<T> y) {
  const Vec<T> s = sigmoidOf<T>(y);
  return x * (s * (y * (ONE - s) + ONE));
}
/** With e = exp(y) and n = e (e + 2) the function is y · n / (n + 2). Of an infinite y it is NaN, as in the formula. */
template <VALUES> INLINE Vec<T> mishGradOf(Vec<T> x, Vec<T> y) {
  const Vec<T> near = choose<T>(y > NUMBER(20), NUMBER(20), y), e = expOf<T>(near), n = e * (e + NUMBER(2)), share = ONE / (n + NUMBER(2));
  return x * ((n + near * (NUMBER(4) * e * (e + ONE) * share)) * share + (y - y));
}
/**
 * The derivative of y · sigmoid(u) in y: of sigmoid(u) and sigmoid(−u), each without cancellation. Beyond 100 it is 1 or 0, and squares
 * would overflow before long; of an infinite y it is NaN, as by the formula.
 */
template <VALUES> INLINE Vec<T> geluTanhGradOf(Vec<T> x, Vec<T> y) {
  const Vec<T> near = clampTo<T>(y, T(-100), T(100)), scale = NUMBER(2 * 0.7978845608028654), square = near * near;
  const Vec<T> u = scale * (near * (ONE + NUMBER(0.044715) * square)), slope = scale * (ONE + NUMBER(3 * 0.044715) * square);
  const Vec<T> e = expMinusSize<T>(u), share = ONE / (ONE + e);
  const Vec<T> on = choose<T>(u >= ZERO, ONE, e) * share, off = choose<T>(u >= ZERO, e, ONE) * share;
  return x * (on * (near * off * slope + ONE) + (y - y));
}

UNARY(Copy, x)
UNARY(Neg, negative<T>(x))
UNARY(Abs, magnitude<T>(x))
UNARY(Sign, choose<T>(x > ZERO, ONE, choose<T>(x < ZERO, -ONE, ZERO)))
UNARY(Square, times<T>(x, x))
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
MIDDLE_OF(1, Log2, log2Of(x), log2Short(x))
MIDDLE_OF(1, Log10, log10Of(x), log10Short(x))
UNARY(Log1p, log1pOf<T>(x))
MIDDLE_OF(1, Asin, asinOf<FULL>(x), asinOf<SHORT>(x))
MIDDLE_OF(1, Acos, acosOf<FULL>(x), acosOf<SHORT>(x))
MIDDLE_OF(1, Atan, atanOf<FULL>(x), atanOf<SHORT>(x))
UNARY(Sinh, sinhOf(x))
UNARY(Cosh, coshOf(x))
UNARY(Tanh, tanhOf<T>(x))
UNARY(Asinh, asinhOf(x))
UNARY(Acosh, acoshOf(x))
UNARY(Atanh, atanhOf(x))
UNARY(Erf, erfOf<T>(x))
UNARY(Erfc, erfcOf<T>(x))
UNARY(Sigmoid, sigmoidOf<T>(x))
UNARY(LogSigmoid, smallerOf<T>(x, ZERO) - log1pOf<T>(expMinusSize<T>(x)))
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
UNARY(Celu, choose<T>(x > ZERO, x, p* expm1Of<T>(x / p)))
UNARY(Cube, x* x* x)
UNARY(Clamp, smallerOf<T>(largerOf<T>(x, p), q))

BINARY(Add, plus<T>(x, y))
BINARY(Sub, minus<T>(x, y))
BINARY(Mul, times<T>(x, y))
BINARY(Div, x / y)
// Of 0 and −0 the larger is 0: whichever has no sign (JavaScript's Math.max).
BINARY(Maximum, choose<T>(x == y, (Vec<T>)((Bits<T>)x & (Bits<T>)y), choose<T>((x > y) | (x != x), x, y)))
BINARY(Minimum, choose<T>(x == y, (Vec<T>)((Bits<T>)x | (Bits<T>)y), choose<T>((x < y) | (x != x), x, y)))
MIDDLE_OF(2, Pow, powOf(x, y), powShort(x, y))
MIDDLE_OF(2, Atan2, atan2Of<FULL>(x, y), atan2Of<SHORT>(x, y))
MIDDLE_OF(2, Hypot, hypotOf(x, y), hypotShort(x, y))
BINARY(ReluGrad, choose<T>(y <= ZERO, ZERO, x))
BINARY(LogisticLoss, logisticLossOf<T>(x, y))
BINARY(BinaryCrossEntropy, crossEntropyOf<T>(x, y))

BINARY(LeakyReluGrad, choose<T>(y > ZERO, x, x* p))
BINARY(EluGrad, choose<T>(y <= ZERO, x*(expOf<T>(y) * p), x) * q)
BINARY(CeluGrad, choose<T>(y <= ZERO, x* expOf<T>(y / p), x))
BINARY(ClampGrad, choose<T>((y >= p) & (y <= q), x, ZERO))
BINARY(HardtanhGrad, choose<T>((y <= p) | (y >= q), ZERO, x))
BINARY(HardsigmoidGrad, choose<T>((y > NUMBER(-3)) & (y < NUMBER(3)), x / NUMBER(6), ZERO))
BINARY(HardswishGrad, choose<T>(y < NUMBER(-3), ZERO, choose<T>(y <= NUMBER(3), x*(y / NUMBER(3) + NUMBER(0.5)), x)))
BINARY(SigmoidGrad, x*(y*(ONE - y)))
BINARY(TanhGrad, x*(ONE - y * y))
BINARY(LogSigmoidGrad, x* sigmoidOf<T>(-y))
BINARY(SoftplusGrad, softplusGradOf<T>(x, y, p, q))
BINARY(SiluGrad, siluGradOf<T>(x, y))
BINARY(MishGrad, mishGradOf<T>(x, y))
BINARY(GeluGrad, geluGradOf<T>(x, y))
BINARY(GeluTanhGrad, geluTanhGradOf<T>(x, y))

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
    enum { ARITY = 1, HAS_HARD = 1 };                                                                  \
    INLINE_MEMBER Wide apply(Wide x, Wide, WideBits& hard) { return from(angleOf(x, hard)); }          \
    INLINE_MEMBER Wide applySingle(Wide x, Wide, WideBits& hard) { return from##Short(shortAngleOf(x, hard)); } \
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

#define BOTH(name) {hashOf(#name), mapLoop<float, name>, mapLoop<double, name>, nullptr, nullptr}
#define ALL(name) {hashOf(#name), mapLoop<float, name>, mapLoop<double, name>, mapLoop<int, name>, mapLoop<Byte, name>}
#define WIDE(name) {hashOf(#name), nullptr, mapLoop<double, name>, nullptr, nullptr}
#define MIDDLE(name) {hashOf(#name), middleLoop<name>, mapLoop<double, name>, nullptr, nullptr}
#define HARD(name) {hashOf(#name), nullptr, hardLoop<name>, nullptr, nullptr}
#define MIDDLE_HARD(name) {hashOf(#name), middleLoop<name>, hardLoop<name>, nullptr, nullptr}

constexpr MapOp mapOps[] = {
    BOTH(Copy), ALL(Neg), BOTH(Abs), BOTH(Sign), ALL(Square), BOTH(Sqrt), BOTH(Rsqrt), BOTH(Reciprocal), BOTH(Floor), BOTH(Ceil), BOTH(Round), BOTH(Trunc),
    BOTH(Exp), WIDE(Exp2), BOTH(Expm1), BOTH(Log), MIDDLE(Log2), MIDDLE(Log10), BOTH(Log1p),
    MIDDLE_HARD(Sin), MIDDLE_HARD(Cos), MIDDLE_HARD(Tan), MIDDLE(Asin), MIDDLE(Acos), MIDDLE(Atan), WIDE(Sinh), WIDE(Cosh), BOTH(Tanh), WIDE(Asinh), WIDE(Acosh), WIDE(Atanh),
    BOTH(Erf), WIDE(Erfc), BOTH(Sigmoid), BOTH(LogSigmoid),
    ALL(Relu), BOTH(LeakyRelu), BOTH(Elu), BOTH(Softplus), BOTH(Silu), BOTH(Mish), BOTH(Gelu), BOTH(GeluTanh), BOTH(Hardsigmoid), BOTH(Hardswish), BOTH(Celu), BOTH(Cube), BOTH(Clamp),
    ALL(Add), ALL(Sub), ALL(Mul), BOTH(Div), MIDDLE(Pow), HARD(Remainder), HARD(FloorDivide), ALL(Maximum), ALL(Minimum), MIDDLE(Atan2), MIDDLE(Hypot),
    ALL(ReluGrad), WIDE(LogisticLoss), WIDE(BinaryCrossEntropy),
    BOTH(LeakyReluGrad), BOTH(EluGrad), BOTH(CeluGrad), BOTH(ClampGrad), BOTH(HardtanhGrad), BOTH(HardsigmoidGrad), BOTH(HardswishGrad),
    BOTH(SigmoidGrad), BOTH(TanhGrad), BOTH(LogSigmoidGrad), BOTH(SoftplusGrad), BOTH(SiluGrad), BOTH(MishGrad), BOTH(GeluGrad), BOTH(GeluTanhGrad),
    ALL(Where), BOTH(Lerp),
    ALL(LogicalNot), BOTH(IsNaN), BOTH(IsInf), BOTH(IsFinite), ALL(Equal), ALL(NotEqual), ALL(Less), ALL(LessEqual), ALL(Greater), ALL(GreaterEqual),
    ALL(LogicalAnd), ALL(LogicalOr), ALL(LogicalXor)};
enum { FIRST_PREDICATE = 79 };

}  // namespace ADJOINT_NAMESPACE
