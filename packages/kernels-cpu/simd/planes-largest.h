// Max pooling: the largest element of each window and where it is, and what belongs there. Windows that lie inside their planes are worked
// on row by row, others tap after tap (planes.h).

namespace ADJOINT_NAMESPACE {

/** The largest numbers so far, and where in their plane they are, if somebody asks: of equals the first; NaN wins. */
template <class T, bool PLACES> struct Largest {
  Vec<T> value;
  Bits<T> place;
  inline __attribute__((always_inline)) void meet(Vec<T> other, Bits<T> there) {
    const Bits<T> wins = (other > value) | (other != other);
    value = wins ? other : value;
    if (PLACES) place = wins ? there : place;
  }
};

/** Largest elements of parts of windows: those of `ROW_SPACE` of them, and of a register more. */
enum { ROW_SPACE = 1024 };
template <class T> struct RowSpace {
  T value[ROW_SPACE + Lanes<T>::N];
  LaneInt<T> place[ROW_SPACE + Lanes<T>::N];
};

/**
 * Whether windows are of rows that follow each other, and lie inside them: then the largest elements of each row are found for itself, for all
 * windows that cover it.
 */
static bool hasWholeRows(const Pooling& p) {
  bool whole = p.in[0] == 1 && p.kernel[0] == 1 && p.out[0] == 1 && p.padding[0] == 0 && p.padding[2] == 0 && p.dilation[1] == 1 &&
               p.kernel[1] <= ROW_SPACE / p.out[2] &&
               stepsWithin(p.in[2] - (p.out[2] - 1) * p.stride[2], p.dilation[2]) >= p.kernel[2];
  for (Index j = 0; whole && j < p.out[1]; j++) whole = p.windows[1][j].taps > 0;
  return whole;
}

/**
 * The largest of the elements that each of `n` windows has in one row: those of the first are `from`, and `left` elements from there on can be
 * read. `first` is the place of the first.
 */
template <class T, bool PLACES> static void largestInRows(const Pooling& p, const T* from, Index left, Index first, Index n, T* value, LaneInt<T>* place) {
  constexpr Index W = Lanes<T>::N;
  const Index step = p.stride[2], taps = p.kernel[2], apart = p.dilation[2];
  const long long reach = (taps - 1) * apart + reachOf(W, step);
  Bits<T> ramp;
  for (int lane = 0; lane < W; lane++) ramp[lane] = LaneInt<T>(first + lane * step);
  Index q = 0;
  for (; q < n && q * step + reach <= left; q += W) {
    const T* const at = from + q * step;
    const Bits<T> there = ramp + LaneInt<T>(q * step);
    Largest<T, PLACES> best = {loadEvery(at, step), there};
    for (Index c = 1; c < taps; c++) best.meet(loadEvery(at + c * apart, step), there + LaneInt<T>(c * apart));
    store(value + q, best.value);
    if (PLACES) storeInts<T>(place + q, best.place);
  }
  for (; q < n; q++) {
    value[q] = from[q * step];
    place[q] = LaneInt<T>(first + q * step);
    for (Index c = 1; c < taps; c++) {
      const T other = from[q * step + c * apart];
      if (!(other > value[q] || other != other)) continue;
      value[q] = other;
      place[q] = LaneInt<T>(first + q * step + c * apart);
    }
  }
}

/** One plane of such windows; `left` elements from `x` on can be read. First along rows, then of those what each window covers. */
template <class T, bool PLACES> static void maxPoolRows(const Pooling& p, const T* x, Index left, T* y, int* places) {
  constexpr Index W = Lanes<T>::N;
  const Index width = p.out[2], most = ROW_SPACE / width;
  RowSpace<T> rows, windows;
  const auto placesAt = [&](Index i) { return PLACES ? loadInts<T>(rows.place + i) : Bits<T>{}; };
  for (Index j0 = 0, j1; j0 < p.out[1]; j0 = j1) {
    // As many rows of windows as there is space for, and for what they cover.
    const auto end = [&](Index j) { return p.windows[1][j].first + p.windows[1][j].taps; };
    const Index r0 = p.windows[1][j0].first;
    for (j1 = j0 + 1; j1 < p.out[1] && end(j1) - r0 <= most && j1 - j0 < most;) j1++;
    const Index count = end(j1 - 1) - r0, perRow = p.in[2] == width * p.stride[2] ? count * width : width;
    for (Index q = 0; q < count * width; q += perRow) {
      const Index first = (r0 + q / width) * p.in[2];
      largestInRows<T, PLACES>(p, x + first, left - first, first, perRow, rows.value + q, rows.place + q);
    }
    for (Index j = j0, o = 0; j < j1; j++, o += width) {
      const Window h = p.windows[1][j];
      for (Index k = 0; k < width; k += W) {
        Index at = (h.first - r0) * width + k;
        Largest<T, PLACES> best = {load(rows.value + at), placesAt(at)};
        for (Index b = 1; b < h.taps; b++) {
          at += width;
          best.meet(load(rows.value + at), placesAt(at));
        }
        // What is past the end of a row is written over by the next.
        store(windows.value + o + k, best.value);
        if (PLACES) storeInts<T>(windows.place + o + k, best.place);
      }
    }
    const Index all = (j1 - j0) * width;
    copyRun(y + j0 * width, windows.value, all);
    for (Index o = 0; PLACES && o < all; o++) places[j0 * width + o] = int(windows.place[o]);
  }
}

/** Arrays: x, y, and, if somebody asks, the place of each largest element within its plane. The first of equals; NaN wins. */
template <class T, bool PLACES> static Status maxPoolPlanes(Run& run, const Units& u) {
  constexpr Index W = Lanes<T>::N;
  Pooling p;
  if (!readPooling(run, u.numbers, p)) return OUT_OF_MEMORY;
  const T* const x = u.array<const T>(0);
  T* const y = u.array<T>(1);
  int* const places = PLACES ? u.array<int>(2) : nullptr;
  const auto placesOf = [&](Index plane) { return PLACES ? places + plane * p.outPlane() : nullptr; };
  if (hasWholeRows(p)) {
    eachUnit(run, u.count, p.inPlane(), [&](Index plane) {
      maxPoolRows<T, PLACES>(p, x + plane * p.inPlane(), (u.count - plane) * p.inPlane(), y + plane * p.outPlane(), placesOf(plane));
    });
    return DONE;
  }
  const Index step = p.stride[2];
  Bits<T> ramp;
  for (int lane = 0; lane < W; lane++) ramp[lane] = lane * step;
  eachBlock(run, p, u.count, [&](Index plane, Index i, Index j, Index k, Index count, Index o) {
    const T* from = x + plane * p.inPlane();
    T best[POOL_BLOCK + W];
    LaneInt<T> place[POOL_BLOCK + W];
    const Index row = (p.windows[0][i].first * p.in[1] + p.windows[1][j].first) * p.in[2];
    for (Index q = 0; q < count; q++) {
      best[q] = -__builtin_inf();
      place[q] = LaneInt<T>(row + p.windows[2][k + q].first);
    }
    eachTap(p, i, j, k, count, [&](TapRun tap) {
      const T* at = from + tap.from;
      const Index n = tap.end - tap.begin, left = (u.count - plane) * p.inPlane() - tap.from;
      const Index whole = wholeRegisters<T>(tap, count, step, left);
      T* b = best + tap.begin;
      LaneInt<T>* l = place + tap.begin;
      Index q = 0;
      for (; q < whole; q += W) {
        const Vec<T> value = loadEvery(at + q * step, step), old = load(b + q);
        const Bits<T> wins = (value > old) | (value != value);
        store(b + q, wins ? value : old);
        if (PLACES) storeInts<T>(l + q, wins ? ramp + LaneInt<T>(tap.from + q * step) : loadInts<T>(l + q));
      }
      for (; q < n; q++) {
        const T value = at[q * step];
        const bool wins = value > b[q] || value != value;
        b[q] = wins ? value : b[q];
        if (PLACES) l[q] = wins ? LaneInt<T>(tap.from + q * step) : l[q];
      }
    });
    T* to = y + plane * p.outPlane() + o;
    copyRun(to, best, count);
    for (Index q = 0; PLACES && q < count; q++) placesOf(plane)[o + q] = int(place[q]);
  });
  return DONE;
}

/** Whether windows are pairs along rows and lie side by side, none over another: then each element of x is in one at most. */
static bool arePairs(const Pooling& p) {
  return hasWholeRows(p) && p.kernel[2] == 2 && p.stride[2] == 2 && p.dilation[2] == 1 && p.padding[1] == 0 && p.kernel[1] <= p.stride[1] &&
         (p.out[1] - 1) * p.stride[1] + p.kernel[1] <= p.in[1];
}

/**
 * A plane of x of such windows, row by row: what of y belongs to a row goes there, and 0 to the other elements. `left` elements of y and of
 * places can be read.
 */
template <class T> static void spreadPairs(const Pooling& p, const T* y, const int* places, Index left, T* x) {
  constexpr Index W = Lanes<T>::N;
  const Index width = p.out[2], row = p.in[2], all = p.inPlane();
  Bits<T> ramp;
  for (int lane = 0; lane < W; lane++) ramp[lane] = 2 * lane;
  for (Index j = 0; j < p.out[1]; j++) {
    const Index first = j * p.stride[1] * row, end = j + 1 < p.out[1] ? first + p.stride[1] * row : all;
    for (Index k = 0; k < width; k += W) {
      const Index o = j * width + k, n = smaller(W, left - o);
      LaneInt<T> there[W];
      Vec<T> value;
      if (n == W) {
        for (Index lane = 0; lane < W; lane++) there[lane] = places[o + lane];
        value = load(y + o);
      } else {
        for (Index lane = 0; lane < W; lane++) there[lane] = places[o + smaller(lane, n - 1)];
        value = loadPart(y + o, n);
      }
      // As if added to 0: −0 becomes 0.
      const Vec<T> none = {}, sum = value + none;
      const Bits<T> place = loadInts<T>(there);
      for (Index b = 0; b < p.kernel[1]; b++) {
        const Index at = first + b * row + 2 * k;
        const Bits<T> even = ramp + LaneInt<T>(at);
        const Vec<T> evens = place == even ? sum : none, odds = place == even + 1 ? sum : none;
        T both[2 * W];
        // What is written past the end of a row is that of a later one, which is written after it.
        const bool fits = k + W <= width || (width <= W && at + 2 * W <= all);
        storeInterleaved<T>(fits ? x + at : both, evens, odds);
        if (!fits) copyRun(x + at, both, 2 * smaller(W, width - k));
      }
    }
    if (row > 2 * width)
      for (Index b = 0; b < p.kernel[1]; b++) zero(x + first + b * row + 2 * width, row - 2 * width);
    const Index covered = first + p.kernel[1] * row;
    if (covered < end) zero(x + covered, end - covered);
  }
}

/**
 * Arrays: y, places, x. Adds each element of y to that of x whose place it has. Places are those that maxPoolPlanes gave; whatever they are,
 * nothing outside of their plane is written.
 */
template <class T> static Status maxPoolPlanesGrad(Run& run, const Units& u) {
  Pooling p;
  if (!readPooling(run, u.numbers, p)) return OUT_OF_MEMORY;
  const Index n = p.inPlane(), m = p.outPlane();
  const T* const y = u.array<const T>(0);
  const int* const places = u.array<const int>(1);
  T* const x = u.array<T>(2);
  if (arePairs(p)) {
    eachUnit(run, u.count, n, [&](Index plane) { spreadPairs(p, y + plane * m, places + plane * m, (u.count - plane) * m, x + plane * n); });
    return DONE;
  }
  const Index grain = larger(1, MAP_TASK / n);
  parallel(run, ceilDivide(u.count, grain), [&](Index task, int) {
    const Index first = task * grain, last = smaller(u.count, first + grain);
    // All planes of a task are zeroed first: to read at once what was just written in whole registers takes long.
    zero(x + first * n, (last - first) * n);
    for (Index plane = first; plane < last; plane++)
      for (Index o = plane * m; o < (plane + 1) * m; o++)
        if (names(places[o], n)) x[plane * n + places[o]] += y[o];
  });
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
