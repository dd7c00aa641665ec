// Kernels along lines, of which a unit holds `inner`, of `n` elements, side by side: running sums and products, the place of the largest or smallest
// element, and whether any or all of the elements are true.

namespace ADJOINT_NAMESPACE {

/** Columns that are worked on together where lines lie side by side. */
enum { SCAN_COLUMNS = 128 };

/** Calls `body(unit, first column, how many)` for each block of the columns of each unit. */
template <class F> static void eachScanColumns(Run& run, Index units, Index n, Index inner, const F& body) {
  const Index blocks = ceilDivide(inner, SCAN_COLUMNS);
  eachUnit(run, units * blocks, n * smaller(inner, SCAN_COLUMNS), [&](Index block) {
    const Index first = block % blocks * SCAN_COLUMNS;
    body(block / blocks, first, smaller(SCAN_COLUMNS, inner - first));
  });
}

// A running sum of float32 is one of doubles; of float64 the rounding errors are summed beside, as in the reference.
template <class T> struct RunningSum {
  Total total = {0, 0};
  inline __attribute__((always_inline)) T next(T x) {
    if (sizeof(T) == 4) return T(total.value += double(x));
    addTo(total, double(x));
    return T(roundTotal(total));
  }
};
template <class T> struct RunningProduct {
  double product = 1;
  inline __attribute__((always_inline)) T next(T x) { return T(product *= double(x)); }
};

/** Elements of a piece of a long line. Its sum alone is fast; so pieces get theirs first, and run from there. */
enum { SCAN_PIECE = 1 << 13, SCAN_ABREAST = 4 };

/** Scans up to SCAN_ABREAST lines step by step together: a step of one waits for the step before. */
template <class T, class S> static void scanAbreast(S* states, Index count, const T* const* from, T* const* to, Index n) {
  if (count == SCAN_ABREAST) {
    S a = states[0], b = states[1], c = states[2], d = states[3];
    for (Index i = 0; i < n; i++) {
      to[0][i] = a.next(from[0][i]);
      to[1][i] = b.next(from[1][i]);
      to[2][i] = c.next(from[2][i]);
      to[3][i] = d.next(from[3][i]);
    }
    return;
  }
  for (Index l = 0; l < count; l++) {
    S state = states[l];
    for (Index i = 0; i < n; i++) to[l][i] = state.next(from[l][i]);
  }
}

/** Lines of `n` elements one after the other. */
template <class T, class S> static void scanLines(Run& run, Index lines, Index n, const T* a, T* out) {
  eachUnit(run, ceilDivide(lines, SCAN_ABREAST), n * SCAN_ABREAST, [&](Index group) {
    S states[SCAN_ABREAST];
    const T* from[SCAN_ABREAST];
    T* to[SCAN_ABREAST];
    const Index count = smaller(SCAN_ABREAST, lines - group * SCAN_ABREAST);
    for (Index l = 0; l < count; l++) {
      from[l] = a + (group * SCAN_ABREAST + l) * n;
      to[l] = out + (group * SCAN_ABREAST + l) * n;
    }
    scanAbreast<T, S>(states, count, from, to, n);
  });
}

/** Running sums of lines of float32 that are long: pieces of a line, four of them together. Doubles hold the sum of any. */
static Status scanPieces(Run& run, Index lines, Index n, const float* a, float* out) {
  const Index pieces = ceilDivide(n, SCAN_PIECE);
  double* const sums = take<double>(run, lines * pieces);
  if (!sums) return OUT_OF_MEMORY;
  const auto sizeAt = [&](Index piece) { return smaller(SCAN_PIECE, n - piece * SCAN_PIECE); };
  eachUnit(run, lines * pieces, SCAN_PIECE, [&](Index unit) {
    typedef SumOp<ELEMENT> Sum;
    Total sum = Sum::initial();
    Sum::addRows<float>(sum, a + unit / pieces * n + unit % pieces * SCAN_PIECE, 1, 0, sizeAt(unit % pieces));
    sums[unit] = Sum::result<double>(sum);
  });
  for (Index line = 0; line < lines; line++) {
    double before = 0;
    for (Index piece = 0; piece < pieces; piece++) {
      const double sum = sums[line * pieces + piece];
      sums[line * pieces + piece] = before;
      before += sum;
    }
  }
  const Index groups = ceilDivide(pieces, SCAN_ABREAST);
  eachUnit(run, lines * groups, SCAN_PIECE * SCAN_ABREAST, [&](Index unit) {
    const Index line = unit / groups, first = unit % groups * SCAN_ABREAST, count = smaller(SCAN_ABREAST, pieces - first);
    RunningSum<float> states[SCAN_ABREAST];
    const float* from[SCAN_ABREAST];
    float* to[SCAN_ABREAST];
    Index least = SCAN_PIECE;
    for (Index l = 0; l < count; l++) {
      states[l].total.value = sums[line * pieces + first + l];
      from[l] = a + line * n + (first + l) * SCAN_PIECE;
      to[l] = out + line * n + (first + l) * SCAN_PIECE;
      least = smaller(least, sizeAt(first + l));
    }
    if (least == SCAN_PIECE) return scanAbreast<float, RunningSum<float>>(states, count, from, to, SCAN_PIECE);
    for (Index l = 0; l < count; l++) scanAbreast<float, RunningSum<float>>(states + l, 1, from + l, to + l, sizeAt(first + l));
  });
  return DONE;
}

template <class T, class S> static Status scanWith(Run& run, const Units& u) {
  const Index n = Index(u.numbers[0]), inner = Index(u.numbers[1]);
  const T* const a = u.array<const T>(0);
  T* const out = u.array<T>(1);
  if (inner == 1) {
    scanLines<T, S>(run, u.count, n, a, out);
    return DONE;
  }
  eachScanColumns(run, u.count, n, inner, [&](Index unit, Index first, Index count) {
    S states[SCAN_COLUMNS];
    for (Index i = 0, at = unit * n * inner + first; i < n; i++, at += inner)
      for (Index j = 0; j < count; j++) out[at + j] = states[j].next(a[at + j]);
  });
  return DONE;
}

/** Arrays: a, out. Numbers: n, inner. */
template <class T> static Status cumulativeSum(Run& run, const Units& u) {
  const Index n = Index(u.numbers[0]), inner = Index(u.numbers[1]);
  if constexpr (sizeof(T) == 4)
    if (inner == 1 && n >= SCAN_ABREAST * SCAN_PIECE) return scanPieces(run, u.count, n, u.array<const T>(0), u.array<T>(1));
  return scanWith<T, RunningSum<T>>(run, u);
}
template <class T> static Status cumulativeProduct(Run& run, const Units& u) { return scanWith<T, RunningProduct<T>>(run, u); }

/** COUNT lines of a recurrence, one after the other in memory: their steps are done together, since each waits for the one before. */
template <class T, int COUNT> static void recurLines(Index n, const T* a, const T* b, T* out) {
  double states[COUNT];
  UNROLL for (int l = 0; l < COUNT; l++) out[l * n] = T(states[l] = double(b[l * n]));
  for (Index i = 1; i < n; i++)
    UNROLL for (int l = 0; l < COUNT; l++) out[l * n + i] = T(states[l] = double(a[l * n + i]) * states[l] + double(b[l * n + i]));
}

/** out[i] = a[i] · out[i − 1] + b[i] along lines, in double precision; a[0] is not read. Arrays: a, b, out. Numbers: n, inner. */
template <class T> static Status recurrence(Run& run, const Units& u) {
  const Index n = Index(u.numbers[0]), inner = Index(u.numbers[1]);
  const T *const a = u.array<const T>(0), *const b = u.array<const T>(1);
  T* const out = u.array<T>(2);
  if (inner == 1) {
    eachUnit(run, ceilDivide(u.count, SCAN_ABREAST), n * SCAN_ABREAST, [&](Index group) {
      const Index line = group * SCAN_ABREAST, at = line * n;
      if (u.count - line >= SCAN_ABREAST) return recurLines<T, SCAN_ABREAST>(n, a + at, b + at, out + at);
      for (Index l = line; l < u.count; l++) recurLines<T, 1>(n, a + l * n, b + l * n, out + l * n);
    });
    return DONE;
  }
  eachScanColumns(run, u.count, n, inner, [&](Index unit, Index first, Index count) {
    double states[SCAN_COLUMNS];
    Index at = unit * n * inner + first;
    for (Index j = 0; j < count; j++) out[at + j] = T(states[j] = double(b[at + j]));
    for (Index i = 1; i < n; i++) {
      at += inner;
      for (Index j = 0; j < count; j++) out[at + j] = T(states[j] = double(a[at + j]) * states[j] + double(b[at + j]));
    }
  });
  return DONE;
}

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

/** Elements of a piece of a line that is looked through by one task. */
enum { EXTREME_PIECE = 1 << 15 };

template <class T, bool LARGEST> static Status extremePlaces(Run& run, const Units& u) {
  constexpr Index W = Lanes<T>::N;
  const Index n = Index(u.numbers[0]), inner = Index(u.numbers[1]);
  const T* const a = u.array<const T>(0);
  int* const out = u.array<int>(1);
  if (inner == 1) {
    const Index pieces = ceilDivide(n, EXTREME_PIECE);
    Found<T>* const found = take<Found<T>>(run, u.count * pieces);
    if (!found) return OUT_OF_MEMORY;
    eachUnit(run, u.count * pieces, smaller(n, EXTREME_PIECE), [&](Index unit) {
      const Index first = unit % pieces * EXTREME_PIECE;
      found[unit] = extremeOf<T, LARGEST>(a + unit / pieces * n + first, smaller(EXTREME_PIECE, n - first));
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

/** Registers of E, and what a comparison of them gives. */
template <class E> struct Truth {
  enum { N = BYTES / sizeof(E) };
  typedef E V __attribute__((vector_size(BYTES)));
  typedef decltype(V{} != V{}) Mask;
};

template <class M> INLINE bool anyLane(M mask) {
  unsigned long long parts[BYTES / 8], all = 0;
  __builtin_memcpy(parts, &mask, sizeof parts);
  for (unsigned long long part : parts) all |= part;
  return all != 0;
}

/** Whether one of the elements is (WANTED) or is not true; NaN is. Looks no further than needed. */
template <class E, bool WANTED> static bool someAre(const E* x, Index n) {
  typedef Truth<E> R;
  Index i = 0;
  while (i + R::N <= n) {
    const Index end = smaller(i + 64 * R::N, n / R::N * R::N);
    typename R::Mask found = {};
    for (; i < end; i += R::N) {
      typename R::V v;
      __builtin_memcpy(&v, x + i, sizeof v);
      found |= WANTED ? v != typename R::V{} : v == typename R::V{};
    }
    if (anyLane(found)) return true;
  }
  for (; i < n; i++)
    if ((x[i] != 0) == WANTED) return true;
  return false;
}

template <class E, bool WANTED> static Status quantify(Run& run, const Units& u) {
  typedef Truth<E> R;
  const Index n = Index(u.numbers[0]), inner = Index(u.numbers[1]);
  const E* const a = u.array<const E>(0);
  Byte* const out = u.array<Byte>(1);
  if (inner == 1) {
    const Index pieces = ceilDivide(n, EXTREME_PIECE);
    Byte* const found = take<Byte>(run, u.count * pieces);
    if (!found) return OUT_OF_MEMORY;
    eachUnit(run, u.count * pieces, smaller(n, EXTREME_PIECE) / 4, [&](Index unit) {
      const Index first = unit % pieces * EXTREME_PIECE;
      found[unit] = someAre<E, WANTED>(a + unit / pieces * n + first, smaller(EXTREME_PIECE, n - first));
    });
    for (Index line = 0; line < u.count; line++) {
      Byte some = 0;
      for (Index piece = 0; piece < pieces; piece++) some |= found[line * pieces + piece];
      out[line] = WANTED ? some : !some;
    }
    return DONE;
  }
  eachScanColumns(run, u.count, n / 4 + 1, inner, [&](Index unit, Index first, Index count) {
    const E* const x = a + unit * n * inner + first;
    Byte* const to = out + unit * inner + first;
    Index j = 0;
    for (; j + R::N <= count; j += R::N) {
      typename R::Mask found = {};
      for (Index i = 0; i < n; i++) {
        typename R::V v;
        __builtin_memcpy(&v, x + i * inner + j, sizeof v);
        found |= WANTED ? v != typename R::V{} : v == typename R::V{};
      }
      for (int lane = 0; lane < R::N; lane++) to[j + lane] = (found[lane] != 0) == WANTED;
    }
    for (; j < count; j++) {
      bool some = false;
      for (Index i = 0; i < n; i++) some |= (x[i * inner + j] != 0) == WANTED;
      to[j] = some == WANTED;
    }
  });
  return DONE;
}

/** Arrays: a, of any type; out, of bytes. Numbers: n, inner, the type of a. */
template <bool WANTED> static Status quantifyAny(Run& run, const Units& u) {
  const int type = int(u.numbers[2]);
  if (type == FLOAT32) return quantify<float, WANTED>(run, u);
  if (type == FLOAT64) return quantify<double, WANTED>(run, u);
  if (type == INT32) return quantify<int, WANTED>(run, u);
  return type == UINT8 ? quantify<Byte, WANTED>(run, u) : NOT_HERE;
}
template <class T> static Status anyTrue(Run& run, const Units& u) { return quantifyAny<true>(run, u); }
template <class T> static Status allTrue(Run& run, const Units& u) { return quantifyAny<false>(run, u); }

}  // namespace ADJOINT_NAMESPACE
