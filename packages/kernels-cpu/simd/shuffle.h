// Elements of two registers in another order: every other one, and one of each by turns.

namespace ADJOINT_NAMESPACE {

// Places by the number of elements in a register; those of the second register follow those of the first.
#define EVENS_2 0, 2
#define EVENS_4 0, 2, 4, 6
#define EVENS_8 0, 2, 4, 6, 8, 10, 12, 14
#define EVENS_16 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODDS_2 1, 3
#define ODDS_4 1, 3, 5, 7
#define ODDS_8 1, 3, 5, 7, 9, 11, 13, 15
#define ODDS_16 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
// Of two registers that overlap by one element.
#define JOINED_2 0, 3
#define JOINED_4 0, 2, 5, 7
#define JOINED_8 0, 2, 4, 6, 9, 11, 13, 15
#define JOINED_16 0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31
#define LOW_2 0, 2
#define LOW_4 0, 4, 1, 5
#define LOW_8 0, 8, 1, 9, 2, 10, 3, 11
#define LOW_16 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH_2 1, 3
#define HIGH_4 2, 6, 3, 7
#define HIGH_8 4, 12, 5, 13, 6, 14, 7, 15
#define HIGH_16 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31

#if ADJOINT_VECTOR_BYTES == 64
#define OF_FLOATS(places) places##_16
#define OF_DOUBLES(places) places##_8
#elif ADJOINT_VECTOR_BYTES == 32
#define OF_FLOATS(places) places##_8
#define OF_DOUBLES(places) places##_4
#else
#define OF_FLOATS(places) places##_4
#define OF_DOUBLES(places) places##_2
#endif
#define SHUFFLE(name, places)                                                                                                     \
  INLINE Vec<float> name(Vec<float> a, Vec<float> b) { return __builtin_shufflevector(a, b, OF_FLOATS(places)); }                 \
  INLINE Vec<double> name(Vec<double> a, Vec<double> b) { return __builtin_shufflevector(a, b, OF_DOUBLES(places)); }

/** Every other element, from the first or the second on. */
SHUFFLE(evens, EVENS)
SHUFFLE(odds, ODDS)
SHUFFLE(evensJoined, JOINED)
/** a0, b0, a1, b1 … of the lower halves, and of the upper ones. */
SHUFFLE(lowInterleaved, LOW)
SHUFFLE(highInterleaved, HIGH)

/** Every other element from `p` on; of those between nothing is read past the last. */
template <class T> INLINE Vec<T> loadEvens(const T* p) { return evensJoined(load(p), load(p + Lanes<T>::N - 1)); }

/** to[2i] = a[i] and to[2i + 1] = b[i]. */
template <class T> INLINE void storeInterleaved(T* to, Vec<T> a, Vec<T> b) {
  store(to, lowInterleaved(a, b));
  store(to + Lanes<T>::N, highInterleaved(a, b));
}

}  // namespace ADJOINT_NAMESPACE
