// Which way a plan is run: read in place, packed, or with lanes. An estimate from the sizes alone, and so are the bits.

namespace ADJOINT_NAMESPACE {

/** Bytes of a weight that stay in the second-level cache while images come and go. */
enum { LANE_WEIGHTS = 1 << 20 };

/**
 * What reading in place takes, with what it wastes between rows; packing, with the copying: in the time that a register takes to be
 * copied, three registers of multiply-adds are done; and lanes, of which some may have no channel, with transposing the sums, and with
 * fetching a weight that is too large for the second-level cache anew for each few panels: six multiply-adds a register.
 */
struct Costs {
  double direct, packed, lanes;
};

/** The costs of a plan; the unit is a multiply-add. */
template <class T> static Costs costsOf(const ConvPlan<T>& plan) {
  Costs costs = {0, 0, 0};
  Index weightSize = 0;
  for (Index f = 0; f < plan.phases; f++) weightSize += plan.weightRows * plan.phase[f].depth;
  for (Index f = 0; f < plan.phases; f++) {
    const OutputPhase<T>& phase = plan.phase[f];
    const Index rows = smaller(plan.bandRows, phase.count[1]), columns = phase.count[2];
    if (rows <= 0 || columns <= 0 || phase.depth == 0) continue;
    costs.direct += double(phase.depth) * directPanelCount(plan, phase, rows) * directWidth(plan) * plan.m;
    costs.packed += double(phase.depth) * rows * columns * (plan.m + 3 + 3.0 * Lanes<T>::N / columns);
    // A step of a tile of few registers waits for the one before it.
    const Index size = lanePositions<T>(columns), registers = ceilDivide(plan.m, Lanes<T>::N);
    const double step = size * smaller(registers, NV) < 8 ? 8.0 / smaller(registers, NV) : size;
    const Index panels = rows * ceilDivide(columns, size);
    costs.lanes += panels * (phase.depth * step * registers * Lanes<T>::N + 13.0 * size * plan.m);
    if (weightSize > LANE_WEIGHTS / Index(sizeof(T)))
      costs.lanes += 6.0 * ceilDivide(panels, lanePanelsAtOnce(plan)) * phase.depth * registers * Lanes<T>::N;
  }
  return costs;
}

template <class T> static bool packingPays(const ConvPlan<T>& plan) {
  if (plan.lanes || plan.m <= Tiles<T>::THIN) return false;
  const Costs costs = costsOf(plan);
  return costs.packed < costs.direct;
}

/** Whether a plan without lanes, whose positions are `step` elements of a row apart, is better run with them. */
template <class T> static bool lanesPay(const ConvPlan<T>& plan, Index step) {
  if (step > 2 || plan.m <= Tiles<T>::THIN) return false;
  const Costs costs = costsOf(plan);
  return costs.lanes < costs.direct && costs.lanes < costs.packed;
}

}  // namespace ADJOINT_NAMESPACE
