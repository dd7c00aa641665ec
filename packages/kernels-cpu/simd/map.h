// The driver of the element-wise kernels: it finds runs of elements, brings operands of any type and stride side by side, has a loop
// of map-ops.h run over them, and stores what comes out in any type.
//
// Float32 is computed in float32 where there is a loop for it, everything else in float64 with one rounding at the end, as the
// reference does.

namespace ADJOINT_NAMESPACE {

/** Elements per task. A task is the same on any number of threads, and an element's result does not depend on its place. */
enum { MAP_TASK = 1 << 14, MAP_BUFFER = 256 };

/** Calls `body(first, n, position of each operand)` for every run of at most `most` elements along the last axis. */
template <class F> static void eachRun(Run& run, const Layout& layout, int operands, Index count, Index most, const F& body) {
  const Index last = layout.rank - 1, length = layout.extent[last];
  parallel(run, ceilDivide(count, MAP_TASK), [&](Index task, int) {
    Index at = task * MAP_TASK;
    const Index end = smaller(count, at + MAP_TASK);
    Index counter[MOST_AXES], position[MOST_OPERANDS];
    for (int p = 0; p < operands; p++) position[p] = layout.offset[p];
    Index rest = at;
    for (Index axis = last; axis >= 0; axis--) {
      counter[axis] = rest % layout.extent[axis];
      rest /= layout.extent[axis];
      for (int p = 0; p < operands; p++) position[p] += counter[axis] * layout.stride[p][axis];
    }
    while (at < end) {
      const Index n = smaller(most, smaller(length - counter[last], end - at));
      body(at, n, position);
      at += n;
      counter[last] += n;
      for (int p = 0; p < operands; p++) position[p] += n * layout.stride[p][last];
      for (Index axis = last; axis > 0 && counter[axis] == layout.extent[axis]; axis--) {
        counter[axis] = 0;
        counter[axis - 1]++;
        for (int p = 0; p < operands; p++)
          position[p] += layout.stride[p][axis - 1] - layout.extent[axis] * layout.stride[p][axis];
      }
    }
    settleStreams();
  });
}

/**
 * Copies a view whose last axis is not the one along memory, but another is: in squares, so that neither side is read or
 * written one element per cache line. False if the view is not of that kind.
 */
template <class T> static bool copyTransposed(Run& run, const Layout& layout, const T* a, T* out) {
  const Index last = layout.rank - 1, columns = layout.extent[last], columnStep = layout.stride[0][last];
  Index axis = last - 1;
  while (axis >= 0 && layout.stride[0][axis] != 1) axis--;
  if (axis < 0 || columnStep == 1 || columnStep == 0 || columns < 4 || layout.extent[axis] < 4) return false;
  const Index rows = layout.extent[axis];
  Index rowStep = 1, outer = 1;
  for (Index x = axis + 1; x <= last; x++) rowStep *= layout.extent[x];
  for (Index x = 0; x < last; x++)
    if (x != axis) outer *= layout.extent[x];
  constexpr Index SQUARE = 64;
  const Index rowBlocks = ceilDivide(rows, SQUARE), columnBlocks = ceilDivide(columns, SQUARE);
  parallel(run, outer * rowBlocks * columnBlocks, [&](Index task, int) {
    const Index j0 = task % columnBlocks * SQUARE, i0 = task / columnBlocks % rowBlocks * SQUARE;
    Index rest = task / columnBlocks / rowBlocks, from = layout.offset[0], to = 0, size = columns;
    for (Index x = last - 1; x >= 0; x--) {
      if (x != axis) {
        const Index at = rest % layout.extent[x];
        rest /= layout.extent[x];
        from += at * layout.stride[0][x];
        to += at * size;
      }
      size *= layout.extent[x];
    }
    const Index iEnd = smaller(rows, i0 + SQUARE), jEnd = smaller(columns, j0 + SQUARE);
    Index j = j0;
    for (; j + 4 <= jEnd; j += 4) {
      const T* source = a + from + j * columnStep;
      Index i = i0;
      for (; i + 4 <= iEnd; i += 4) transpose4(source + i, columnStep, out + to + i * rowStep + j, rowStep);
      for (; i < iEnd; i++)
        for (Index k = 0; k < 4; k++) out[to + i * rowStep + j + k] = source[i + k * columnStep];
    }
    for (; j < jEnd; j++)
      for (Index i = i0; i < iEnd; i++) out[to + i * rowStep + j] = a[from + i + j * columnStep];
  });
  return true;
}

enum { COPY_OP = 0 };

/** Whether the result is worth writing past the caches: large, in long runs, and not in the place of an operand. */
template <class T> static bool isStreamed(const Map& m) {
  if (!STREAMS || m.count < Index(STREAM_BYTES / sizeof(T)) || m.layout.extent[m.layout.rank - 1] < MAP_BUFFER) return false;
  for (int p = 0; p < m.arity; p++)
    if (m.arrays[p] == m.arrays[m.arity]) return false;
  return true;
}

/** Runs an op on operands and result of any types, computing in T. */
template <class T> static Status mapIn(Run& run, const Map& m, MapLoop<T> loop) {
  constexpr Index W = Lanes<T>::N;
  const Index last = m.layout.rank - 1;
  bool direct = m.types[m.arity] == typeOf<T>();
  for (int p = 0; p < m.arity; p++) direct &= m.types[p] == typeOf<T>() && m.layout.stride[p][last] == 1;
  const bool isStored = m.types[m.arity] == typeOf<T>(), streams = isStored && isStreamed<T>(m);
  const Index most = !direct ? MAP_BUFFER : streams ? STREAM_BUFFER : MAP_TASK;
  eachRun(run, m.layout, m.arity, m.count, most, [&](Index first, Index n, const Index* position) {
    T buffers[MOST_OPERANDS][MAP_BUFFER], result[STREAM_BUFFER], ends[MOST_OPERANDS + 1][W] __attribute__((aligned(64)));
    const T* in[MOST_OPERANDS];
    for (int p = 0; p < MOST_OPERANDS; p++)
      in[p] = p < m.arity ? bring<T>(m.types[p], m.arrays[p], position[p], m.layout.stride[p][last], n, buffers[p]) : nullptr;
    T *const to = isStored ? static_cast<T*>(m.arrays[m.arity]) + first : nullptr, *const out = streams || !isStored ? result : to;
    const Index whole = n / W * W;
    if (whole > 0) loop(in, out, whole, T(m.p), T(m.q));
    if (whole < n) {
      // The incomplete register goes through the same loop.
      for (int p = 0; p < m.arity; p++) {
        store(ends[p], loadPart(in[p] + whole, n - whole));
        in[p] = ends[p];
      }
      loop(in, ends[MOST_OPERANDS], W, T(m.p), T(m.q));
      for (Index i = whole; i < n; i++) out[i] = ends[MOST_OPERANDS][i - whole];
    }
    if (streams) streamRun<T>(to, result, n);
    if (!isStored) put<T>(m.types[m.arity], m.arrays[m.arity], first, n, result);
  });
  return DONE;
}

/** Whether float32 arithmetic gives what the op asks for: no operand and no result has more bits. */
static bool fitsSingle(const Map& m) {
  for (int p = 0; p <= m.arity; p++) {
    const int type = m.types[p];
    const bool isTruth = type == UINT8 && (p < m.arity || m.op >= FIRST_PREDICATE);
    if (type != FLOAT32 && type != FLOAT16 && type != BFLOAT16 && !isTruth) return false;
  }
  return true;
}

static Status map(Run& run, const Map& m) {
  if (m.op < 0 || m.op >= int(sizeof(mapOps) / sizeof(mapOps[0]))) return NOT_HERE;
  if (m.op == COPY_OP && m.types[0] == m.types[1]) {
    // Elements that are moved keep their bits, whatever they mean.
    const bool small = m.types[0] == FLOAT32 || m.types[0] == INT32;
    if (small && copyTransposed(run, m.layout, static_cast<const float*>(m.arrays[0]), static_cast<float*>(m.arrays[1]))) return DONE;
    if (m.types[0] == FLOAT64 && copyTransposed(run, m.layout, static_cast<const double*>(m.arrays[0]), static_cast<double*>(m.arrays[1]))) return DONE;
    if (m.types[0] == INT32) {
      Map asFloats = m;
      asFloats.types[0] = asFloats.types[1] = FLOAT32;
      return mapIn<float>(run, asFloats, mapOps[COPY_OP].single);
    }
  }
  const MapOp& op = mapOps[m.op];
  return op.single && fitsSingle(m) ? mapIn<float>(run, m, op.single) : mapIn<double>(run, m, op.twofold);
}

}  // namespace ADJOINT_NAMESPACE
