// Whether any or all elements of lines are true: of lines of which a unit holds `inner`, of `n` elements, side by side.

namespace ADJOINT_NAMESPACE {

/** Registers of E, and what a comparison of them gives. */
template <class E> struct Truth {
  enum { N = BYTES / sizeof(E) };
  typedef E V __attribute__((vector_size(BYTES)));
  typedef decltype(V{} != V{}) Mask;
};

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
    const Index pieces = ceilDivide(n, SEARCH_PIECE);
    Byte* const found = take<Byte>(run, u.count * pieces);
    if (!found) return OUT_OF_MEMORY;
    eachUnit(run, u.count * pieces, smaller(n, SEARCH_PIECE) / 4, [&](Index unit) {
      const Index first = unit % pieces * SEARCH_PIECE;
      found[unit] = someAre<E, WANTED>(a + unit / pieces * n + first, smaller(SEARCH_PIECE, n - first));
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
