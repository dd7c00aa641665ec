// Functions of one number on whole registers. Constants and splittings are those of fdlibm (Sun Microsystems, 1993, freely
// granted); exponentials are Taylor sums on |r| <= log(2)/2. Errors are below 2 units in the last place of the type unless a
// function says otherwise; test/kernels-cpu/tiers-maps.test.ts holds every function to its bound.

namespace ADJOINT_NAMESPACE {

template <class T> struct Format;
template <> struct Format<float> {
  static constexpr int MANTISSA = 23, BIAS = 127, SUBNORMAL_SHIFT = 25;
  static constexpr float magic = 12582912.0f, largestFraction = 8388608.0f, epsilon = 5.9604645e-8f;
  static constexpr float ln2High = 0.693359375f, ln2Low = -2.12194440e-4f;
  static constexpr float expLow = -104.0f, expHigh = 89.0f, expm1Low = -20.0f;
  static constexpr float smallestNormal = 1.17549435e-38f, subnormalScale = 33554432.0f;
  static constexpr int rootHalf = 0x3f3504f3, splitMask = int(0xfffff000u);
  static constexpr float logPolynomial[] = {0.66666662693f, 0.40000972152f, 0.28498786688f, 0.24279078841f};
  enum { LOG_TERMS = 4, EXP_TERMS = 7 };
};
template <> struct Format<double> {
  static constexpr long long MANTISSA = 52, BIAS = 1023, SUBNORMAL_SHIFT = 54;
  static constexpr double magic = 6755399441055744.0, largestFraction = 4503599627370496.0, epsilon = 1.1102230246251565e-16;
  static constexpr double ln2High = 6.93147180369123816490e-01, ln2Low = 1.90821492927058770002e-10;
  static constexpr double expLow = -746.0, expHigh = 710.0, expm1Low = -50.0;
  static constexpr double smallestNormal = 2.2250738585072014e-308, subnormalScale = 18014398509481984.0;
  static constexpr long long rootHalf = 0x3fe6a09e667f3bcdll, splitMask = (long long)0xffffffff00000000ull;
  static constexpr double logPolynomial[] = {6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
                                             1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01};
  enum { LOG_TERMS = 7, EXP_TERMS = 13 };
};

#define VALUES typename T
template <VALUES> INLINE Vec<T> choose(Bits<T> mask, Vec<T> a, Vec<T> b) { return (Vec<T>)((mask & (Bits<T>)a) | (~mask & (Bits<T>)b)); }
template <VALUES> INLINE Bits<T> signOf(Vec<T> x) { return (Bits<T>)x & (Bits<T>)splat(T(-0.0)); }
template <VALUES> INLINE Vec<T> magnitude(Vec<T> x) { return (Vec<T>)((Bits<T>)x & ~(Bits<T>)splat(T(-0.0))); }
template <VALUES> INLINE Vec<T> withSign(Vec<T> size, Bits<T> sign) { return (Vec<T>)((Bits<T>)size | sign); }
template <VALUES> INLINE Vec<T> largerOf(Vec<T> x, Vec<T> y) { return choose<T>((x > y) | (x != x), x, y); }
template <VALUES> INLINE Vec<T> smallerOf(Vec<T> x, Vec<T> y) { return choose<T>((x < y) | (x != x), x, y); }

template <VALUES> INLINE Vec<T> squareRoot(Vec<T> x) {
  T lanes[Lanes<T>::N] __attribute__((aligned(64)));
  store(lanes, x);
  for (int i = 0; i < Lanes<T>::N; i++) lanes[i] = sizeof(T) == 4 ? T(__builtin_sqrtf(float(lanes[i]))) : T(__builtin_sqrt(lanes[i]));
  return load(lanes);
}

/** Nearest integer, halves to even; the sign of a zero is that of x. */
template <VALUES> INLINE Vec<T> roundEven(Vec<T> x) {
  const Vec<T> size = magnitude<T>(x), half = splat(Format<T>::largestFraction);
  return choose<T>(size < half, withSign<T>((size + half) - half, signOf<T>(x)), x);
}
template <VALUES> INLINE Vec<T> floorOf(Vec<T> x) {
  const Vec<T> r = roundEven<T>(x);
  return choose<T>(r > x, r - splat(T(1)), r);
}

/** 2^n for exponents of normal numbers. */
template <VALUES> INLINE Vec<T> powerOfTwo(Bits<T> n) { return (Vec<T>)((n + Format<T>::BIAS) << Format<T>::MANTISSA); }

/** n and exp(r) − 1 for x = n log(2) + r. */
template <VALUES> INLINE void reduceExp(Vec<T> x, Bits<T>& n, Vec<T>& rest) {
  typedef Format<T> F;
  const Vec<T> shifted = x * splat(T(1.4426950408889634)) + splat(F::magic);
  n = (Bits<T>)shifted - (Bits<T>)splat(F::magic);
  const Vec<T> count = shifted - splat(F::magic);
  const Vec<T> r = fma(count, splat(-F::ln2Low), fma(count, splat(-F::ln2High), x));
  constexpr double inverseFactorials[] = {1.0, 1.0, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880,
                                          1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800.0};
  Vec<T> sum = splat(T(inverseFactorials[F::EXP_TERMS]));
  UNROLL for (int k = F::EXP_TERMS - 1; k >= 2; k--) sum = fma(sum, r, splat(T(inverseFactorials[k])));
  rest = fma(r * r, sum, r);
}

template <VALUES> INLINE Vec<T> clampTo(Vec<T> x, T low, T high) {
  x = choose<T>(x < splat(low), splat(low), x);
  return choose<T>(x > splat(high), splat(high), x);
}

template <VALUES> INLINE Vec<T> expOf(Vec<T> x) {
  Bits<T> n;
  Vec<T> rest;
  reduceExp<T>(clampTo<T>(x, Format<T>::expLow, Format<T>::expHigh), n, rest);
  // In two steps, so that results at both ends of the range are scaled without an exponent that does not exist.
  const Bits<T> half = n >> 1;
  return ((rest + splat(T(1))) * powerOfTwo<T>(half)) * powerOfTwo<T>(n - half);
}

template <VALUES> INLINE Vec<T> expm1Of(Vec<T> x) {
  Bits<T> n;
  Vec<T> rest;
  reduceExp<T>(clampTo<T>(x, Format<T>::expm1Low, Format<T>::expHigh), n, rest);
  const Vec<T> scale = powerOfTwo<T>(n - 1), half = splat(T(0.5));
  const Vec<T> value = fma(scale, rest, scale - half);
  return choose<T>(magnitude<T>(x) < splat(Format<T>::epsilon), x, value + value);
}

template <VALUES> INLINE Vec<T> logOf(Vec<T> x) {
  typedef Format<T> F;
  const Bits<T> tiny = x < splat(F::smallestNormal);
  // Negative numbers give NaN below; without the sign their exponents are numbers too.
  const Vec<T> scaled = magnitude<T>(choose<T>(tiny, x * splat(F::subnormalScale), x));
  const Bits<T> root = Bits<T>{} + F::rootHalf;
  const Bits<T> e = ((Bits<T>)scaled - root) >> F::MANTISSA;
  const Vec<T> m = (Vec<T>)((Bits<T>)scaled - (e << F::MANTISSA));
  const Vec<T> exponent = __builtin_convertvector(e - (tiny & F::SUBNORMAL_SHIFT), Vec<T>);
  const Vec<T> f = m - splat(T(1)), s = f / (f + splat(T(2))), z = s * s, square = f * f * splat(T(0.5));
  Vec<T> sum = splat(F::logPolynomial[F::LOG_TERMS - 1]);
  UNROLL for (int k = F::LOG_TERMS - 2; k >= 0; k--) sum = fma(sum, z, splat(F::logPolynomial[k]));
  const Vec<T> low = fma(s, square + z * sum, exponent * splat(F::ln2Low)) - square;
  Vec<T> value = fma(exponent, splat(F::ln2High), low + f);
  const T infinity = T(__builtin_inf());
  value = choose<T>(x == splat(infinity), x, value);
  value = choose<T>(x == splat(T(0)), splat(-infinity), value);
  return choose<T>((x < splat(T(0))) | (x != x), x * splat(T(__builtin_nan(""))), value);
}

/** log(1 + x), from the rounded 1 + x and what the rounding lost. */
template <VALUES> INLINE Vec<T> log1pOf(Vec<T> x) {
  const Vec<T> one = splat(T(1)), u = x + one;
  const Vec<T> lost = choose<T>(x < one, x - (u - one), one - (u - x));
  const Vec<T> value = logOf<T>(u) + lost / u;
  const Bits<T> plain = (u == splat(T(__builtin_inf()))) | (u == splat(T(0)));
  return choose<T>(magnitude<T>(x) < splat(Format<T>::epsilon), x, choose<T>(plain, logOf<T>(u), value));
}

template <VALUES> INLINE Vec<T> tanhOf(Vec<T> x) {
  const Vec<T> size = magnitude<T>(x);
  const Vec<T> t = expm1Of<T>(choose<T>(size > splat(T(20)), splat(T(40)), size + size));
  return withSign<T>(t / (t + splat(T(2))), signOf<T>(x));
}

template <VALUES> INLINE Vec<T> sigmoidOf(Vec<T> x) {
  const Vec<T> one = splat(T(1)), e = expOf<T>(-magnitude<T>(x));
  return choose<T>(x >= Vec<T>{}, one, choose<T>(x != x, x, e)) / (one + e);
}

/** c0 + c1 x + c2 x² + …; the coefficients are constants of the code, not an array in memory. */
template <VALUES> INLINE Vec<T> polynomial(Vec<T>, double c0) { return splat(T(c0)); }
template <class T, class... Rest> INLINE Vec<T> polynomial(Vec<T> x, double c0, double c1, Rest... rest) {
  return fma(polynomial<T>(x, c1, rest...), x, splat(T(c0)));
}

// The intervals of fdlibm's s_erf.c, as in src/reference/special.ts.
#define NEAR_P 0.12837916709551256, -0.3250421072470015, -0.02848174957559851, -0.005770270296489442, -2.3763016656650163e-5
#define NEAR_Q 1.0, 0.39791722395915535, 0.0650222499887673, 0.005081306281875766, 0.00013249473800432164, -3.960228278775368e-6
constexpr double ERX = 0.8450629115104675;
#define MIDDLE_P -0.0023621185607526594, 0.41485611868374833, -0.3722078760357013, 0.31834661990116175, -0.11089469428239668, 0.035478304325618236, -0.002166375594868791
#define MIDDLE_Q 1.0, 0.10642088040084423, 0.540397917702171, 0.07182865441419627, 0.12617121980876164, 0.01363708391202905, 0.011984499846799107
#define TAIL_R -0.009864944034847148, -0.6938585727071818, -10.558626225323291, -62.375332450326006, -162.39666946257347, -184.60509290671104, -81.2874355063066, -9.814329344169145
#define TAIL_S 1.0, 19.651271667439257, 137.65775414351904, 434.56587747522923, 645.3872717332679, 429.00814002756783, 108.63500554177944, 6.570249770319282, -0.0604244152148581
#define FAR_R -0.0098649429247001, -0.799283237680523, -17.757954917754752, -160.63638485582192, -637.5664433683896, -1025.0951316110772, -483.5191916086514
#define FAR_S 1.0, 30.33806074348246, 325.7925129965739, 1536.729586084437, 3199.8582195085955, 2553.0504064331644, 474.52854120695537, -22.44095244658582

/** erfc(x) for x >= 1.25: exp(−x²) in two factors, from `high`, which is x with half its bits, so that its square is exact. */
template <VALUES> INLINE Vec<T> erfcTail(Vec<T> x) {
  const Vec<T> s = splat(T(1)) / (x * x);
  const Bits<T> isNear = x < splat(T(1 / 0.35));
  const Vec<T> ratio = choose<T>(isNear, polynomial<T>(s, TAIL_R) / polynomial<T>(s, TAIL_S), polynomial<T>(s, FAR_R) / polynomial<T>(s, FAR_S));
  const Vec<T> high = (Vec<T>)((Bits<T>)x & (Bits<T>{} + Format<T>::splitMask));
  // The first exponent is exact. (fdlibm puts the 0.5625 there, which costs half its bits in single precision.)
  return expOf<T>(-high * high) * expOf<T>((high - x) * (high + x) + (ratio - splat(T(0.5625)))) / x;
}

template <VALUES> INLINE Vec<T> erfOf(Vec<T> x) {
  const Vec<T> size = magnitude<T>(x), z = x * x, one = splat(T(1));
  const Vec<T> near = fma(x, polynomial<T>(z, NEAR_P) / polynomial<T>(z, NEAR_Q), x);
  const Vec<T> d = size - one;
  const Vec<T> middle = splat(T(ERX)) + polynomial<T>(d, MIDDLE_P) / polynomial<T>(d, MIDDLE_Q);
  const Vec<T> tail = one - erfcTail<T>(clampTo<T>(size, T(1.25), T(6)));
  Vec<T> far = choose<T>(size < splat(T(1.25)), middle, tail);
  far = withSign<T>(choose<T>(size >= splat(T(6)), one, far), signOf<T>(x));
  return choose<T>(size < splat(T(0.84375)), near, choose<T>(x != x, x, far));
}

/** erfc(x) without cancellation, for x > 0; 0 from 28 on. */
template <VALUES> INLINE Vec<T> erfcPositive(Vec<T> x) {
  const Vec<T> one = splat(T(1)), z = x * x, d = x - one;
  const Vec<T> ratio = polynomial<T>(z, NEAR_P) / polynomial<T>(z, NEAR_Q), half = splat(T(0.5));
  const Vec<T> near = choose<T>(x < splat(T(0.25)), one - fma(x, ratio, x), half - fma(x, ratio, x - half));
  const Vec<T> middle = (one - splat(T(ERX))) - polynomial<T>(d, MIDDLE_P) / polynomial<T>(d, MIDDLE_Q);
  const Vec<T> tail = choose<T>(x >= splat(T(28)), Vec<T>{}, erfcTail<T>(clampTo<T>(x, T(1.25), T(28))));
  return choose<T>(x < splat(T(0.84375)), near, choose<T>(x < splat(T(1.25)), middle, tail));
}

}  // namespace ADJOINT_NAMESPACE
