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

/** The two do not overlap. */
template <class T> INLINE void moveRun(T* to, const T* from, Index n) {
  Index i = 0;
  for (; i + Lanes<T>::N <= n; i += Lanes<T>::N) store(to + i, load(from + i));
  for (; i < n; i++) to[i] = from[i];
}

/** Copies elements to a result of another type, or of the same under other strides: each is converted once, with T in between. */
template <class T> static Status copyIn(Run& run, const Map& m) {
  const Index step = m.layout.stride[0][m.layout.rank - 1];
  const bool gives = m.types[1] == typeOf<T>(), streams = gives && isStreamed<T>(m), isDirect = gives || (m.types[0] == typeOf<T>() && step == 1);
  const Index most = streams || !isDirect ? STREAM_BUFFER : MAP_TASK;
  eachRun(run, m.layout, 1, m.count, most, [&](Index first, Index n, const Index* position) {
    T buffer[STREAM_BUFFER] __attribute__((aligned(64)));
    T *const target = static_cast<T*>(m.arrays[1]) + first, *const to = gives && !streams ? target : buffer;
    const T* const from = bring<T>(m.types[0], m.arrays[0], position[0], step, n, to);
    if (!gives) put<T>(m.types[1], m.arrays[1], first, n, from);
    else if (streams) streamRun<T>(target, from, n);
    else if (from != to) moveRun(to, from, n);
  });
  return DONE;
}

/** Runs an op on operands and result of any types, computing in T. */
template <class T> static Status mapIn(Run& run, const Map& m, MapLoop<T> loop) {
  constexpr Index W = Lanes<T>::N;
  const Index last = m.layout.rank - 1;
  const bool isStored = m.types[m.arity] == typeOf<T>(), streams = isStored && isStreamed<T>(m);
  bool isDirect = isStored;
  Index steps[MOST_OPERANDS] = {};
  for (int p = 0; p < m.arity; p++) {
    const Index stride = m.layout.stride[p][last];
    if (stride != 0) steps[p] = W;
    isDirect &= stride == 0 || (m.types[p] == typeOf<T>() && stride == 1);
  }
  const Index most = !isDirect ? MAP_BUFFER : streams ? STREAM_BUFFER : MAP_TASK;
  eachRun(run, m.layout, m.arity, m.count, most, [&](Index first, Index n, const Index* position) {
    T buffers[MOST_OPERANDS][MAP_BUFFER], result[STREAM_BUFFER], ends[MOST_OPERANDS + 1][W] __attribute__((aligned(64)));
    const T* in[MOST_OPERANDS] = {};
    for (int p = 0; p < m.arity; p++) {
      // One number for the whole run fills a register, which the loop reads again and again.
      const Index stride = m.layout.stride[p][last];
      in[p] = bring<T>(m.types[p], m.arrays[p], position[p], stride, stride == 0 ? W : n, buffers[p]);
    }
    T *const to = isStored ? static_cast<T*>(m.arrays[m.arity]) + first : nullptr, *const out = streams || !isStored ? result : to;
    const Index whole = n / W * W;
    if (whole > 0) loop(in, steps, out, whole, T(m.p), T(m.q));
    if (whole < n) {
      // The incomplete register goes through the same loop.
      for (int p = 0; p < m.arity; p++) {
        if (steps[p] == 0) continue;
        store(ends[p], loadPart(in[p] + whole, n - whole));
        in[p] = ends[p];
      }
      loop(in, steps, ends[MOST_OPERANDS], W, T(m.p), T(m.q));
      for (Index i = whole; i < n; i++) out[i] = ends[MOST_OPERANDS][i - whole];
    }
    if (streams) streamRun<T>(to, result, n);
    if (!isStored) put<T>(m.types[m.arity], m.arrays[m.arity], first, n, result);
  });
  return DONE;
}

/** A set of types, one bit of each. */
constexpr int setOf(int type) { return 1 << type; }
template <class... Rest> constexpr int setOf(int type, Rest... rest) { return 1 << type | setOf(rest...); }

static int operandTypes(const Map& m) {
  int types = 0;
  for (int p = 0; p < m.arity; p++) types |= 1 << m.types[p];
  return types;
}
/** Whether all types of one set are in the other. */
INLINE bool within(int types, int others) { return (types & ~others) == 0; }

enum {
  SINGLES = setOf(FLOAT32, FLOAT16, BFLOAT16),
  WHOLES = setOf(INT32, UINT8),
  /** What a float32 converts to and from with one rounding at most. */
  BESIDE_SINGLE = setOf(FLOAT32, FLOAT16, BFLOAT16, INT32, UINT8, UINT16)
};

static Status copy(Run& run, const Map& m) {
  const int from = m.types[0], to = m.types[1];
  if (from == to) {
    // Elements that are moved keep their bits, whatever they mean.
    if (from == FLOAT64) return copyTransposed(run, m.layout, static_cast<const double*>(m.arrays[0]), static_cast<double*>(m.arrays[1])) ? DONE : copyIn<double>(run, m);
    if (from == UINT8) return copyIn<Byte>(run, m);
    if (from == FLOAT32 || from == INT32) {
      if (copyTransposed(run, m.layout, static_cast<const float*>(m.arrays[0]), static_cast<float*>(m.arrays[1]))) return DONE;
      return from == FLOAT32 ? copyIn<float>(run, m) : copyIn<int>(run, m);
    }
  }
  if (within(setOf(from, to), WHOLES)) return copyIn<int>(run, m);
  const bool isSingle = (from == FLOAT32 && within(setOf(to), BESIDE_SINGLE)) || (to == FLOAT32 && within(setOf(from), BESIDE_SINGLE)) || within(setOf(from, to), SINGLES);
  return isSingle ? copyIn<float>(run, m) : copyIn<double>(run, m);
}

static Status map(Run& run, const Map& m) {
  if (m.op < 0 || m.op >= int(sizeof(mapOps) / sizeof(mapOps[0]))) return NOT_HERE;
  if (m.op == COPY_OP) return copy(run, m);
  const MapOp& op = mapOps[m.op];
  const int types = operandTypes(m), result = setOf(m.types[m.arity]), all = types | result;
  if (op.byte && all == setOf(UINT8)) return mapIn<Byte>(run, m, op.byte);
  if (op.whole && within(all, WHOLES)) return mapIn<int>(run, m, op.whole);
  // Float32 arithmetic gives what an op asks for if no operand and no result has more bits: 0 and 1 have not.
  const bool isSingle = within(types, SINGLES | setOf(UINT8)) && within(result, m.op >= FIRST_PREDICATE ? SINGLES | setOf(UINT8) : +SINGLES);
  return op.single && isSingle ? mapIn<float>(run, m, op.single) : mapIn<double>(run, m, op.twofold);
}

}  // namespace ADJOINT_NAMESPACE
