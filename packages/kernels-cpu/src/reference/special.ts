// Functions of one number that JavaScript lacks, or has with other corners: accurate to a few units in the last place.
//
// erf and erfc follow s_erf.c of fdlibm:
//   Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved. Developed at SunPro, a Sun Microsystems, Inc.
//   business. Permission to use, copy, modify, and distribute this software is freely granted, provided that this
//   notice is preserved.

/** Evaluates `c[0] + c[1] x + c[2] x² + …`. */
function polynomial(x: number, c: readonly number[]): number {
  let sum = c[c.length - 1];
  for (let i = c.length - 2; i >= 0; i--) sum = sum * x + c[i];
  return sum;
}

// erf(x) = x + x·P(x²)/Q(x²) for |x| < 0.84375.
const NEAR_P = [
  0.12837916709551256, -0.3250421072470015, -0.02848174957559851, -0.005770270296489442,
  -2.3763016656650163e-5,
];
const NEAR_Q = [
  1, 0.39791722395915535, 0.0650222499887673, 0.005081306281875766, 0.00013249473800432164,
  -3.960228278775368e-6,
];
// erf(1 + s) = ERX + P(s)/Q(s) for 0.84375 <= |x| < 1.25.
const ERX = 0.8450629115104675;
const MIDDLE_P = [
  -0.0023621185607526594, 0.41485611868374833, -0.3722078760357013, 0.31834661990116175, -0.11089469428239668,
  0.035478304325618236, -0.002166375594868791,
];
const MIDDLE_Q = [
  1, 0.10642088040084423, 0.540397917702171, 0.07182865441419627, 0.12617121980876164, 0.01363708391202905,
  0.011984499846799107,
];
// erfc(x) = exp(−x² − 0.5625 + R(1/x²)/S(1/x²)) / x from 1.25 to 1/0.35, and from there on.
const TAIL_R = [
  -0.009864944034847148, -0.6938585727071818, -10.558626225323291, -62.375332450326006, -162.39666946257347,
  -184.60509290671104, -81.2874355063066, -9.814329344169145,
];
const TAIL_S = [
  1, 19.651271667439257, 137.65775414351904, 434.56587747522923, 645.3872717332679, 429.00814002756783,
  108.63500554177944, 6.570249770319282, -0.0604244152148581,
];
const FAR_R = [
  -0.0098649429247001, -0.799283237680523, -17.757954917754752, -160.63638485582192, -637.5664433683896,
  -1025.0951316110772, -483.5191916086514,
];
const FAR_S = [
  1, 30.33806074348246, 325.7925129965739, 1536.729586084437, 3199.8582195085955, 2553.0504064331644,
  474.52854120695537, -22.44095244658582,
];

/** `P(x²)/Q(x²)` of the innermost interval. */
function nearRatio(x: number): number {
  const z = x * x;
  return polynomial(z, NEAR_P) / polynomial(z, NEAR_Q);
}

/** `R(1/x²)/S(1/x²)` for x >= 1.25. */
function tailRatio(x: number): number {
  const s = 1 / (x * x);
  return x < 1 / 0.35
    ? polynomial(s, TAIL_R) / polynomial(s, TAIL_S)
    : polynomial(s, FAR_R) / polynomial(s, FAR_S);
}

/** erfc(x) for x >= 1.25. x² is split where it would lose bits: `z` has 24 bits, so `z * z` is exact. */
function erfcTail(x: number): number {
  if (x >= 28) return 0;
  const z = Math.fround(x);
  return (Math.exp(-z * z - 0.5625) * Math.exp((z - x) * (z + x) + tailRatio(x))) / x;
}

/** The error function, 2/√π ∫₀ˣ exp(−t²) dt. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size < 0.84375) return x + x * nearRatio(x);
  let value: number;
  if (size < 1.25) value = ERX + polynomial(size - 1, MIDDLE_P) / polynomial(size - 1, MIDDLE_Q);
  else if (size < 6) value = 1 - erfcTail(size);
  else value = size >= 6 ? 1 : Number.NaN;
  return x < 0 ? -value : value;
}

/** 1 − erf(x), without cancellation for large x. */
export function erfc(x: number): number {
  const size = Math.abs(x);
  if (size < 0.84375) {
    if (x < 0.25) return 1 - (x + x * nearRatio(x));
    return 0.5 - (x - 0.5 + x * nearRatio(x));
  }
  if (size < 1.25) {
    const ratio = polynomial(size - 1, MIDDLE_P) / polynomial(size - 1, MIDDLE_Q);
    return x < 0 ? 1 + (ERX + ratio) : 1 - ERX - ratio;
  }
  if (x > 0) return erfcTail(x);
  return size >= 6 ? 2 : 2 - erfcTail(size);
}

/** `x · Φ(x)` with the normal distribution's Φ; accurate in the left tail, where `1 + erf` would cancel. */
export function gelu(x: number): number {
  if (x >= 0) return 0.5 * x * (1 + erf(x * Math.SQRT1_2));
  const t = -x * Math.SQRT1_2;
  if (!(t >= 1.25)) return 0.5 * x * erfc(t);
  if (t >= 28) return x * 0;
  // As erfcTail(t), with t² = x²/2 formed from x: the rounding of t would be magnified.
  const z = Math.fround(x);
  return (0.5 * x * Math.exp(-0.5 * z * z - 0.5625) * Math.exp(0.5 * (z - x) * (z + x) + tailRatio(t))) / t;
}

/** The tanh approximation of {@link gelu} (PyTorch `approximate='tanh'`): `x/2 · (1 + tanh u) = x · sigmoid(2u)`. */
export function geluTanh(x: number): number {
  return x * sigmoid(2 * SQRT_2_OVER_PI * (x + 0.044715 * x * x * x));
}

const SQRT_2_OVER_PI = 0.7978845608028654;

/** `1 / (1 + exp(−x))`, with full relative accuracy at both ends. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** `log(sigmoid(x)) = min(x, 0) − log1p(exp(−|x|))`. */
export function logSigmoid(x: number): number {
  return Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)));
}

/** `log(1 + exp(beta·x)) / beta`, and x itself where `beta·x > threshold` (as PyTorch). */
export function softplus(x: number, beta: number, threshold: number): number {
  const z = x * beta;
  return z > threshold ? x : (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))) / beta;
}

/** `x · sigmoid(x)`. */
export function silu(x: number): number {
  return x * sigmoid(x);
}

/** `x · tanh(log(1 + eˣ)) = x·n / (n + 2)` with `n = eˣ(eˣ + 2)`. */
export function mish(x: number): number {
  if (x > 20) return x; // 2 / (n + 2) < 2^-56
  const e = Math.exp(x);
  const n = e * (e + 2);
  return (x * n) / (n + 2);
}

/** −1, 0 or 1; 0 for NaN, as in PyTorch. */
export function sign(x: number): number {
  return x > 0 ? 1 : x < 0 ? -1 : 0;
}

/** Nearest integer, halves to the even one (as IEEE 754 and PyTorch; `Math.round` takes halves up). */
export function roundHalfEven(x: number): number {
  const size = Math.abs(x);
  if (!(size < 2 ** 52) || x === 0) return x;
  // Adding 2^52 leaves no bit for a fraction, so the sum is rounded, half to even.
  const rounded = size + 2 ** 52 - 2 ** 52;
  return x < 0 ? -rounded : rounded;
}

/** IEEE 754 `pow`: 1 to any power, NaN included, is 1, and so is −1 to an infinite power. `Math.pow` says NaN there. */
export function pow(x: number, y: number): number {
  if (x === 1 || (x === -1 && (y === Infinity || y === -Infinity))) return 1;
  return x ** y;
}

/** `√(x² + y²)`, scaled by a power of two where the squares would overflow or underflow. */
export function hypot(x: number, y: number): number {
  const size = Math.max(Math.abs(x), Math.abs(y));
  if (Math.abs(x) === Infinity || Math.abs(y) === Infinity) return Infinity;
  const scale = size > 2 ** 500 ? 2 ** -600 : size < 2 ** -400 ? 2 ** 600 : 1;
  const [a, b] = [x * scale, y * scale];
  return Math.sqrt(a * a + b * b) / scale;
}

/** The remainder with the sign of the divisor (Python's `%`, PyTorch's `remainder`). */
export function remainder(x: number, y: number): number {
  const r = x % y;
  return r !== 0 && r < 0 !== y < 0 ? r + y : r;
}

/** `floor(x / y)`, exact where the quotient's rounding would cross an integer (Python's `//`). */
export function floorDivide(x: number, y: number): number {
  if (y === 0) return x / y;
  const r = x % y;
  let quotient = (x - r) / y;
  if (r !== 0 && r < 0 !== y < 0) quotient -= 1;
  if (quotient === 0) return (x / y) * 0; // a zero with the sign of the quotient
  const floored = Math.floor(quotient);
  return quotient - floored > 0.5 ? floored + 1 : floored;
}
