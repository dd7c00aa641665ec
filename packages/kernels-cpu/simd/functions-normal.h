// The normal distribution's functions: erf, erfc, gelu. All tails come from one polynomial: with a = |x| for gelu and √2 |x| for
// erf, and s = (a − 4) / (a + 4), the function (a + 4) · exp(a²/2) · Φ(−a) is smooth on s in [−1, 1) (Shepherd and Laframboise,
// "Chebyshev approximation of (1 + 2x) exp(x²) erfc x", 1981); coefficients by Remez' algorithm in 50 digits, relative error
// 9e-9 in float32 (a <= 14.6) and 9e-17 in float64 (a <= 40).

namespace ADJOINT_NAMESPACE {

/** (a + 4) · exp(a²/2) · Φ(−a) in terms of s. */
INLINE Vec<float> tailSeries(Vec<float> s) {
  return polynomial<float>(s, 0.7552851354, -0.6078965865, 0.3871369037, -0.1865234862, 0.06040376586, -0.0075250025, -0.003512080692, 0.001569587067,
                           0.0001783736869, -0.0001324313084);
}
INLINE Vec<double> tailSeries(Vec<double> s) {
  return polynomial<double>(s, 0.75528513041575146, -0.6078966419718907, 0.38713740074222453, -0.18652185795980486, 0.060396574890462052, -0.007540188962258748,
                            -0.0034796923581934065, 0.0016308183962828476, 0.00013334421621103629, -0.00023109447692417584, -1.9076431100044085e-6,
                            3.5142646095327843e-5, 7.1411386818236757e-7, -5.9145584952263017e-6, -6.2269802511623449e-7, 1.012050180635655e-6,
                            2.5923937281423054e-7, -1.4571762136590463e-7, -7.1238615384472736e-8, 9.2809800518424201e-9, 1.0534249578107671e-8,
                            1.4876517726067436e-9);
}

/** scale · exp(a²/2) · Φ(−a) for a >= 0, where `scale` is a power that makes a tail of it. */
template <VALUES> INLINE Vec<T> normalTail(Vec<T> a, Vec<T> scale) {
  const Vec<T> four = splat(T(4)), sum = a + four, lost = a - (sum - four), share = splat(T(1)) / sum;
  const Vec<T> series = tailSeries((a - four) * share);
  // Single precision makes do with one division. Else what the rounding of the sum has lost is put right to first order.
  if (sizeof(T) == 4) return scale * series * share;
  return scale * (series - series * lost * share) / sum;
}

/** exp(−scale · x²) · 2^RAISED for a scale of 1 or ½, of which the power is not to be too small: x² in two parts. */
template <VALUES> INLINE Vec<T> expMinusSquareRaised(Vec<T> x, T scale) {
#if defined(__FMA__) || defined(__aarch64__)
  // Opaque as in `exactProduct`.
  Vec<T> high = x * x, again = x;
  OPAQUE(high);
  OPAQUE(again);
  const Vec<T> low = x * again - high;
#else
  // The first part, of x with half its bits, is exact.
  const Vec<T> half = (Vec<T>)((Bits<T>)x & (Bits<T>{} + Format<T>::splitMask)), high = half * half, low = (x - half) * (x + half);
#endif
  return expRaised<T>(splat(-scale) * high, shiftRaisedBy<T>(Format<T>::RAISED), splat(-scale) * low);
}

/** erf(x) / x − 1 for z = x² <= 1; relative errors of the quotient 2e-9 and 2e-19. */
INLINE Vec<float> erfNear(Vec<float> z) {
  return polynomial<float>(z, 0.128379166, -0.3761262582, 0.1128358515, -0.02685381208, 0.005188327964, -0.0008010195966, 7.853868649e-5);
}
INLINE Vec<double> erfNear(Vec<double> z) {
  return polynomial<double>(z, 0.12837916709551256, -0.37612638903183748, 0.11283791670954857, -0.026866170645072896, 0.0052239776247808757,
                            -0.00085483269787427837, 0.00012055331036921846, -1.4925593507433226e-5, 1.6460972825704271e-6, -1.6350025313251969e-7,
                            1.4657880438164545e-8, -1.1365668206801192e-9, 5.9452654457426233e-11);
}

/** erfc(|x|), for |x| no larger than the type can tell from 0. */
template <VALUES> INLINE Vec<T> erfcTail(Vec<T> size) {
  return splat(T(2) * Format<T>::lowered) * normalTail<T>(size * splat(T(1.4142135623730951)), expMinusSquareRaised<T>(size, T(1)));
}

/** 2 ulp; 3 in float32. */
template <VALUES> INLINE Vec<T> erfOf(Vec<T> x) {
  const Vec<T> size = magnitude<T>(x), one = splat(T(1));
  const Vec<T> far = withSign<T>(one - erfcTail<T>(clampTo<T>(size, T(0), T(6))), signOf<T>(x));
  return choose<T>(size < one, fma(x, erfNear(x * x), x), far);
}

/** Without cancellation; 7 ulp far to the right, where exp(−x²) / x is multiplied together. */
template <VALUES> INLINE Vec<T> erfcOf(Vec<T> x) {
  const Vec<T> size = magnitude<T>(x), one = splat(T(1));
  const Vec<T> tail = erfcTail<T>(clampTo<T>(size, T(0), T(28)));
  const Vec<T> right = choose<T>(size >= splat(T(28)), Vec<T>{}, tail);
  const Vec<T> far = choose<T>(x < Vec<T>{}, splat(T(2)) - right, right);
  return choose<T>(x != x, x, choose<T>(size < splat(T(0.5)), one - fma(x, erfNear(x * x), x), far));
}

/** Φ(−|x|) and exp(−x²/2), both times 2^RAISED: exact to a few units even where they are no normal numbers. 0 where both are 0. */
template <class T> struct NormalRaised {
  Vec<T> tail, density;
};
template <VALUES> INLINE NormalRaised<T> normalRaised(Vec<T> size) {
  const Vec<T> most = splat(T(sizeof(T) == 4 ? 15 : 40));
  const Bits<T> beyond = size > most;
  const Vec<T> bounded = choose<T>(beyond, most, size), density = choose<T>(beyond, Vec<T>{}, expMinusSquareRaised<T>(bounded, T(0.5)));
  return {normalTail<T>(bounded, density), density};
}
/** Where Φ(x) is a tail; elsewhere it is what `normalShare` says, of the tail on the other side. */
template <VALUES> INLINE Bits<T> isTail(Vec<T> x) { return x < splat(T(sizeof(T) == 4 ? 0 : -0.7)); }
template <VALUES> INLINE Vec<T> normalShare(Vec<T> x, Vec<T> tail) {
  const Vec<T> far = splat(T(1)) - tail * splat(Format<T>::lowered);
  if (sizeof(T) == 4) return far;
  const Vec<T> near = splat(T(0.5)) + x * (splat(T(1)) + erfNear(x * x * splat(T(0.5)))) * splat(T(0.35355339059327373));
  return choose<T>(magnitude<T>(x) < splat(T(0.7)), near, far);
}

/** x · Φ(x), as accurate in the left tail as it can be, where 1 + erf would cancel: 7 ulp there, also of what is no normal number. */
template <VALUES> INLINE Vec<T> geluOf(Vec<T> x) {
  const Vec<T> tail = normalRaised<T>(magnitude<T>(x)).tail;
  const Bits<T> left = isTail<T>(x);
  const Vec<T> value = x * choose<T>(left, tail, normalShare<T>(x, tail));
  return choose<T>(left, value * splat(Format<T>::lowered), value);
}
/** g · (Φ(x) + x · φ(x)). */
template <VALUES> INLINE Vec<T> geluGradOf(Vec<T> g, Vec<T> x) {
  const NormalRaised<T> normal = normalRaised<T>(magnitude<T>(x));
  const Vec<T> share = choose<T>(isTail<T>(x), normal.tail, normalShare<T>(x, normal.tail) * splat(Format<T>::raised));
  return g * ((share + x * normal.density * splat(T(0.3989422804014327))) * splat(Format<T>::lowered));
}

}  // namespace ADJOINT_NAMESPACE
