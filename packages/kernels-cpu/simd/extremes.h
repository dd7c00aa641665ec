// The place of the largest or the smallest element of lines, of which a unit holds `inner`, of `n` elements, side by side.

namespace ADJOINT_NAMESPACE {

/** Elements of a piece of a line that is looked through by one task. */
enum { SEARCH_PIECE = 1 << 15 };

/** An element and its place. */
template <class T> struct Found {
  T value;
  Index place;
};

/** Whether x is to be taken rather than the best so far, which is no NaN: the op's order picks it, or it is one. */
template <class T, bool LARGEST> INLINE bool overtakes(T x, T best) { return (LARGEST ? x > best : x < best) || x != x; }

/** The better of two; of equals, and of two NaN, the first. */
template <class T, bool LARGEST> INLINE Found<T> betterOf(const Found<T>& a, const Found<T>& b) {
  const bool aIsNaN = a.value != a.value, bIsNaN = b.value != b.value;
  if (aIsNaN != bIsNaN) return aIsNaN ? a : b;
  if (!aIsNaN && a.value != b.value) return overtakes<T, LARGEST>(b.value, a.value) ? b : a;
  return a.place <= b.place ? a : b;
}

template <class T, bool LARGEST> static Found<T> extremeOf(const T* x, Index n) {
  constexpr Index W = Lanes<T>::N;
  Found<T> found = {x[0], 0};
  Index i = 0;
  if (n >= W) {
    Vec<T> best = load(x);
    Bits<T> place, here;
    for (int lane = 0; lane < W; lane++) place[lane] = lane;
    here = place;
    for (i = W; i + W <= n; i += W) {
      here += LaneInt<T>(W);
      const Vec<T> v = load(x + i);
      const Bits<T> wins = ((LARGEST ? Bits<T>(v > best) : Bits<T>(v < best)) | Bits<T>(v != v)) & Bits<T>(best == best);
      best = choose<T>(wins, v, best);
      place = (wins & here) | (~wins & place);
    }
    found = {best[0], Index(place[0])};
    for (int lane = 1; lane < W; lane++) found = betterOf<T, LARGEST>(found, {best[lane], Index(place[lane])});
  }
  for (; i < n; i++) found = betterOf<T, LARGEST>(found, {x[i], i});
  return found;
}

template <class T, bool LARGEST> static Status extremePlaces(Run& run, const Units& u) {
  constexpr Index W = Lanes<T>::N;
  const Index n = Index(u.numbers[0]), inner = Index(u.numbers[1]);
  const T* const a = u.array<const T>(0);
  int* const out = u.array<int>(1);
  if (inner == 1) {
    const Index pieces = ceilDivide(n, SEARCH_PIECE);
    Found<T>* const found = take<Found<T>>(run, u.count * pieces);
    if (!found) return OUT_OF_MEMORY;
    eachUnit(run, u.count * pieces, smaller(n, SEARCH_PIECE), [&](Index unit) {
      const Index first = unit % pieces * SEARCH_PIECE;
      found[unit] = extremeOf<T, LARGEST>(a + unit / pieces * n + first, smaller(SEARCH_PIECE, n - first));
      found[unit].place += first;
    });
    for (Index line = 0; line < u.count; line++) {
      Found<T> best = found[line * pieces];
      for (Index piece = 1; piece < pieces; piece++) best = betterOf<T, LARGEST>(best, found[line * pieces + piece]);
      out[line] = int(best.place);
    }
    return DONE;
  }
  eachScanColumns(run, u.count, n, inner, [&](Index unit, Index first, Index count) {
    T best[SCAN_COLUMNS];
    LaneInt<T> place[SCAN_COLUMNS];
    const T* x = a + unit * n * inner + first;
    for (Index j = 0; j < count; j++) {
      best[j] = x[j];
      place[j] = 0;
    }
    for (Index i = 1; i < n; i++) {
      x += inner;
      Index j = 0;
      for (; j + W <= count; j += W) {
        const Vec<T> v = load(x + j), b = load(best + j);
        const Bits<T> wins = ((LARGEST ? Bits<T>(v > b) : Bits<T>(v < b)) | Bits<T>(v != v)) & Bits<T>(b == b);
        store(best + j, choose<T>(wins, v, b));
        storeInts<T>(place + j, (wins & LaneInt<T>(i)) | (~wins & loadInts<T>(place + j)));
      }
      for (; j < count; j++) {
        if (best[j] != best[j] || !overtakes<T, LARGEST>(x[j], best[j])) continue;
        best[j] = x[j];
        place[j] = LaneInt<T>(i);
      }
    }
    for (Index j = 0; j < count; j++) out[unit * inner + first + j] = int(place[j]);
  });
  return DONE;
}

/** Arrays: a, out: places on the line. Numbers: n, inner. The first of equals, or of NaN. */
template <class T> static Status placeOfLargest(Run& run, const Units& u) { return extremePlaces<T, true>(run, u); }
template <class T> static Status placeOfSmallest(Run& run, const Units& u) { return extremePlaces<T, false>(run, u); }

}  // namespace ADJOINT_NAMESPACE
