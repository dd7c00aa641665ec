// Functions of one number on whole registers. Constants and splittings are those of fdlibm (Sun Microsystems, 1993, freely
// granted); exponentials are polynomials on |r| <= log(2)/2, by Remez' algorithm in float32, Taylor sums in float64. Errors are below 2 units in the last place of the type unless a
// function says otherwise; test/kernels-cpu/tiers-maps.test.ts holds every function to its bound.

namespace ADJOINT_NAMESPACE {

template <class T> struct Format;
template <> struct Format<float> {
  static constexpr int MANTISSA = 23, BIAS = 127, SUBNORMAL_SHIFT = 25;
  static constexpr float magic = 12582912.0f, largestFraction = 8388608.0f, epsilon = 5.9604645e-8f;
  static constexpr float ln2High = 0.693359375f, ln2Low = -2.12194440e-4f;
  static constexpr float expLow = -104.0f, expHigh = 89.0f, expm1Low = -20.0f;
  static constexpr int RAISED = 64;
  static constexpr float raised = 0x1p64f, lowered = 0x1p-64f;
  static constexpr float smallestNormal = 1.17549435e-38f, subnormalScale = 33554432.0f;
  static constexpr int rootHalf = 0x3f3504f3, splitMask = int(0xfffff000u);
  static constexpr float logPolynomial[] = {0.66666662693f, 0.40000972152f, 0.28498786688f, 0.24279078841f};
  enum { LOG_TERMS = 4 };
};
template <> struct Format<double> {
  static constexpr long long MANTISSA = 52, BIAS = 1023, SUBNORMAL_SHIFT = 54;
  static constexpr double magic = 6755399441055744.0, largestFraction = 4503599627370496.0, epsilon = 1.1102230246251565e-16;
  static constexpr double ln2High = 6.93147180369123816490e-01, ln2Low = 1.90821492927058770002e-10;
  static constexpr double expLow = -746.0, expHigh = 710.0, expm1Low = -50.0;
  static constexpr long long RAISED = 600;
  static constexpr double raised = 0x1p600, lowered = 0x1p-600;
  static constexpr double smallestNormal = 2.2250738585072014e-308, subnormalScale = 18014398509481984.0;
  static constexpr long long rootHalf = 0x3fe6a09e667f3bcdll, splitMask = (long long)0xffffffff00000000ull;
  static constexpr double logPolynomial[] = {6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
                                             1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01};
  enum { LOG_TERMS = 7 };
};

#define VALUES typename T
template <VALUES> INLINE Vec<T> choose(Bits<T> mask, Vec<T> a, Vec<T> b) { return mask ? a : b; }
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

template <class T, class... Rest> INLINE Vec<T> afterThree(Vec<T> fourth, double, double, double, Rest... rest);

/** c0 + c4 x⁴ + c8 x⁸ + … of coefficients of which only every fourth is taken. `fourth` is x⁴. */
template <class T, class... Rest> INLINE Vec<T> everyFourth(Vec<T> fourth, double c0, Rest... rest) {
  if constexpr (sizeof...(Rest) < 4) return splat(T(c0));
  else return fma(afterThree<T>(fourth, rest...), fourth, splat(T(c0)));
}
template <class T, class... Rest> INLINE Vec<T> afterThree(Vec<T> fourth, double, double, double, Rest... rest) {
  return everyFourth<T>(fourth, rest...);
}

/**
 * c0 + c1 x + c2 x² + …, of four terms at least; the coefficients are constants of the code, not an array in memory. As four sums in x⁴
 * side by side: what a polynomial costs is the waiting of one step for the other.
 */
template <class T, class... Rest> INLINE Vec<T> polynomial(Vec<T> x, double c0, double c1, double c2, double c3, Rest... rest) {
  const Vec<T> square = x * x, fourth = square * square;
  const Vec<T> low = fma(everyFourth<T>(fourth, c1, c2, c3, rest...), x, everyFourth<T>(fourth, c0, c1, c2, c3, rest...));
  return fma(fma(everyFourth<T>(fourth, c3, rest...), x, everyFourth<T>(fourth, c2, c3, rest...)), square, low);
}

/** (exp(r) − 1 − r) / r² for |r| <= log(2)/2; of float32 an exponential is off by 6.5e-9 then, one less 1 by 1.3e-8. */
INLINE Vec<float> expSeries(Vec<float> r) {
  return polynomial<float>(r, 0.5000000062, 0.1666654279, 0.04166628138, 0.008366611189, 0.001394649817);
}
INLINE Vec<double> expSeries(Vec<double> r) {
  return polynomial<double>(r, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800,
                            1.0 / 479001600, 1.0 / 6227020800.0);
}
/** exp(r) − 1 there. */
template <VALUES> INLINE Vec<T> expm1Near(Vec<T> r) { return fma(r * r, expSeries(r), r); }

/** x − n log(2), for the nearest whole number n. */
template <VALUES> INLINE Vec<T> reducedBy(Vec<T> n, Vec<T> x) {
  return fma(n, splat(-Format<T>::ln2Low), fma(n, splat(-Format<T>::ln2High), x));
}

/** n and exp(r) − 1 for x = n log(2) + r. */
template <VALUES> INLINE void reduceExp(Vec<T> x, Bits<T>& n, Vec<T>& rest) {
  typedef Format<T> F;
  const Vec<T> shifted = x * splat(T(1.4426950408889634)) + splat(F::magic);
  n = (Bits<T>)shifted - (Bits<T>)splat(F::magic);
  rest = expm1Near<T>(reducedBy<T>(shifted - splat(F::magic), x));
}

template <VALUES> INLINE Vec<T> clampTo(Vec<T> x, T low, T high) {
  x = choose<T>(x < splat(low), splat(low), x);
  return choose<T>(x > splat(high), splat(high), x);
}

/** (1 + rest) · 2^n in two steps, so that results at both ends of the range are scaled without an exponent that does not exist. */
template <VALUES> INLINE Vec<T> scaledExp(Vec<T> rest, Bits<T> n) {
  const Bits<T> half = n >> 1;
  return ((rest + splat(T(1))) * powerOfTwo<T>(half)) * powerOfTwo<T>(n - half);
}

/**
 * exp(x + low) · 2^raise, where that is a normal number; `low`, if there is one, is what the rounding of x left over. `shift` is
 * `shiftRaisedBy(raise)`: a sum with it has the exponent of a power of two in its last bits.
 */
template <class T, class... Low> INLINE Vec<T> expRaised(Vec<T> x, Vec<T> shift, Low... low) {
  const Vec<T> shifted = x * splat(T(1.4426950408889634)) + shift;
  const Vec<T> r = (reducedBy<T>(shifted - shift, x) + ... + low);
  return (expm1Near<T>(r) + splat(T(1))) * (Vec<T>)((Bits<T>)shifted << Format<T>::MANTISSA);
}
template <VALUES> INLINE Vec<T> shiftRaisedBy(LaneInt<T> raise) { return splat(T(Format<T>::magic + T(Format<T>::BIAS + raise))); }

/** exp(x + low), as above. On its way it is raised or lowered by 2^RAISED, so that results at both ends of the range have an exponent. */
template <class T, class... Low> INLINE Vec<T> expOf(Vec<T> x, Low... low) {
  typedef Format<T> F;
  x = clampTo<T>(x, F::expLow, F::expHigh);
  const Bits<T> small = x < Vec<T>{};
  const Vec<T> shift = choose<T>(small, shiftRaisedBy<T>(F::RAISED), shiftRaisedBy<T>(-F::RAISED));
  return expRaised<T>(x, shift, low...) * choose<T>(small, splat(F::lowered), splat(F::raised));
}

/** exp(−|x|). */
template <VALUES> INLINE Vec<T> expMinusSize(Vec<T> x) {
  typedef Format<T> F;
  const Vec<T> least = splat(F::expLow), negative = withSign<T>(x, (Bits<T>)splat(T(-0.0)));
  return expRaised<T>(choose<T>(negative < least, least, negative), shiftRaisedBy<T>(F::RAISED)) * splat(F::lowered);
}

template <VALUES> INLINE Vec<T> expm1Of(Vec<T> x) {
  Bits<T> n;
  Vec<T> rest;
  reduceExp<T>(clampTo<T>(x, Format<T>::expm1Low, Format<T>::expHigh), n, rest);
  const Vec<T> scale = powerOfTwo<T>(n - 1), half = splat(T(0.5));
  const Vec<T> value = fma(scale, rest, scale - half);
  return choose<T>(magnitude<T>(x) < splat(Format<T>::epsilon), x, value + value);
}

/** x = m · 2^e with m in [√½, √2), for x > 0; of other numbers, nothing that makes sense. */
template <VALUES> INLINE void splitLog(Vec<T> x, Vec<T>& m, Vec<T>& e) {
  typedef Format<T> F;
  const Bits<T> tiny = x < splat(F::smallestNormal);
  // Negative numbers have no logarithm; without the sign their exponents are numbers too.
  const Vec<T> scaled = magnitude<T>(choose<T>(tiny, x * splat(F::subnormalScale), x));
  const Bits<T> exponent = ((Bits<T>)scaled - (Bits<T>{} + F::rootHalf)) >> F::MANTISSA;
  m = (Vec<T>)((Bits<T>)scaled - (exponent << F::MANTISSA));
  e = __builtin_convertvector(exponent - (tiny & F::SUBNORMAL_SHIFT), Vec<T>);
}
/** The logarithm of x where x is not a positive number, else `value`. */
template <VALUES> INLINE Vec<T> logCorners(Vec<T> x, Vec<T> value) {
  const T infinity = T(__builtin_inf());
  value = choose<T>(x == splat(infinity), x, value);
  value = choose<T>(x == splat(T(0)), splat(-infinity), value);
  return choose<T>((x < splat(T(0))) | (x != x), x * splat(T(__builtin_nan(""))), value);
}
/** log(1 + f) − f + f²/2 for 1 + f in [√½, √2); `square` is f²/2. */
template <VALUES> INLINE Vec<T> logRest(Vec<T> f, Vec<T> square) {
  typedef Format<T> F;
  const Vec<T> s = f / (f + splat(T(2))), z = s * s;
  Vec<T> sum = splat(F::logPolynomial[F::LOG_TERMS - 1]);
  UNROLL for (int k = F::LOG_TERMS - 2; k >= 0; k--) sum = fma(sum, z, splat(F::logPolynomial[k]));
  return s * (square + z * sum);
}

template <VALUES> INLINE Vec<T> logOf(Vec<T> x) {
  typedef Format<T> F;
  Vec<T> m, e;
  splitLog<T>(x, m, e);
  const Vec<T> f = m - splat(T(1)), square = f * f * splat(T(0.5));
  const Vec<T> low = (logRest<T>(f, square) + e * splat(F::ln2Low)) - square;
  return logCorners<T>(x, fma(e, splat(F::ln2High), low + f));
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
  const Vec<T> one = splat(T(1)), e = expMinusSize<T>(x);
  return choose<T>(x >= Vec<T>{}, one, e) / (one + e);
}

}  // namespace ADJOINT_NAMESPACE
