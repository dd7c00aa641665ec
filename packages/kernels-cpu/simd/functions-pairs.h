// Functions that need more bits than a double on the way: pow, logarithms to other bases, remainders. A result for float32 is rounded
// from a double, as the reference does: from one with as many terms as float32 needs (`…Short`, of relative errors below 2^-32) where that
// pays. Those polynomials are by Remez' algorithm in 40 digits.

namespace ADJOINT_NAMESPACE {

typedef Vec<double> Wide;
typedef Bits<double> WideBits;
INLINE Wide wide(double x) { return splat(x); }

/** A sum of two numbers that is not rounded: the second is less than a unit of the first. */
struct Pair {
  Wide high, low;
};

/** a + b, for |a| >= |b| or a = 0. */
INLINE Pair quickSum(Wide a, Wide b) {
  const Wide sum = a + b;
  return {sum, b - (sum - a)};
}

/** a · b, all bits of it. */
INLINE Pair exactProduct(Wide a, Wide b) {
#if defined(__FMA__) || defined(__aarch64__)
  // Opaque to the compiler, or it would fuse the product into a sum where its rounding is what matters, or see that the
  // difference forms it again, which is to be one instruction.
  Wide product = a * b, again = b;
  OPAQUE(product);
  OPAQUE(again);
  return {product, a * again - product};
#else
  // Dekker's splitting.
  const Wide product = a * b;
  const Wide splitter = wide(134217729.0), sa = splitter * a, sb = splitter * b;
  const Wide ah = sa - (sa - a), bh = sb - (sb - b), al = a - ah, bl = b - bh;
  return {product, ((ah * bh - product) + ah * bl + al * bh) + al * bl};
#endif
}

/** log(x) for x > 0, to about 68 bits; −∞ and ∞ at the ends, with a low part of 0. */
INLINE Pair logPair(Wide x) {
  typedef Format<double> F;
  Wide m, e;
  splitLog<double>(x, m, e);
  // log(m) = 2s + s³ (2/3 + 2/5 s² + …) with s = (m − 1) / (m + 1), which is divided out twice.
  const Wide f = m - wide(1), den = m + wide(1), denLow = m - (den - wide(1));
  const Wide s = f / den;
  const Pair back = exactProduct(s, den);
  const Wide sLow = ((f - back.high) - back.low - s * denLow) / den;
  const Pair z = exactProduct(s, s);
  const Wide zLow = z.low + wide(2) * s * sLow;
  const Wide series = z.high * polynomial<double>(z.high, 0.39999999999999977, 0.28571428571445218, 0.22222222217510683, 0.18181818873480679,
                                                  0.15384556654765959, 0.13336325748615418, 0.11674649188855729, 0.11990425336740982);
  const Pair c = quickSum(wide(0.6666666666666666), series + wide(3.700743415417188e-17));
  const Pair cube = exactProduct(z.high, s);
  const Wide cubeLow = cube.low + z.high * sLow + zLow * s;
  const Pair t = exactProduct(cube.high, c.high);
  const Wide tLow = t.low + cube.high * c.low + cubeLow * c.high;
  const Pair r = quickSum(wide(2) * s, t.high);
  const Pair sum = quickSum(e * wide(F::ln2High), r.high);
  const Pair total = quickSum(sum.high, sum.low + (r.low + (wide(2) * sLow + tLow) + e * wide(F::ln2Low)));
  const Bits<double> corner = (x == wide(0)) | (x == wide(__builtin_inf()));
  return {choose<double>(corner, logCorners<double>(x, total.high), total.high), choose<double>(corner, Wide{}, total.low)};
}

/** What the corners of IEEE 754's pow make of `value`, the power of |x|: 1 to any power and anything to the power 0 is 1, NaN included. */
INLINE Wide powCorners(Wide x, Wide y, Wide value) {
  const WideBits large = magnitude<double>(y) >= wide(0x1p53);
  const WideBits whole = large | (floorOf<double>(y) == y);
  const Wide halfOf = y * wide(0.5);
  const WideBits odd = ~large & whole & (floorOf<double>(halfOf) != halfOf);
  value = (Wide)((WideBits)value | (signOf<double>(x) & odd));
  value = choose<double>((x < Wide{}) & (x > wide(-__builtin_inf())) & ~whole, wide(__builtin_nan("")), value);
  value = choose<double>((x != x) | (y != y), x + y, value);
  return choose<double>((y == Wide{}) | (x == wide(1)), wide(1), value);
}

/** IEEE 754's pow; 1 ulp. */
INLINE Wide powOf(Wide x, Wide y) {
  const Pair l = logPair(magnitude<double>(x));
  // An exponent past 2^100 gives what 2^100 gives; an infinite one would make NaN of its low part.
  const Wide bounded = clampTo<double>(y, -0x1p100, 0x1p100);
  const Pair p = exactProduct(bounded, l.high);
  const Wide low = choose<double>(magnitude<double>(p.high) < wide(1000), p.low + bounded * l.low, Wide{});
  return powCorners(x, y, expOf<double>(p.high, low));
}

/** x = m · 2^e with m in [√½, √2), for a normal x > 0: every float32 but 0 is one. */
INLINE void splitNormal(Wide x, Wide& m, Wide& e) {
  typedef Format<double> F;
  const WideBits exponent = ((WideBits)x - (WideBits{} + F::rootHalf)) >> F::MANTISSA;
  m = (Wide)((WideBits)x - (exponent << F::MANTISSA));
  e = (Wide)((WideBits)wide(F::magic) + exponent) - wide(F::magic);
}
INLINE Wide log2Short(Wide x) {
  Wide m, e;
  splitNormal(magnitude<double>(x), m, e);
  const Wide f = m - wide(1);
  const Wide series = polynomial<double>(f, 1.4426950409393418, -0.72134752521300776, 0.48089832073091102, -0.36067280056473886, 0.28854064347460442,
                                         -0.24050417380188875, 0.20609625874479979, -0.1790467549992177, 0.15900146016187534, -0.15698222676922329,
                                         0.15485773319468196, -0.086346294146592529);
  return logCorners<double>(x, e + f * series);
}
INLINE Wide log10Short(Wide x) { return log2Short(x) * wide(0.3010299956639812); }

/** Relative errors of the logarithm 2^-43, of the power 2^-34. */
INLINE Wide powShort(Wide x, Wide y) {
  const Wide size = magnitude<double>(x), infinity = wide(__builtin_inf());
  Wide m, e;
  splitNormal(size, m, e);
  const Wide f = m - wide(1);
  const Wide series = polynomial<double>(f, 1.442695040889047, -0.72134752044680296, 0.48089834687658517, -0.36067375933464012, 0.28853902232309622,
                                         -0.24044927722574802, 0.20609845912016238, -0.18033135133132098, 0.16032086483538658, -0.14442257034129875,
                                         0.13093575129070557, -0.11798094809286026, 0.1106973935920983, -0.11887329678885763, 0.11560441228735331,
                                         -0.057495747290718338);
  const Wide log2 = choose<double>(size == Wide{}, -infinity, choose<double>(size == infinity, infinity, e + f * series));
  // Past these bounds there are no float32; an infinite exponent would make NaN of a logarithm of 0.
  const Wide p = clampTo<double>(clampTo<double>(y, -0x1p100, 0x1p100) * log2, -1000, 1000);
  const Wide shifted = p + wide(Format<double>::magic), r = p - (shifted - wide(Format<double>::magic));
  const Wide power = polynomial<double>(r, 0.99999999996167838, 0.69314718072840448, 0.24022651198187276, 0.055504103535602553, 0.0096180272503602503,
                                        0.0013333922485586736, 0.00015469292039064362, 1.520193771221414e-5);
  return powCorners(x, y, power * powerOfTwo<double>((WideBits)shifted - (WideBits)wide(Format<double>::magic)));
}

/** log(x) / log(base), from the halves of 1 / log(base) and of log(2) / log(base), whose first has 21 bits; 1 ulp. */
INLINE Wide logToBase(Wide x, double scaleHigh, double scaleLow, double unitHigh, double unitLow) {
  Wide m, e;
  splitLog<double>(x, m, e);
  const Wide f = m - wide(1), square = f * f * wide(0.5);
  const Wide high = (Wide)((WideBits)(f - square) & (WideBits{} + Format<double>::splitMask));
  const Wide low = (f - high) - square + logRest<double>(f, square);
  const Pair sum = quickSum(e * wide(unitHigh), high * wide(scaleHigh));
  const Wide rest = sum.low + ((low + high) * wide(scaleLow) + low * wide(scaleHigh) + e * wide(unitLow));
  return logCorners<double>(x, sum.high + rest);
}
INLINE Wide log2Of(Wide x) { return logToBase(x, 1.4426946640014648, 3.768874985636099e-07, 1.0, 0.0); }
INLINE Wide log10Of(Wide x) { return logToBase(x, 0.4342944622039795, 1.9699272335463627e-08, 0.30102992057800293, 7.508597826552624e-08); }

/** 1 ulp. */
INLINE Wide exp2Of(Wide x) {
  const Wide bounded = clampTo<double>(x, -1080, 1030), count = roundEven<double>(bounded);
  const WideBits n = (WideBits)(count + wide(Format<double>::magic)) - (WideBits)wide(Format<double>::magic);
  return scaledExp<double>(expm1Near<double>((bounded - count) * wide(0.6931471805599453)), n);
}

/** √(x² + y²), scaled by a power of two where the squares would overflow or underflow; 1 ulp. */
INLINE Wide hypotOf(Wide x, Wide y) {
  const Wide a = magnitude<double>(x), b = magnitude<double>(y), infinity = wide(__builtin_inf());
  const Wide size = choose<double>(a > b, a, b);
  const Wide scale = choose<double>(size > wide(0x1p500), wide(0x1p-600), choose<double>(size < wide(0x1p-400), wide(0x1p600), wide(1)));
  const Wide as = a * scale, bs = b * scale;
  const Wide root = squareRoot<double>(as * as + bs * bs) / scale;
  return choose<double>((a == infinity) | (b == infinity), infinity, root);
}

/** Of numbers whose squares neither overflow nor vanish: float32. */
INLINE Wide hypotShort(Wide x, Wide y) {
  const Wide a = magnitude<double>(x), b = magnitude<double>(y), infinity = wide(__builtin_inf());
  return choose<double>((a == infinity) | (b == infinity), infinity, squareRoot<double>(a * a + b * b));
}

/** Exact for any a >= 0 and b > 0: the shift-and-subtract of school. */
static double slowModulo(double a, double b) {
  double t = b;
  while (t <= a * 0.5) t += t;
  for (; t >= b; t *= 0.5)
    if (a >= t) a -= t;
  return a;
}

/** C's fmod: x − y · trunc(x / y), exactly. Lanes whose quotient or product has too many bits are marked as hard. */
INLINE Wide moduloOf(Wide x, Wide y, WideBits& hard) {
  const Wide a = magnitude<double>(x), b = magnitude<double>(y), infinity = wide(__builtin_inf());
  const Wide ratio = a / b, quotient = floorOf<double>(ratio);
  const WideBits plain = (ratio < wide(1)) | (b == infinity) | ~((a < infinity) & (b > Wide{}));
  hard |= ~plain & ((ratio >= wide(0x1p52)) | (a > wide(0x1p990)) | (b < wide(0x1p-900)));
  const Pair p = exactProduct(quotient, b);
  Wide r = (a - p.high) - p.low;
  r = choose<double>(r < Wide{}, r + b, r);
  r = choose<double>(r >= b, r - b, r);
  // A quotient that was rounded up to 1 is found here, not above.
  r = choose<double>(a < b, a, choose<double>(ratio < wide(1), a - b, r));
  r = choose<double>((a < infinity) & (b > Wide{}) & (y == y), r, wide(__builtin_nan("")));
  return withSign<double>(r, signOf<double>(x));
}

/** The remainder with the sign of the divisor, given C's. */
INLINE Wide remainderFrom(Wide r, Wide y) {
  const WideBits other = (r != Wide{}) & ((r < Wide{}) ^ (y < Wide{}));
  return choose<double>(other, r + y, r);
}

/** floor(x / y), exact where the quotient's rounding would cross an integer, given C's remainder. As in src/reference/special.ts. */
INLINE Wide floorDivideFrom(Wide r, Wide x, Wide y) {
  Wide quotient = (x - r) / y;
  quotient = choose<double>((r != Wide{}) & ((r < Wide{}) ^ (y < Wide{})), quotient - wide(1), quotient);
  const Wide floored = floorOf<double>(quotient);
  Wide value = choose<double>(quotient - floored > wide(0.5), floored + wide(1), floored);
  value = choose<double>(quotient == Wide{}, (x / y) * Wide{}, value);
  return choose<double>(y == Wide{}, x / y, value);
}

}  // namespace ADJOINT_NAMESPACE
