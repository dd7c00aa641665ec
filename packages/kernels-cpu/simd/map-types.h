// Elements of any type, to numbers that are computed with and back. What is stored is what a JavaScript assignment to the typed array
// stores: whole numbers wrap around, NaN is 0 there; 16-bit floats are rounded once to nearest even, as in src/reference/half.ts.

namespace ADJOINT_NAMESPACE {

template <class T> constexpr int typeOf();
template <> constexpr int typeOf<float>() { return FLOAT32; }
template <> constexpr int typeOf<double>() { return FLOAT64; }
template <> constexpr int typeOf<int>() { return INT32; }
template <> constexpr int typeOf<unsigned char>() { return UINT8; }

INLINE int bytesOf(int type) { return type == FLOAT64 ? 8 : type == FLOAT32 || type == INT32 ? 4 : type == UINT8 ? 1 : 2; }

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

/** What an assignment to an Int32Array keeps: the whole part modulo 2^32; 0 of NaN and infinity. No step rounds. */
template <VALUES> INLINE typename Beside<T, int>::V wrapToInt(Vec<T> x) {
  const Vec<T> turn = splat(T(4294967296.0)), half = splat(T(2147483648.0));
  const Vec<T> whole = floorOf<T>(magnitude<T>(x)), rest = whole - floorOf<T>(whole / turn) * turn;
  Vec<T> value = withSign<T>(rest, signOf<T>(x));
  value = choose<T>(value >= half, value - turn, choose<T>(value < -half, value + turn, value));
  return __builtin_convertvector(choose<T>(x - x == Vec<T>{}, value, Vec<T>{}), typename Beside<T, int>::V);
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

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
/** GCC would take bytes that it knows to come from memory one by one. */
template <class V> INLINE V inRegister(V v) {
  if constexpr (sizeof(V) >= 8) asm("" : "+v"(v));
  return v;
}
#else
template <class V> INLINE V inRegister(V v) { return v; }
#endif

/** Whole numbers as floating-point ones; those of fewer bits by way of int, which compilers know instructions for. */
template <class T, class A> INLINE Vec<T> fromWhole(typename Beside<T, A>::V v) {
  return __builtin_convertvector(__builtin_convertvector(inRegister(v), typename Beside<T, int>::V), Vec<T>);
}
/** The lowest bits of whole numbers. */
template <class T, class A> INLINE typename Beside<T, A>::V lowBits(typename Beside<T, int>::V v) { return __builtin_convertvector(v, typename Beside<T, A>::V); }

/** Elements that are of type T already: in place if they lie side by side. */
template <class T> INLINE const T* bringOwn(const T* from, Index step, Index n, T* buffer) {
  if (step == 1) return from;
  if (step == 0) {
    const T only = *from;
    const Vec<T> value = splat(only);
    Index i = 0;
    for (; i + Lanes<T>::N <= n; i += Lanes<T>::N) store(buffer + i, value);
    for (; i < n; i++) buffer[i] = only;
  } else {
    for (Index i = 0; i < n; i++) buffer[i] = from[i * step];
  }
  return buffer;
}

template <class T, class A, class F> INLINE const T* bringOther(const void* array, Index first, Index step, Index n, T* buffer, const F& convert) {
  convertIn<T, A>(static_cast<const A*>(array) + first, step, n, buffer, convert);
  return buffer;
}

/** n elements of an operand from `first`, `step` apart, as numbers side by side: in place if that is what they are, else in `buffer`. */
template <class T> __attribute__((noinline)) static const T* bring(int type, const void* array, Index first, Index step, Index n, T* buffer) {
  if (type == typeOf<T>()) return bringOwn<T>(static_cast<const T*>(array) + first, step, n, buffer);
  switch (type) {
    case FLOAT16: return bringOther<T, Half>(array, first, step, n, buffer, [](typename Beside<T, Half>::V v) { return decodeHalves<T, Float16>(v); });
    case BFLOAT16: return bringOther<T, Half>(array, first, step, n, buffer, [](typename Beside<T, Half>::V v) { return decodeHalves<T, Bfloat16>(v); });
    case UINT8: return bringOther<T, Byte>(array, first, step, n, buffer, fromWhole<T, Byte>);
    case UINT16: return bringOther<T, Half>(array, first, step, n, buffer, fromWhole<T, Half>);
    case INT32: return bringOther<T, int>(array, first, step, n, buffer, fromWhole<T, int>);
    default: return bringOther<T, float>(array, first, step, n, buffer, [](typename Beside<T, float>::V v) { return __builtin_convertvector(v, Vec<T>); });
  }
}
template <> const int* bring<int>(int type, const void* array, Index first, Index step, Index n, int* buffer) {
  if (type == INT32) return bringOwn<int>(static_cast<const int*>(array) + first, step, n, buffer);
  return bringOther<int, Byte>(array, first, step, n, buffer, [](typename Beside<int, Byte>::V v) { return __builtin_convertvector(inRegister(v), Vec<int>); });
}
template <> const Byte* bring<Byte>(int, const void* array, Index first, Index step, Index n, Byte* buffer) {
  return bringOwn<Byte>(static_cast<const Byte*>(array) + first, step, n, buffer);
}

/** Whether all numbers are within the bounds of int, so that to convert one is one instruction. */
template <class T> INLINE bool areInts(const T* from, Index n) {
  constexpr Index W = Lanes<T>::N;
  const Vec<T> bound = splat(T(2147483648.0));
  Bits<T> inside = ~Bits<T>{};
  Index i = 0;
  for (; i + W <= n; i += W) inside &= magnitude<T>(load(from + i)) < bound;
  if (i < n) inside &= magnitude<T>(loadPart(from + i, n - i)) < bound;
  bool all = true;
  for (Index k = 0; k < W; k++) all &= inside[k] != 0;
  return all;
}

/** Stores numbers as the type A of whole numbers holds them. */
template <class T, class A> INLINE void putWhole(void* array, Index first, Index n, const T* from) {
  constexpr Index BLOCK = 1024;
  A* const to = static_cast<A*>(array) + first;
  for (Index i = 0; i < n; i += BLOCK) {
    const Index count = smaller(BLOCK, n - i);
    if (areInts(from + i, count))
      convertOut<T, A>(from + i, count, to + i, [](Vec<T> v) { return lowBits<T, A>(__builtin_convertvector(v, typename Beside<T, int>::V)); });
    else
      convertOut<T, A>(from + i, count, to + i, [](Vec<T> v) { return lowBits<T, A>(wrapToInt<T>(v)); });
  }
}

/** Stores n numbers from `first` on. */
template <class T> __attribute__((noinline)) static void put(int type, void* array, Index first, Index n, const T* from) {
  switch (type) {
    case FLOAT16: return convertOut<T, Half>(from, n, static_cast<Half*>(array) + first, [](Vec<T> v) { return encodeHalves<T, Float16>(v); });
    case BFLOAT16: return convertOut<T, Half>(from, n, static_cast<Half*>(array) + first, [](Vec<T> v) { return encodeHalves<T, Bfloat16>(v); });
    case UINT8: return putWhole<T, Byte>(array, first, n, from);
    case UINT16: return putWhole<T, Half>(array, first, n, from);
    case INT32: return putWhole<T, int>(array, first, n, from);
    default: return convertOut<T, float>(from, n, static_cast<float*>(array) + first, [](Vec<T> v) { return __builtin_convertvector(v, typename Beside<T, float>::V); });
  }
}
template <> void put<int>(int, void* array, Index first, Index n, const int* from) {
  convertOut<int, Byte>(from, n, static_cast<Byte*>(array) + first, lowBits<int, Byte>);
}
template <> void put<Byte>(int, void*, Index, Index, const Byte*) {}

}  // namespace ADJOINT_NAMESPACE
