// Panels of positions that are read in place from the copy of a unit: nothing is packed, and what is wasted lies between the rows.

namespace ADJOINT_NAMESPACE {

/** Positions per panel that is read in place. */
template <class T> INLINE Index directWidth(const ConvPlan<T>& plan) {
  return (plan.m <= Tiles<T>::FEW ? Tiles<T>::fewVectors[plan.m] : NV) * Lanes<T>::N;
}

/** Whether whole panels make up a row of the output, which then takes the sums as they lie. */
template <class T> INLINE bool panelsFitRows(const ConvPlan<T>& plan, Index columns) {
  return plan.m > 1 && !plan.lanes && plan.outStep[2] == 1 && columns > 0 && columns % directWidth(plan) == 0;
}

/** Registers of each row of the output that a single channel needs. */
template <class T> INLINE Index registersPerRow(const OutputPhase<T>& phase) { return ceilDivide(phase.count[2], Lanes<T>::N); }

/**
 * As `directPanels` for a weight of one row, as in depthwise convolutions: a panel is PLACES registers, each within a row of
 * the output, to which they go straight.
 */
template <class T>
static void singlePanels(const ConvPlan<T>& plan, const OutputPhase<T>* phases, Index group, const T* copy, UnitTarget<T> target,
                         Index first, Index last, T* sums) {
  constexpr Index W = Lanes<T>::N;
  const Index columns = phases->count[2], perRow = registersPerRow(*phases), registers = target.rows * perRow;
  const Index rowStep = plan.outStep[1] * plan.outExtent[2], step = plan.outStep[2];
  const bool straight = step == 1 && columns >= W;
  Index row = first * PLACES / perRow, part = first * PLACES % perRow;
  for (Index q = first; q < last; q++) {
    const Index count = smaller(PLACES, registers - q * PLACES);
    Place<T> places[PLACES];
    Index column[PLACES];
    T* to[PLACES];
    for (Index v = 0; v < PLACES; v++) {
      // The last register of a row repeats what it can of the one before it, and what is missing at the end the last place.
      if (v < count) {
        column[v] = larger(0, smaller(part * W, columns - W));
        to[v] = target.data + row * rowStep + column[v] * step;
        places[v] = {copy + row * plan.padded.pitch + column[v], straight ? to[v] : sums + v * W};
        if (++part == perRow) {
          part = 0;
          row++;
        }
      } else {
        places[v] = {places[v - 1].from, straight ? places[v - 1].to : sums + v * W};
      }
    }
    for (Index c = 0; c < plan.columnPhases; c++) {
      const OutputPhase<T>& phase = phases[c];
      tilePlaces(phase.depth, phase.weight + group * phase.depth, phase.offsets, places);
      for (Index v = 0; v < PLACES; v++) places[v].to += PLACES * W;
    }
    if (straight) continue;
    for (Index v = 0; v < count; v++)
      putColumns(to[v], plan.columnPhases, step, sums + v * W, PLACES * W,
                 smaller(smaller(W, columns) * step, plan.outExtent[2] - column[v] * step));
  }
}

/**
 * Panels [first, last) of one unit, read in place from its copy, for all column phases. Positions run over whole rows of the
 * copy, and what falls between two rows of the output is dropped; unless panels fit those rows.
 */
template <class T>
static void directPanels(const ConvPlan<T>& plan, const OutputPhase<T>* phases, Index group, const T* copy, UnitTarget<T> target,
                         Index first, Index last, T* sums) {
  if (plan.lanes) {
    lanePanels(plan, phases, group, copy, target, first, last, sums);
    return;
  }
  if (plan.m == 1) {
    singlePanels(plan, phases, group, copy, target, first, last, sums);
    return;
  }
  const bool few = plan.m <= Tiles<T>::FEW, fits = panelsFitRows(plan, phases->count[2]);
  const Index width = directWidth(plan), pitch = plan.padded.pitch, columns = phases->count[2];
  const Index positions = (target.rows - 1) * pitch + columns;
  const Index channelStep = plan.outPlane(), rowStep = plan.outStep[1] * plan.outExtent[2], step = plan.outStep[2];
  for (Index q0 = first; q0 < last; q0 += PANELS)
    for (Index i = 0; i < plan.m; i += plan.height) {
      const Index rows = smaller(plan.height, plan.m - i), sumsSize = rows * width;
      const OffsetsTile<T> run = few ? Tiles<T>::few[rows] : Tiles<T>::offsets[rows];
      for (Index q = q0; q < smaller(last, q0 + PANELS); q++) {
        const Index p0 = fits ? q * width / columns * pitch + q * width % columns : q * width, count = smaller(width, positions - p0);
        T* const to = fits ? target.data + i * channelStep + p0 / pitch * rowStep + p0 % pitch : sums;
        const Index toStep = fits ? channelStep : width;
        // What is written later comes into cache while it is computed.
        const T* later = target.data + i * channelStep + p0 / pitch * rowStep + smaller(p0 % pitch, columns) * step;
        for (Index r = 0; r < rows && !fits; r++, later += channelStep)
          for (Index j = 0; j < count * step; j += 64 / Index(sizeof(T))) __builtin_prefetch(later + j, 1);
        for (Index c = 0; c < plan.columnPhases; c++) {
          const OutputPhase<T>& phase = phases[c];
          const T* weight = phase.weight + (group * plan.m + i) * phase.depth;
          const Index block = depthBlock<T>(phase.depth);
          Index k0 = 0;
          do {
            run(smaller(block, phase.depth - k0), weight + k0 * rows, copy + p0, phase.offsets + k0, to + c * sumsSize, toStep,
                k0 > 0);
            k0 += block;
          } while (k0 < phase.depth);
        }
        if (fits) continue;
        Index row = p0 / pitch, column = p0 % pitch;
        for (Index at = 0; at < count; row++, column = 0) {
          const Index span = smaller(pitch - column, count - at), kept = smaller(columns - column, span);
          const Index n = smaller(kept * step, plan.outExtent[2] - column * step);
          if (kept > 0)
            for (Index r = 0; r < rows; r++)
              putColumns(target.data + (i + r) * channelStep + row * rowStep + column * step, plan.columnPhases, step,
                         sums + r * width + at, sumsSize, n);
          at += span;
        }
      }
    }
}

template <class T> INLINE Index directPanelCount(const ConvPlan<T>& plan, const OutputPhase<T>& phase, Index rows) {
  if (plan.lanes) return rows * ceilDivide(phase.count[2], lanePositions<T>(phase.count[2]));
  if (plan.m == 1) return ceilDivide(rows * registersPerRow(phase), PLACES);
  if (panelsFitRows(plan, phase.count[2])) return rows * (phase.count[2] / directWidth(plan));
  return rows == 0 ? 0 : ceilDivide((rows - 1) * plan.padded.pitch + phase.count[2], directWidth(plan));
}

}  // namespace ADJOINT_NAMESPACE
