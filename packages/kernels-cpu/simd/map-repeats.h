// Operands of an element-wise kernel that repeat themselves, as a row that is added to every row. They are written out once, for a stretch
// longer than their period; then all operands are flat, and runs are as long as a task and begin where registers are aligned, however short
// rows are.

namespace ADJOINT_NAMESPACE {

/** Elements of a run that is long, and of what one is brought to if it does not lie as it is computed with. */
enum { MAP_BUFFER = 256 };

/** The longest period that is written out, and the longest piece that is read of what was. */
enum { REPEAT_PERIOD = MAP_TASK, REPEAT_PIECE = 1 << 11 };

/** How an operand lies beside the result: one after the other, one number, the same again and again, or in another way. */
enum Lie { FLAT, CONSTANT, REPEATING, OTHER };
INLINE Lie lieOf(const Layout& layout, int operand, Index& period) {
  const Index* const stride = layout.stride[operand];
  // Before the first axis that it has.
  Index leading = 0;
  while (leading < layout.rank && stride[leading] == 0) leading++;
  if (leading == layout.rank) return CONSTANT;
  bool isFlat = true;
  period = 1;
  for (Index axis = layout.rank - 1; axis >= leading; axis--) {
    isFlat &= stride[axis] == period;
    period *= layout.extent[axis];
  }
  return leading > 0 ? REPEATING : isFlat ? FLAT : OTHER;
}

/** Of each operand how many elements come before the first again; 0 of those that do not repeat. */
struct Periods {
  Index of[MOST_OPERANDS];
  bool any;
};

/** The elements of a period from `to` on, and from the first again up to `length`. */
template <class T> static void writeOut(const Map& m, int operand, Index period, T* to, Index length) {
  const Layout& l = m.layout;
  const Index last = l.rank - 1, run = l.extent[last], step = l.stride[operand][last];
  for (Index at = 0; at < period; at += run) {
    Index position = l.offset[operand], index = at / run;
    for (Index axis = last - 1; index > 0; axis--) {
      position += index % l.extent[axis] * l.stride[operand][axis];
      index /= l.extent[axis];
    }
    const T* const from = bring<T>(m.types[operand], m.arrays[operand], position, step, run, to + at);
    if (from != to + at) __builtin_memcpy(to + at, from, static_cast<unsigned long>(run) * sizeof(T));
  }
  for (Index filled = period; filled < length;) {
    const Index n = smaller(filled, length - filled);
    __builtin_memcpy(to + filled, to, static_cast<unsigned long>(n) * sizeof(T));
    filled += n;
  }
}

/** Makes a call whose operands are all flat of one some of which repeat themselves, where that is worth it. */
template <class T> static Status flatten(Run& run, Map& m, Periods& periods) {
  Lie lies[MOST_OPERANDS];
  Index period[MOST_OPERANDS], repeated = 0;
  for (int p = 0; p < m.arity; p++) {
    lies[p] = lieOf(m.layout, p, period[p]);
    if (lies[p] == OTHER) return DONE;
    if (lies[p] != REPEATING) continue;
    // One number for a long run is sooner read again and again.
    const Index last = m.layout.rank - 1;
    if (period[p] > REPEAT_PERIOD || (m.layout.stride[p][last] != 1 && m.layout.extent[last] >= MAP_BUFFER)) return DONE;
    repeated += period[p];
  }
  if (repeated == 0 || m.count < 4 * repeated) return DONE;
  Map flat = m;
  flat.layout.rank = 1;
  flat.layout.extent[0] = m.count;
  for (int p = 0; p < m.arity; p++) {
    flat.layout.stride[p][0] = lies[p] == CONSTANT ? 0 : 1;
    if (lies[p] != REPEATING) continue;
    const Index length = period[p] + REPEAT_PIECE;
    T* const tile = take<T>(run, length);
    if (!tile) return OUT_OF_MEMORY;
    writeOut<T>(m, p, period[p], tile, length);
    flat.arrays[p] = tile;
    flat.types[p] = typeOf<T>();
    flat.layout.offset[p] = 0;
    periods.of[p] = period[p];
  }
  periods.any = true;
  m = flat;
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
