// The driver of the element-wise kernels: it finds runs of elements, brings operands of any type and stride side by side, has a loop
// of map-ops.h run over them, and stores what comes out in any type.
//
// Float32 is computed in float32 where there is a loop for it, everything else in float64 with one rounding at the end, as the
// reference does.

namespace ADJOINT_NAMESPACE {

enum { COPY_OP = 0 };

/** Whether the result is worth writing past the caches: large, in long runs, and not in the place of an operand. */
template <class T> static bool isStreamed(const Map& m) {
  if (!STREAMS || m.count < Index(STREAM_BYTES / sizeof(T)) || m.layout.extent[m.layout.rank - 1] < MAP_BUFFER) return false;
  for (int p = 0; p < m.arity; p++)
    if (m.arrays[p] == m.arrays[m.arity]) return false;
  return true;
}

/** Copies elements to a result of another type: each is converted once, with T in between. */
template <class T> static Status copyIn(Run& run, const Map& m) {
  const Index step = m.layout.stride[0][m.layout.rank - 1];
  const bool gives = m.types[1] == typeOf<T>(), streams = gives && isStreamed<T>(m), isDirect = gives || (m.types[0] == typeOf<T>() && step == 1);
  const Index most = streams || !isDirect ? Index(STREAM_BUFFER) : Index(MAP_TASK);
  eachRun(run, m.layout, 1, m.count, most, [&](Index first, Index n, const Index* position) {
    T buffer[STREAM_BUFFER] __attribute__((aligned(64)));
    T *const target = static_cast<T*>(m.arrays[1]) + first, *const to = gives && !streams ? target : buffer;
    const T* const from = bring<T>(m.types[0], m.arrays[0], position[0], step, n, to);
    if (!gives) put<T>(m.types[1], m.arrays[1], first, n, from);
    else if (streams) streamRun<T>(target, from, n);
  });
  return DONE;
}

/** Runs an op on operands and result of any types, computing in T. */
template <class T> static Status mapIn(Run& run, const Map& given, MapLoop<T> loop) {
  constexpr Index W = Lanes<T>::N;
  Map m = given;
  Periods periods = {};
  if (const Status status = flatten<T>(run, m, periods)) return status;
  const Index last = m.layout.rank - 1;
  const bool isStored = m.types[m.arity] == typeOf<T>(), streams = isStored && isStreamed<T>(m);
  bool isDirect = isStored;
  Index steps[MOST_OPERANDS] = {};
  for (int p = 0; p < m.arity; p++) {
    const Index stride = m.layout.stride[p][last];
    if (stride != 0) steps[p] = W;
    isDirect &= stride == 0 || (m.types[p] == typeOf<T>() && stride == 1);
  }
  eachRun(run, m.layout, m.arity, m.count, isDirect ? Index(MAP_TASK) : Index(MAP_BUFFER), [&](Index first, Index n, const Index* position) {
    T buffers[MOST_OPERANDS][MAP_BUFFER], result[MAP_BUFFER], ends[MOST_OPERANDS + 1][W] __attribute__((aligned(64)));
    const T* in[MOST_OPERANDS] = {};
    for (int p = 0; p < m.arity; p++) {
      if (periods.of[p] > 0) continue;
      // One number for the whole run fills a register, which the loop reads again and again.
      const Index stride = m.layout.stride[p][last];
      in[p] = bring<T>(m.types[p], m.arrays[p], position[p], stride, stride == 0 ? W : n, buffers[p]);
    }
    // What follows element `at` of the run: of what repeats itself, the elements of a piece.
    const auto from = [&](int p, Index at) {
      return periods.of[p] > 0 ? static_cast<const T*>(m.arrays[p]) + (position[p] + at) % periods.of[p] : in[p] + (steps[p] == 0 ? 0 : at);
    };
    T* const out = isStored ? static_cast<T*>(m.arrays[m.arity]) + first : result;
    // Less than a register goes through the same loop, as part of a whole one if there is one.
    const auto few = [&](Index begin, Index count) {
      const Index start = smaller(begin, n - W);
      const T* own[MOST_OPERANDS] = {};
      for (int p = 0; p < m.arity; p++) {
        own[p] = steps[p] == 0 || start >= 0 ? from(p, start) : ends[p];
        if (own[p] == ends[p]) store(ends[p], loadPart(from(p, 0), n));
      }
      loop(own, steps, ends[MOST_OPERANDS], W, CACHED, T(m.p), T(m.q));
      const T* const values = ends[MOST_OPERANDS] + begin - larger(0, start);
      for (Index i = 0; i < count; i++) out[begin + i] = values[i];
    };
    const Index head = streams ? smaller(n, elementsToAligned(out)) : 0, whole = (n - head) / W * W;
    if (head > 0) few(0, head);
    const Index piece = periods.any ? Index(REPEAT_PIECE) : whole;
    for (Index at = head; at < head + whole; at += piece) {
      const T* rest[MOST_OPERANDS] = {};
      for (int p = 0; p < m.arity; p++) rest[p] = from(p, at);
      loop(rest, steps, out + at, smaller(piece, head + whole - at), streams ? STREAMED : CACHED, T(m.p), T(m.q));
    }
    if (head + whole < n) few(head + whole, n - head - whole);
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
  // Elements that are moved keep their bits, whatever they mean.
  if (from == to) return move(run, {bytesOf(from), m.count, m.count, ontoRowMajor(m.layout), m.arrays[0], m.arrays[1]});
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
