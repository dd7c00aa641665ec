// Moves or adds elements between two views of one shape: in runs, or in squares where the target lies along memory on one axis and the source
// on another.

namespace ADJOINT_NAMESPACE {

/** A run of the last axis; `step` elements apart in the source, side by side in the target if `toStep` is 1. */
template <class T> INLINE void moveRun(const T* from, Index step, T* to, Index toStep, Index n, bool streams) {
  if (step == 1 && toStep == 1) {
    if constexpr (sizeof(T) >= 4)
      if (streams) return streamRun(to, from, n);
    __builtin_memcpy(to, from, n * sizeof(T));
    return;
  }
  Index i = 0;
  if constexpr (sizeof(T) >= 4) {
    constexpr Index W = Lanes<T>::N;
    if (step == 0 && toStep == 1) {
      // Not by arithmetic, which would change what only looks like a number.
      Vec<T> value = {};
      for (Index lane = 0; lane < W; lane++) value[lane] = *from;
      for (; i + W <= n; i += W) store(to + i, value);
    }
    // The last register would read past the end.
    if (step == 2 && toStep == 1)
      for (; i + W < n; i += W) store(to + i, evens(load(from + 2 * i), load(from + 2 * i + W)));
  }
  for (; i < n; i++) to[i * toStep] = from[i * step];
}

/**
 * Moves what lies along memory on the last axis of the target and on another one of the source: in squares, so that neither side is read
 * or written one element per cache line. False if the views are not of that kind. Operand 0 is the source, 1 the target.
 */
template <class T> static bool moveTransposed(Run& run, const Layout& layout, const T* a, T* out, bool streams) {
  const Index last = layout.rank - 1, columns = layout.extent[last], columnStep = layout.stride[0][last];
  Index axis = last - 1;
  while (axis >= 0 && layout.stride[0][axis] != 1) axis--;
  if (axis < 0 || layout.stride[1][last] != 1 || columnStep == 1 || columnStep == 0 || columns < 4 || layout.extent[axis] < 4) return false;
  const Index rows = layout.extent[axis], rowStep = layout.stride[1][axis];
  Index outer = 1;
  for (Index x = 0; x < last; x++)
    if (x != axis) outer *= layout.extent[x];
  constexpr Index SQUARE = 64, LINE = 64 / sizeof(T);
  // What goes past the caches goes there in whole lines: squares end where lines do.
  const Index past = streams && columns > SQUARE ? Index(reinterpret_cast<__UINTPTR_TYPE__>(out + layout.offset[1]) / sizeof(T) % LINE) : 0;
  const Index rowBlocks = ceilDivide(rows, SQUARE), columnBlocks = ceilDivide(columns + past, SQUARE);
  parallel(run, outer * rowBlocks * columnBlocks, [&](Index task, int) {
    const Index j0 = larger(0, task % columnBlocks * SQUARE - past), i0 = task / columnBlocks % rowBlocks * SQUARE;
    Index rest = task / columnBlocks / rowBlocks, from = layout.offset[0] + i0 + j0 * columnStep, to = layout.offset[1] + i0 * rowStep + j0;
    for (Index x = last - 1; x >= 0; x--) {
      if (x == axis) continue;
      const Index at = rest % layout.extent[x];
      rest /= layout.extent[x];
      from += at * layout.stride[0][x];
      to += at * layout.stride[1][x];
    }
    const Index m = smaller(rows - i0, SQUARE), n = smaller(columns, (task % columnBlocks + 1) * SQUARE - past) - j0;
    T square[SQUARE * SQUARE] __attribute__((aligned(64)));
    T* const into = streams ? square : out + to;
    const Index step = streams ? SQUARE : rowStep;
    Index j = 0;
    if constexpr (sizeof(T) >= 4) {
      for (; j + 4 <= n; j += 4) {
        const T* source = a + from + j * columnStep;
        Index i = 0;
        for (; i + 4 <= m; i += 4) transpose4(source + i, columnStep, into + i * step + j, step);
        for (; i < m; i++)
          for (Index k = 0; k < 4; k++) into[i * step + j + k] = source[i + k * columnStep];
      }
    }
    for (; j < n; j++)
      for (Index i = 0; i < m; i++) into[i * step + j] = a[from + i + j * columnStep];
    if (!streams) return;
    for (Index i = 0; i < m; i++) moveRun<T>(square + i * SQUARE, 1, out + to + i * rowStep, 1, n, true);
    settleStreams();
  });
  return true;
}

/** The layout of an operand beside a target that is row-major, and whole. */
INLINE Layout ontoRowMajor(Layout layout) {
  Index stride = 1;
  layout.offset[1] = 0;
  for (Index axis = layout.rank - 1; axis >= 0; axis--) {
    layout.stride[1][axis] = stride;
    stride *= layout.extent[axis];
  }
  return layout;
}

/** Moves elements that are as large as a T, whatever they mean. No two of the target are in one place, nor in one of the source's. */
template <class T> static Status moveAs(Run& run, const Move& m) {
  const T* const a = static_cast<const T*>(m.from);
  T* const out = static_cast<T*>(m.to);
  const bool streams = STREAMS && m.size >= Index(STREAM_BYTES / sizeof(T));
  if (moveTransposed(run, m.layout, a, out, streams)) return DONE;
  const Index last = m.layout.rank - 1, step = m.layout.stride[0][last], toStep = m.layout.stride[1][last];
  const bool isLong = m.layout.extent[last] >= Index(256 / sizeof(T));
  eachRun(run, m.layout, 2, m.count, MAP_TASK, [&](Index, Index n, const Index* position) {
    moveRun<T>(a + position[0], step, out + position[1], toStep, n, streams && isLong);
  });
  return DONE;
}

/** Adds floats to those of the target; no two of these are in one place, nor in one of the source's. */
template <class T> static Status addToAs(Run& run, const Move& m) {
  const T* const a = static_cast<const T*>(m.from);
  T* const out = static_cast<T*>(m.to);
  constexpr Index W = Lanes<T>::N;
  const Index last = m.layout.rank - 1, step = m.layout.stride[0][last], toStep = m.layout.stride[1][last];
  eachRun(run, m.layout, 2, m.count, MAP_TASK, [&](Index, Index n, const Index* position) {
    const T* const from = a + position[0];
    T* const to = out + position[1];
    Index i = 0;
    if (step == 1 && toStep == 1)
      for (; i + W <= n; i += W) store(to + i, load(to + i) + load(from + i));
    for (; i < n; i++) to[i * toStep] += from[i * step];
  });
  return DONE;
}

static Status addTo(Run& run, const Move& m) { return m.bytes == 4 ? addToAs<float>(run, m) : addToAs<double>(run, m); }

static Status move(Run& run, const Move& m) {
  if (m.bytes == 1) return moveAs<Byte>(run, m);
  if (m.bytes == 2) return moveAs<Half>(run, m);
  return m.bytes == 4 ? moveAs<float>(run, m) : moveAs<double>(run, m);
}

}  // namespace ADJOINT_NAMESPACE
