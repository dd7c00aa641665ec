// Elements of any type, to numbers that are computed with and back. What is stored is what a JavaScript assignment to the typed array
// stores: whole numbers wrap around, NaN is 0 there; 16-bit floats are rounded once to nearest even, as in src/reference/half.ts.

namespace ADJOINT_NAMESPACE {

template <class T> constexpr int typeOf();
template <> constexpr int typeOf<float>() { return FLOAT32; }
template <> constexpr int typeOf<double>() { return FLOAT64; }

/** Vectors of A with as many lanes as there are numbers of T in a register. */
template <class T, class A> struct Beside {
  typedef A V __attribute__((vector_size(sizeof(A) * Lanes<T>::N)));
  typedef A Unaligned __attribute__((vector_size(sizeof(A) * Lanes<T>::N), aligned(sizeof(A)), may_alias));
};
template <class T, class A> INLINE typename Beside<T, A>::V loadBeside(const A* p) { return *reinterpret_cast<const typename Beside<T, A>::Unaligned*>(p); }
template <class T, class A> INLINE void storeBeside(A* p, typename Beside<T, A>::V v) { *reinterpret_cast<typename Beside<T, A>::Unaligned*>(p) = v; }

template <class T> INLINE Bits<T> chooseBits(Bits<T> mask, Bits<T> a, Bits<T> b) { return (mask & a) | (~mask & b); }

typedef unsigned short Half;
typedef unsigned char Byte;

/** The formats of 16 bits: bits of the fraction, bias of the exponent, the bits of infinity. */
struct Float16 {
  enum { FRACTION = 10, BIAS = 15, INFINITE = 0x7c00 };
};
struct Bfloat16 {
  enum { FRACTION = 7, BIAS = 127, INFINITE = 0x7f80 };
};

/** Exact. The bits are moved to where a float32 has them; multiplying by a power of two then puts exponents right, subnormals too. */
template <class T, class F> INLINE Vec<T> decodeHalves(typename Beside<T, Half>::V halves) {
  typedef typename Beside<T, int>::V Words;
  typedef typename Beside<T, float>::V Singles;
  const Words bits = __builtin_convertvector(halves, Words), size = bits & 0x7fff;
  const Words moved = size << (23 - F::FRACTION);
  const Singles scale = (Singles)(Words{} + ((127 + 127 - F::BIAS) << 23));
  // Of bfloat16 nothing is to be multiplied, and its subnormals must not go through a unit that might drop them.
  const Words value = int(F::BIAS) == 127 ? moved : (Words)((Singles)moved * scale);
  const Words infinite = (Words{} + 0x7f800000) | (moved & 0x7fffff);
  const Words isInfinite = size >= int(F::INFINITE);
  const Words chosen = ((isInfinite & infinite) | (~isInfinite & value)) | (bits & 0x8000) << 16;
  return __builtin_convertvector((Singles)chosen, Vec<T>);
}

/** Rounded once to nearest even; NaN is the one quiet NaN of the format, without a sign. */
template <class T, class F> INLINE typename Beside<T, Half>::V encodeHalves(Vec<T> x) {
  typedef Format<T> Own;
  const Bits<T> sign = ((Bits<T>)x >> (sizeof(T) * 8 - 16)) & 0x8000, infinity = Bits<T>{} + int(F::INFINITE);
  const Vec<T> size = magnitude<T>(x);
  Bits<T> number;
  if (sizeof(T) == 4 && int(F::BIAS) == 127) {
    // The upper half of the bits; adding half a unit, less one where the last bit is even, rounds them.
    const Bits<T> bits = (Bits<T>)size;
    number = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  } else {
    // As the reference: |x| in units of the last place that the result will have, rounded to a whole number, and counted from the
    // smallest. A normal number's hidden bit carries into the exponent, and so does rounding up to the next power of two.
    const Bits<T> smallest = Bits<T>{} + (1 - F::BIAS + Own::BIAS), top = Bits<T>{} + (F::BIAS + 1 + Own::BIAS);
    const Bits<T> own = (Bits<T>)size >> Own::MANTISSA, exponent = chooseBits<T>(own > smallest, own, smallest);
    // An exponent too large for the format is cut off first, which leaves infinity.
    const Bits<T> cut = chooseBits<T>(exponent < top, exponent, top);
    // Here both powers of two are normal numbers.
    const Vec<T> unit = size * powerOfTwo<T>((Bits<T>{} + int(F::FRACTION)) + Own::BIAS - cut);
    const Vec<T> shifted = unit + splat(Own::magic);
    const Bits<T> counted = ((cut - Own::BIAS + (F::BIAS - 1)) << int(F::FRACTION)) + ((Bits<T>)shifted - (Bits<T>)splat(Own::magic));
    number = chooseBits<T>((exponent >= top) | (counted > infinity), infinity, counted);
  }
  const Bits<T> bits = chooseBits<T>(x != x, infinity | (1 << (F::FRACTION - 1)), number | sign);
  return __builtin_convertvector(bits, typename Beside<T, Half>::V);
}

/** What an assignment to an Int32Array keeps: the whole part modulo 2^32; 0 of NaN and infinity. */
INLINE Beside<double, int>::V wrapToInt(Vec<double> x) {
  typedef Vec<double> V;
  const V size = magnitude<double>(x), whole = withSign<double>(floorOf<double>(size), signOf<double>(x));
  const V turn = splat(4294967296.0);
  V rest = whole - floorOf<double>(whole / turn) * turn;
  rest = choose<double>(rest >= splat(2147483648.0), rest - turn, rest);
  return __builtin_convertvector(choose<double>(x - x == V{}, rest, V{}), Beside<double, int>::V);
}

/** Calls `body(number of elements, index)` for registers of T and then for what is left: the same code in one lane. */
template <class T, class A, class F> INLINE void convertIn(const A* from, Index step, Index n, T* to, const F& convert) {
  constexpr Index W = Lanes<T>::N;
  Index i = 0;
  if (step == 1)
    for (; i + W <= n; i += W) store(to + i, convert(loadBeside<T, A>(from + i)));
  for (; i < n; i += W) {
    const Index count = smaller(W, n - i);
    typename Beside<T, A>::V lanes = {};
    for (Index k = 0; k < count; k++) lanes[k] = from[(i + k) * step];
    const Vec<T> numbers = convert(lanes);
    for (Index k = 0; k < count; k++) to[i + k] = numbers[k];
  }
}
template <class T, class A, class F> INLINE void convertOut(const T* from, Index n, A* to, const F& convert) {
  constexpr Index W = Lanes<T>::N;
  Index i = 0;
  for (; i + W <= n; i += W) storeBeside<T, A>(to + i, convert(load(from + i)));
  if (i == n) return;
  Vec<T> lanes = {};
  for (Index k = 0; k < n - i; k++) lanes[k] = from[i + k];
  const typename Beside<T, A>::V numbers = convert(lanes);
  for (Index k = 0; k < n - i; k++) to[i + k] = numbers[k];
}

template <class T, class A> static void bringOther(const void* array, Index first, Index step, Index n, T* buffer) {
  const A* from = static_cast<const A*>(array) + first;
  if (step == 0) {
    const T value = T(*from);
    for (Index i = 0; i < n; i++) buffer[i] = value;
    return;
  }
  convertIn<T, A>(from, step, n, buffer, [](typename Beside<T, A>::V v) { return __builtin_convertvector(v, Vec<T>); });
}

/** n elements of an operand from `first`, `step` apart, as numbers side by side: in place if that is what they are, else in `buffer`. */
template <class T> __attribute__((noinline)) static const T* bring(int type, const void* array, Index first, Index step, Index n, T* buffer) {
  if (type == typeOf<T>()) {
    const T* from = static_cast<const T*>(array) + first;
    if (step == 1) return from;
    if (step == 0) {
      const T only = *from;
      Vec<T> value = {};
      for (int k = 0; k < Lanes<T>::N; k++) value[k] = only;
      Index i = 0;
      for (; i + Lanes<T>::N <= n; i += Lanes<T>::N) store(buffer + i, value);
      for (; i < n; i++) buffer[i] = only;
    } else {
      for (Index i = 0; i < n; i++) buffer[i] = from[i * step];
    }
    return buffer;
  }
  if (type == FLOAT16) {
    convertIn<T, Half>(static_cast<const Half*>(array) + first, step, n, buffer, [](typename Beside<T, Half>::V v) { return decodeHalves<T, Float16>(v); });
  } else if (type == BFLOAT16) {
    convertIn<T, Half>(static_cast<const Half*>(array) + first, step, n, buffer, [](typename Beside<T, Half>::V v) { return decodeHalves<T, Bfloat16>(v); });
  } else if (type == UINT8) {
    bringOther<T, Byte>(array, first, step, n, buffer);
  } else if (sizeof(T) == 8) {
    if (type == FLOAT32) bringOther<T, float>(array, first, step, n, buffer);
    else if (type == INT32) bringOther<T, int>(array, first, step, n, buffer);
    else bringOther<T, Half>(array, first, step, n, buffer);
  }
  return buffer;
}

/** Stores n numbers from `first` on. */
template <class T> __attribute__((noinline)) static void put(int type, void* array, Index first, Index n, const T* from) {
  if (type == FLOAT16) return convertOut<T, Half>(from, n, static_cast<Half*>(array) + first, [](Vec<T> v) { return encodeHalves<T, Float16>(v); });
  if (type == BFLOAT16) return convertOut<T, Half>(from, n, static_cast<Half*>(array) + first, [](Vec<T> v) { return encodeHalves<T, Bfloat16>(v); });
  // Numbers of 8 bits that were computed in float32 are 0 or 1.
  if constexpr (sizeof(T) == 4) {
    convertOut<T, Byte>(from, n, static_cast<Byte*>(array) + first, [](Vec<T> v) { return __builtin_convertvector(__builtin_convertvector(v, Bits<T>), typename Beside<T, Byte>::V); });
  } else if (type == FLOAT32) {
    convertOut<T, float>(from, n, static_cast<float*>(array) + first, [](Vec<T> v) { return __builtin_convertvector(v, typename Beside<T, float>::V); });
  } else if (type == INT32) {
    convertOut<T, int>(from, n, static_cast<int*>(array) + first, [](Vec<T> v) { return wrapToInt(v); });
  } else if (type == UINT8) {
    convertOut<T, Byte>(from, n, static_cast<Byte*>(array) + first, [](Vec<T> v) { return __builtin_convertvector(wrapToInt(v), typename Beside<T, Byte>::V); });
  } else {
    convertOut<T, Half>(from, n, static_cast<Half*>(array) + first, [](Vec<T> v) { return __builtin_convertvector(wrapToInt(v), typename Beside<T, Half>::V); });
  }
}

}  // namespace ADJOINT_NAMESPACE
