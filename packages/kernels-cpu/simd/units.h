// How a kernel that works unit by unit (rows, planes, flat pieces) shares its units among threads.

namespace ADJOINT_NAMESPACE {

/** Calls `body(unit)` for each unit, in tasks of about equal work that are the same on any number of threads. */
template <class F> static void eachUnit(Run& run, Index count, Index workPerUnit, const F& body) {
  const Index grain = larger(1, MAP_TASK / larger(1, workPerUnit));
  parallel(run, ceilDivide(count, grain), [&](Index part, int) {
    for (Index unit = part * grain; unit < smaller(count, (part + 1) * grain); unit++) body(unit);
  });
}

}  // namespace ADJOINT_NAMESPACE
