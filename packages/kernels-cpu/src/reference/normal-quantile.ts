// The inverse of the normal distribution function, in arithmetic that every engine rounds alike.
//
// ECMAScript fixes +, −, ×, ÷ and the square root to the last bit, but leaves the last bits of Math.log, Math.cos and
// Math.exp to the engine. So nothing here calls those: the centre of the distribution is a rational function, its tails
// take a square root and the logarithm below. One uniform number gives one normal number, in order.

// Coefficients of M. J. Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", Applied Statistics
// 37 (1988), function PPND16 (relative error about 1e-16); constant term first,
// each written as the double that it is.
const centreTop = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987,
  67265.7709270087, 33430.57558358813, 2509.0809287301227,
];
const centreBottom = [
  1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
  28729.085735721943, 5226.495278852854,
];
const shoulderTop = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
  0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
];
const shoulderBottom = [
  1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
  0.0005475938084995345, 1.0507500716444169e-9,
];
const tailTop = [
  6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
  0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
];
const tailBottom = [
  1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133,
  1.8463183175100548e-5, 1.421511758316446e-7, 2.0442631033899397e-15,
];

function ratio(top: readonly number[], bottom: readonly number[], x: number): number {
  let a = top[7];
  let b = bottom[7];
  for (let i = 6; i >= 0; i--) {
    a = a * x + top[i];
    b = b * x + bottom[i];
  }
  return a / b;
}

/**
 * The natural logarithm of a number in (0, 1], with the same bits on every engine; relative error below 1e-15 (absolute,
 * near 1).
 *
 * Scales by powers of two, which is exact, into [sqrt(1/2), sqrt(2)), and there sums the series of 2·artanh((x − 1) / (x + 1)).
 */
export function portableLog(x: number): number {
  let mantissa = x;
  let exponent = 0;
  while (mantissa < 2 ** -32) {
    mantissa *= 2 ** 32;
    exponent -= 32;
  }
  while (mantissa < Math.SQRT1_2) {
    mantissa *= 2;
    exponent--;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const square = s * s;
  let series = 0;
  // |s| < 0.1716: the first term left out is below 1e-18 of the sum.
  for (let odd = 23; odd >= 1; odd -= 2) series = series * square + 1 / odd;
  return exponent * Math.LN2 + 2 * s * series;
}

/** The number below which a standard normal variable lies with probability `p`, for p in (0, 1). */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * ratio(centreTop, centreBottom, 0.180625 - q * q);
  const r = Math.sqrt(-portableLog(q < 0 ? p : 1 - p));
  const size = r <= 5 ? ratio(shoulderTop, shoulderBottom, r - 1.6) : ratio(tailTop, tailBottom, r - 5);
  return q < 0 ? -size : size;
}
