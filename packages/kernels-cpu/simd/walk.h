// Walks strided operands in row-major order, run by run, in tasks for threads.

namespace ADJOINT_NAMESPACE {

/** Elements per task. A task is the same on any number of threads, and an element's result does not depend on its place. */
enum { MAP_TASK = 1 << 14 };

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

}  // namespace ADJOINT_NAMESPACE
