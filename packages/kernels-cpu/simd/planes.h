// Kernels of spatial planes: pooling, and means. A plane of one channel is a unit; the windows of a row of the output are worked on
// together, a register at a time, tap after tap. Maxima: planes-largest.h.

namespace ADJOINT_NAMESPACE {

/** Where one window reads along one axis: `taps` elements from `first` on; a mean counts `counted` of them. */
struct Window {
  Index first, taps, counted;
};

/** The geometry of src/pool-geometry.ts on three axes, with the windows of each axis. */
struct Pooling {
  Index in[3], kernel[3], out[3], stride[3], padding[3], dilation[3];
  const Window* windows[3];
  /** What a mean is divided by; 0 if by the number of elements that it counts. */
  double divisor;
  Index inPlane() const { return in[0] * in[1] * in[2]; }
  Index outPlane() const { return out[0] * out[1] * out[2]; }
};

/** How many of 0, step, 2 · step … lie below `distance`; steps may be as large as an Index. */
INLINE Index stepsWithin(Index distance, Index step) { return distance <= 0 ? 0 : 1 + (distance - 1) / step; }

/** Numbers: input, kernel, output, stride, padding, dilation on three axes; 1 if padding counts; the divisor or 0. */
static bool readPooling(Run& run, const double* n, Pooling& p) {
  Index* const fields[] = {p.in, p.kernel, p.out, p.stride, p.padding, p.dilation};
  for (Index* field : fields)
    for (int axis = 0; axis < 3; axis++) field[axis] = Index(*n++);
  const bool paddingCounts = *n++ != 0;
  p.divisor = *n;
  for (int axis = 0; axis < 3; axis++) {
    Window* windows = take<Window>(run, p.out[axis]);
    if (!windows) return false;
    for (Index o = 0; o < p.out[axis]; o++) {
      const Index start = o * p.stride[axis] - p.padding[axis], dilation = p.dilation[axis];
      const auto below = [&](Index limit) { return smaller(p.kernel[axis], stepsWithin(limit - start, dilation)); };
      const Index skipped = stepsWithin(-start, dilation);
      const Index taps = larger(0, below(p.in[axis]) - skipped);
      windows[o] = {start + skipped * dilation, taps, paddingCounts ? below(p.in[axis] + p.padding[axis]) : taps};
    }
    p.windows[axis] = windows;
  }
  return true;
}

/** Windows of one row of the output that are worked on together. */
enum { POOL_BLOCK = 64 };

/** Windows [begin, end) of a block read, at one tap, the elements `from`, `from + stride` … of the plane. */
struct TapRun {
  Index begin, end, from;
};

/** Calls `body(tap)` for each tap of `count` windows from (i, j, k0) on, row-major; windows that have it outside are not in its run. */
template <class F> INLINE void eachTap(const Pooling& p, Index i, Index j, Index k0, Index count, const F& body) {
  const Window d = p.windows[0][i], h = p.windows[1][j];
  for (Index a = 0; a < d.taps; a++)
    for (Index b = 0; b < h.taps; b++) {
      const Index row = ((d.first + a * p.dilation[0]) * p.in[1] + h.first + b * p.dilation[1]) * p.in[2];
      for (Index c = 0; c < p.kernel[2]; c++) {
        const Index start = k0 * p.stride[2] - p.padding[2] + c * p.dilation[2];
        const Index begin = stepsWithin(-start, p.stride[2]);
        const Index end = smaller(count, stepsWithin(p.in[2] - start, p.stride[2]));
        if (begin < end) body(TapRun{begin, end, row + start + begin * p.stride[2]});
      }
    }
}

/** Calls `body(plane, i, j, k0, count, row-major number of the first window)` for each block of windows of each plane. */
template <class F> static void eachBlock(Run& run, const Pooling& p, Index planes, const F& body) {
  eachUnit(run, planes, p.inPlane(), [&](Index plane) {
    Index o = 0;
    for (Index i = 0; i < p.out[0]; i++)
      for (Index j = 0; j < p.out[1]; j++)
        for (Index k = 0; k < p.out[2]; k += POOL_BLOCK) {
          const Index count = smaller(POOL_BLOCK, p.out[2] - k);
          body(plane, i, j, k, count, o);
          o += count;
        }
  });
}

/** Every `step`th of the elements from `p` on. */
template <class T> INLINE Vec<T> loadEvery(const T* p, Index step) {
  if (step == 1) return load(p);
  if (step == 2) return evens(load(p), load(p + Lanes<T>::N));
  T lanes[Lanes<T>::N];
  for (int lane = 0; lane < Lanes<T>::N; lane++) lanes[lane] = p[lane * step];
  return load(lanes);
}

/** How many elements from the first on are read for `n` windows in whole registers: two of those for one of every second element. */
INLINE long long reachOf(Index n, Index step) { return step == 2 ? 2 * static_cast<long long>(n) : static_cast<long long>(n - 1) * step + 1; }

/**
 * How many windows of a tap's run are worked on in whole registers. If the run ends the block of `count` windows, the last register may
 * reach past it, because rows are often shorter than a register: what is computed there is dropped. Nothing is read past `left` elements.
 */
template <class T> INLINE Index wholeRegisters(TapRun tap, Index count, Index step, Index left) {
  constexpr Index W = Lanes<T>::N;
  const Index n = tap.end - tap.begin;
  Index whole = tap.end == count ? roundUp(n, W) : n / W * W;
  while (whole > 0 && reachOf(whole, step) > left) whole -= W;
  return whole;
}

/** What the means of a block are divided by. */
template <class T> INLINE void divisorsOf(const Pooling& p, Index i, Index j, Index k, Index count, T* divisors) {
  const Index rest = p.windows[0][i].counted * p.windows[1][j].counted;
  for (Index q = 0; q < count; q++) divisors[q] = T(p.divisor > 0 ? p.divisor : double(rest * p.windows[2][k + q].counted));
}

/** Arrays: x, y. */
template <class T> static Status avgPoolPlanes(Run& run, const Units& u) {
  constexpr Index W = Lanes<T>::N;
  Pooling p;
  if (!readPooling(run, u.numbers, p)) return OUT_OF_MEMORY;
  const T* const x = u.array<const T>(0);
  T* const y = u.array<T>(1);
  const Index step = p.stride[2];
  eachBlock(run, p, u.count, [&](Index plane, Index i, Index j, Index k, Index count, Index o) {
    const T* from = x + plane * p.inPlane();
    T sums[POOL_BLOCK + W] = {}, divisors[POOL_BLOCK];
    eachTap(p, i, j, k, count, [&](TapRun tap) {
      const T* at = from + tap.from;
      const Index n = tap.end - tap.begin, left = (u.count - plane) * p.inPlane() - tap.from;
      const Index whole = wholeRegisters<T>(tap, count, step, left);
      T* sum = sums + tap.begin;
      Index q = 0;
      for (; q < whole; q += W) store(sum + q, load(sum + q) + loadEvery(at + q * step, step));
      for (; q < n; q++) sum[q] += at[q * step];
    });
    divisorsOf(p, i, j, k, count, divisors);
    T* to = y + plane * p.outPlane() + o;
    for (Index q = 0; q < count; q++) to[q] = sums[q] / divisors[q];
  });
  return DONE;
}

/** Arrays: y, x. */
template <class T> static Status avgPoolPlanesGrad(Run& run, const Units& u) {
  Pooling p;
  if (!readPooling(run, u.numbers, p)) return OUT_OF_MEMORY;
  const T* const y = u.array<const T>(0);
  T* const x = u.array<T>(1);
  const Index step = p.stride[2];
  // The blocks of a plane follow each other on one thread, the first of them first.
  eachBlock(run, p, u.count, [&](Index plane, Index i, Index j, Index k, Index count, Index o) {
    T* to = x + plane * p.inPlane();
    if (o == 0) zero(to, p.inPlane());
    const T* from = y + plane * p.outPlane() + o;
    T shares[POOL_BLOCK];
    divisorsOf(p, i, j, k, count, shares);
    for (Index q = 0; q < count; q++) shares[q] = from[q] / shares[q];
    eachTap(p, i, j, k, count, [&](TapRun tap) {
      const T* share = shares + tap.begin;
      T* at = to + tap.from;
      const Index n = tap.end - tap.begin;
      for (Index q = 0; q < n; q++) at[q * step] += share[q];
    });
  });
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
