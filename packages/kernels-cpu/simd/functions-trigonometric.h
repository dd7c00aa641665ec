// Trigonometric and hyperbolic functions and their inverses, in doubles; a result for float32 is rounded from these, as the reference
// does, or from what fewer terms give (SHORT: relative errors below 2^-32). The polynomials of sine and cosine are those of fdlibm (Sun
// Microsystems, 1993, freely granted); the others by Remez' algorithm in 60 digits, with relative errors below 2^-56. Errors are below 2 ulp.

namespace ADJOINT_NAMESPACE {

/** The bits of 2/π after the point, 32 to a word. */
constexpr unsigned twoOverPi[] = {
    0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu, 0xdebbc561u, 0xb7246e3au, 0x424dd2e0u,
    0x06492eeau, 0x09d1921cu, 0xfe1deb1cu, 0xb129a73eu, 0xe88235f5u, 0x2ebb4484u, 0xe99c7026u, 0xb45f7e41u, 0x3991d639u, 0x835339f4u,
    0x9c845f8bu, 0xbdf9283bu, 0x1ff897ffu, 0xde05980fu, 0xef2f118bu, 0x5a0a6d1fu, 0x6d367ecfu, 0x27cb09b7u, 0x4f463f66u, 0x9e5fea2du,
    0x7527bac7u, 0xebe5f17bu, 0x3d0739f7u, 0x8a5292eau, 0x6bfb5fb1u, 0x1f8d5d08u, 0x56033046u, 0xfc7b6babu};

/** An angle as n quarter turns and a rest of at most an eighth turn, which is high + low. */
struct Angle {
  Wide high, low;
  WideBits quarters;
};

/** Any finite x (M. Payne and R. Hanek, 1983): of the product with 2/π only the bits about the point are formed. */
static Angle slowAngle(double x) {
  union {
    double value;
    unsigned long long bits;
  } number = {x};
  const int exponent = int(number.bits >> 52 & 0x7ff) - 1075;  // |x| = mantissa · 2^exponent
  const unsigned long long mantissa = (number.bits & 0xfffffffffffffull) | 0x10000000000000ull;
  // Bits of 2/π that are worth 4 or more in the product count whole turns. The product of the mantissa and the words from
  // there on, with two bits before the point at the top of word[0].
  const int skip = exponent - 2 < 0 ? 0 : exponent - 2, first = skip / 32, shift = skip % 32;
  unsigned word[8] = {};
  unsigned long long carry = 0;
  const unsigned parts[2] = {unsigned(mantissa), unsigned(mantissa >> 32)};
  unsigned sum[10] = {};
  unsigned bits[8];
  for (int i = 0; i < 8; i++) {
    const int at = first + i;
    const unsigned long long pair = (at < 38 ? (unsigned long long)twoOverPi[at] << 32 : 0) | (at + 1 < 38 ? twoOverPi[at + 1] : 0);
    bits[i] = unsigned(pair << shift >> 32);
  }
  // sum[0] holds the lowest word of the product of `bits` (8 words) and the mantissa (2 words).
  for (int p = 0; p < 2; p++) {
    carry = 0;
    for (int i = 7; i >= 0; i--) {
      const int to = 7 - i + p;
      const unsigned long long t = (unsigned long long)bits[i] * parts[p] + sum[to] + carry;
      sum[to] = unsigned(t);
      carry = t >> 32;
    }
    sum[8 + p] = unsigned(carry);
  }
  // The product is sum · 2^(exponent − skip − 256): the point lies 256 + skip − exponent bits from its lowest.
  const int point = 256 + skip - exponent, top = point + 2;
  for (int i = 0; i < 8; i++) {
    const int low_ = top - 32 * (i + 1), index = low_ >> 5, by = low_ & 31;
    const unsigned long long pair = (index + 1 >= 0 && index + 1 < 10 ? (unsigned long long)sum[index + 1] << 32 : 0) | (index >= 0 && index < 10 ? sum[index] : 0);
    word[i] = unsigned(pair >> by);
  }
  long long n = word[0] >> 30;
  word[0] &= 0x3fffffffu;
  // To the nearest quarter: a fraction of a half or more counts down from the next.
  const bool up = word[0] >> 29;
  if (up) {
    n++;
    for (int i = 0; i < 8; i++) word[i] = ~word[i];
    word[0] &= 0x3fffffffu;
  }
  double scale = 0x1p-30, fraction[3] = {};
  // Three numbers of 53 bits or fewer, from the first word that is not 0 on: sums of them are exact.
  int i = 0;
  for (; i < 4 && word[i] == 0; i++) scale *= 0x1p-32;
  for (int k = 0; k < 3; k++, i++, scale *= 0x1p-32) fraction[k] = (i < 8 ? word[i] : 0) * scale;
  double f = fraction[0] + fraction[1], rest = (fraction[0] - f) + fraction[1] + fraction[2];
  const double sign = (x < 0) != up ? -1.0 : 1.0;
  const Pair p = exactProduct(wide(f), wide(1.5707963267948966));
  const double tail = p.low[0] + f * 6.123233995736766e-17 + rest * 1.5707963267948966;
  const double high = p.high[0] + tail, low = (p.high[0] - high) + tail;
  return {wide(sign * high), wide(sign * low), WideBits{} + (x < 0 ? -n : n)};
}

/** Cody and Waite's three parts of π/2, the first two of 33 bits. Hard: x too large for them, or so close to a quarter turn that too much cancels. */
INLINE Angle angleOf(Wide x, WideBits& hard) {
  const Wide shifted = x * wide(0.6366197723675814) + wide(Format<double>::magic);
  const Wide n = shifted - wide(Format<double>::magic);
  const Wide near = x - n * wide(1.5707963267341256), second = n * wide(6.077100506303966e-11);
  const Wide r = near - second;
  const Wide rest = n * wide(2.0222662487959506e-21) - ((near - r) - second);
  const Wide high = r - rest;
  hard |= (magnitude<double>(x) > wide(1e5)) | ((magnitude<double>(high) < wide(0x1p-30)) & (n != Wide{}));
  return {high, (r - high) - rest, (WideBits)shifted - (WideBits)wide(Format<double>::magic)};
}

INLINE Wide sineOf(const Angle& t) {
  const Wide x = t.high, z = x * x, v = z * x;
  const Wide r = polynomial<double>(z, 8.33333333332248946124e-03, -1.98412698298579493134e-04, 2.75573137070700676789e-06, -2.50507602534068634195e-08,
                                    1.58969099521155010221e-10);
  return x - ((z * (wide(0.5) * t.low - v * r) - t.low) - v * wide(-1.66666666666666324348e-01));
}
INLINE Wide cosineOf(const Angle& t) {
  const Wide x = t.high, z = x * x, half = wide(0.5) * z, w = wide(1) - half;
  const Wide r = z * polynomial<double>(z, 4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05, -2.75573143513906633035e-07,
                                        2.08757232129817482790e-09, -1.13596475577881948265e-11);
  return w + (((wide(1) - w) - half) + (z * r - x * t.low));
}
INLINE WideBits isOdd(WideBits n) { return (n & 1) != 0; }
/** The sign bit where n leaves 2 or 3 when divided by 4. */
INLINE WideBits signOfTurn(WideBits n) { return (n & 2) << 62; }

INLINE Wide sinFrom(const Angle& t) {
  const Wide value = choose<double>(isOdd(t.quarters), cosineOf(t), sineOf(t));
  return (Wide)((WideBits)value ^ signOfTurn(t.quarters));
}
INLINE Wide cosFrom(const Angle& t) {
  const Wide value = choose<double>(isOdd(t.quarters), sineOf(t), cosineOf(t));
  return (Wide)((WideBits)value ^ signOfTurn(t.quarters + 1));
}
INLINE Wide tanFrom(const Angle& t) {
  const Wide s = sineOf(t), c = cosineOf(t);
  const WideBits odd = isOdd(t.quarters);
  return (Wide)((WideBits)(choose<double>(odd, c, s) / choose<double>(odd, s, c)) ^ (odd & signOf<double>(wide(-0.0))));
}

/** An angle for float32: its rest in one number. */
struct ShortAngle {
  Wide rest;
  WideBits quarters;
};
/** Two parts of π/2, the first of 33 bits. Hard: x too large for them. No float32 comes so close to a quarter turn that they are too few. */
INLINE ShortAngle shortAngleOf(Wide x, WideBits& hard) {
  const Wide magic = wide(Format<double>::magic), shifted = x * wide(0.6366197723675814) + magic, n = shifted - magic;
  hard |= magnitude<double>(x) > wide(1e5);
  return {(x - n * wide(1.5707963267341256)) - n * wide(6.0771005065061922e-11), (WideBits)shifted - (WideBits)magic};
}
INLINE Wide sineShort(Wide x, Wide z) {
  return x * (wide(1) + z * polynomial<double>(z, -0.16666666641627397, 0.0083333293859446934, -0.00019839334848268466, 2.7183115865466273e-6));
}
INLINE Wide cosineShort(Wide z) {
  return wide(1) + z * polynomial<double>(z, -0.5, 0.041666646866495323, -0.0013887367515339216, 2.4438451320026487e-5);
}
INLINE Wide sinFromShort(const ShortAngle& t) {
  const Wide z = t.rest * t.rest, value = choose<double>(isOdd(t.quarters), cosineShort(z), sineShort(t.rest, z));
  return (Wide)((WideBits)value ^ signOfTurn(t.quarters));
}
INLINE Wide cosFromShort(const ShortAngle& t) {
  const Wide z = t.rest * t.rest, value = choose<double>(isOdd(t.quarters), sineShort(t.rest, z), cosineShort(z));
  return (Wide)((WideBits)value ^ signOfTurn(t.quarters + 1));
}
INLINE Wide tanFromShort(const ShortAngle& t) {
  const Wide z = t.rest * t.rest, s = sineShort(t.rest, z), c = cosineShort(z);
  const WideBits odd = isOdd(t.quarters);
  return (Wide)((WideBits)(choose<double>(odd, c, s) / choose<double>(odd, s, c)) ^ (odd & signOf<double>(wide(-0.0))));
}

/** How many terms of a series: those that float64 needs, or float32. */
enum Terms { FULL, SHORT };

/** (asin(s) − s) / s for z = s² <= ¼. */
template <Terms TERMS> INLINE Wide asinRest(Wide z) {
  if constexpr (TERMS == SHORT)
    return z * polynomial<double>(z, 0.16666667189843528, 0.07499948156320985, 0.044660163334671726, 0.030110256746371665, 0.024618330860037845,
                                  0.0074692402008767481, 0.034692816829350719);
  return z * polynomial<double>(z, 0.16666666666665383, 0.075000000003430562, 0.044642856823468035, 0.030381959331856845, 0.022371753510465277,
                                0.017359771266231193, 0.013884597238238389, 0.012173285387715505, 0.0065108347129030218, 0.019573938632352931,
                                -0.016294098884043049, 0.031958967432333455);
}
constexpr double HALF_PI = 1.5707963267948966, HALF_PI_LOW = 6.123233995736766e-17;

template <Terms TERMS> INLINE Wide asinOf(Wide x) {
  const Wide a = magnitude<double>(x);
  const WideBits far = a >= wide(0.5);
  const Wide z = choose<double>(far, (wide(1) - a) * wide(0.5), a * a), s = choose<double>(far, squareRoot<double>(z), a);
  const Wide t = s * asinRest<TERMS>(z);
  const Wide value = choose<double>(far, wide(HALF_PI) - (wide(2) * s + (wide(2) * t - wide(HALF_PI_LOW))), s + t);
  return withSign<double>(value, signOf<double>(x));
}
template <Terms TERMS> INLINE Wide acosOf(Wide x) {
  const Wide a = magnitude<double>(x);
  const WideBits far = a >= wide(0.5);
  const Wide z = choose<double>(far, (wide(1) - a) * wide(0.5), a * a), s = choose<double>(far, squareRoot<double>(z), x);
  const Wide t = s * asinRest<TERMS>(z);
  const Wide right = wide(2) * (s + t), left = wide(2 * HALF_PI) - (wide(2) * s + (wide(2) * t - wide(2 * HALF_PI_LOW)));
  return choose<double>(far, choose<double>(x > Wide{}, right, left), wide(HALF_PI) - (s + (t - wide(HALF_PI_LOW))));
}

/** (atan(t) − t) / t for z = t², |t| <= √2 − 1. */
template <Terms TERMS> INLINE Wide atanRest(Wide z) {
  if constexpr (TERMS == SHORT)
    return z * polynomial<double>(z, -0.33333332514557167, 0.19999905182047182, -0.14282041931531963, 0.11045091730222904, -0.084783959892165756, 0.047482541393521007);
  return z * polynomial<double>(z, -0.33333333333333198, 0.19999999999953665, -0.14285714280204186, 0.11111110783822307,
                                -0.090908977673092939, 0.076920603661000723, -0.066631055079255351, 0.058478977972210975,
                                -0.050393327636841126, 0.038065006673334618, -0.017907403056248587);
}
/** atan(y / x) for y, x >= 0, not both 0 or infinite: by one of three intervals, with one division. */
template <Terms TERMS> INLINE Wide atanOfRatio(Wide y, Wide x) {
  const WideBits steep = y > wide(2.414213562373095) * x, middle = ~steep & (y > wide(0.41421356237309503) * x);
  const Wide top = choose<double>(steep, -x, choose<double>(middle, y - x, y)), bottom = choose<double>(steep, y, choose<double>(middle, y + x, x));
  const Wide t = top / bottom, z = t * t;
  const Wide rest = t * atanRest<TERMS>(z);
  const Wide share = choose<double>(steep, wide(1), choose<double>(middle, wide(0.5), Wide{}));
  return share * wide(HALF_PI) + (t + (rest + share * wide(HALF_PI_LOW)));
}
template <Terms TERMS> INLINE Wide atanOf(Wide x) {
  const Wide a = magnitude<double>(x);
  return withSign<double>(choose<double>(a == wide(__builtin_inf()), wide(HALF_PI), atanOfRatio<TERMS>(a, wide(1))), signOf<double>(x));
}
template <Terms TERMS> INLINE Wide atan2Of(Wide y, Wide x) {
  const Wide infinity = wide(__builtin_inf());
  Wide a = magnitude<double>(y), b = magnitude<double>(x);
  const WideBits both = (a == infinity) & (b == infinity);
  a = choose<double>(both, wide(1), a);
  b = choose<double>(both, wide(1), b);
  // A sum of the two must not overflow; of float32 it does not.
  const Wide scale = choose<double>((a > wide(0x1p1000)) | (b > wide(0x1p1000)), wide(0x1p-4), wide(1));
  a *= scale;
  b *= scale;
  Wide value = choose<double>(a == Wide{}, Wide{}, choose<double>(a == infinity, wide(HALF_PI), atanOfRatio<TERMS>(a, b)));
  value = choose<double>((WideBits)x < 0, wide(2 * HALF_PI) - (value - wide(2 * HALF_PI_LOW)), value);
  return choose<double>((x != x) | (y != y), x + y, withSign<double>(value, signOf<double>(y)));
}

/** exp(a) / 2, which is finite for a little longer than exp(a). */
INLINE Wide halfExp(Wide a) {
  WideBits n;
  Wide rest;
  reduceExp<double>(clampTo<double>(a, -746, 711), n, rest);
  return scaledExp<double>(rest, n - 1);
}
INLINE Wide coshOf(Wide x) {
  const Wide e = halfExp(magnitude<double>(x));
  return e + wide(0.25) / e;
}
INLINE Wide sinhOf(Wide x) {
  const Wide a = magnitude<double>(x), e = halfExp(a), z = x * x;
  const Wide near = x * z * polynomial<double>(z, 1.0 / 6, 1.0 / 120, 1.0 / 5040, 1.0 / 362880, 1.0 / 39916800, 1.0 / 6227020800.0, 1.0 / 1307674368000.0,
                                               1.0 / 355687428096000.0);
  return choose<double>(a < wide(1), x + near, withSign<double>(e - wide(0.25) / e, signOf<double>(x)));
}

constexpr double LOG_2 = 0.6931471805599453;
INLINE Wide asinhOf(Wide x) {
  const Wide a = magnitude<double>(x), square = a * a;
  const WideBits far = a > wide(0x1p28);
  // Far out, log1p(u) is to be log(a).
  const Wide u = choose<double>(far, a - wide(1), a + square / (wide(1) + squareRoot<double>(wide(1) + square)));
  return withSign<double>(log1pOf<double>(u) + choose<double>(far, wide(LOG_2), Wide{}), signOf<double>(x));
}
INLINE Wide acoshOf(Wide x) {
  const Wide t = x - wide(1);
  const WideBits far = x > wide(0x1p28);
  const Wide u = choose<double>(far, t, t + squareRoot<double>(wide(2) * t + t * t));
  return choose<double>(x < wide(1), wide(__builtin_nan("")), log1pOf<double>(u) + choose<double>(far, wide(LOG_2), Wide{}));
}
INLINE Wide atanhOf(Wide x) {
  const Wide a = magnitude<double>(x), twice = a + a, rest = wide(1) - a;
  const Wide u = choose<double>(a < wide(0.5), twice + twice * a / rest, twice / rest);
  return withSign<double>(wide(0.5) * log1pOf<double>(u), signOf<double>(x));
}

}  // namespace ADJOINT_NAMESPACE
