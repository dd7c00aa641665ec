// Panels of positions that are packed as they come, whichever units they are of: nothing is wasted, and all is copied once more.

namespace ADJOINT_NAMESPACE {

/** A part of a panel that lies in one row: from the copies, to the target. `n` elements are written there. */
template <class T> struct Segment {
  const T* from;
  T* to;
  Index start, count, n;
};

/** A panel of positions of any units, one after the other. It is solid if the target takes its sums as they lie. */
template <class T> struct Panel {
  Segment<T> segments[Tile<T>::N];
  Index count, width;
  bool solid;
};

/** Lays out the panel of positions from `p0` on; `unit` is the one with that position or one before it, and is moved on. */
template <class T>
static void layPanel(const ConvPlan<T>& plan, Index columns, const T* copies, const UnitTarget<T>* targets, const Index* starts,
                     Index units, Index p0, Index& unit, Panel<T>& panel) {
  const Index rowStep = plan.outStep[1] * plan.outExtent[2], step = plan.outStep[2];
  panel.width = smaller(Index(Tile<T>::N), starts[units] - p0);
  panel.solid = panel.width == Tile<T>::N && step == 1;
  panel.count = 0;
  for (Index at = 0; at < panel.width; panel.count++) {
    while (starts[unit + 1] <= p0 + at) unit++;
    const Index local = p0 + at - starts[unit], row = local / columns, column = local % columns;
    const Index count = smaller(columns - column, panel.width - at);
    Segment<T>& segment = panel.segments[panel.count];
    segment = {copies + unit * plan.unitSize() + row * plan.padded.pitch + column, targets[unit].data + row * rowStep + column * step,
               at, count, smaller(count * step, plan.outExtent[2] - column * step)};
    if (segment.to - panel.segments[0].to != at) panel.solid = false;
    at += count;
  }
}

/** to[k · N + position] for `depth` steps, in pieces of E elements. Up to a piece more than depth · N elements are written. */
template <class T, int E> static void packPieces(const Panel<T>& panel, const Index* offsets, Index depth, T* to) {
  constexpr Index N = Tile<T>::N;
  struct Move {
    const T* from;
    Index start;
  } moves[N];
  Index count = 0;
  for (Index s = 0; s < panel.count; s++)
    for (Index j = 0; j < panel.segments[s].count; j += E) moves[count++] = {panel.segments[s].from + j, panel.segments[s].start + j};
  // Whole pieces are copied in ascending order: what is too much is overwritten by the next.
  for (Index k = 0; k < depth; k++, to += N) {
    const Index offset = offsets[k];
    for (Index i = 0; i < count; i++) __builtin_memcpy(to + moves[i].start, moves[i].from + offset, E * sizeof(T));
    if (panel.width < N) zero(to + panel.width, N - panel.width);
  }
}

/** As `packPieces`, in pieces no longer than the rows: what spans two lines of a cache takes twice as long. */
template <class T> static void packPanel(const Panel<T>& panel, const Index* offsets, Index depth, T* to) {
  constexpr int W = Lanes<T>::N, HALF = W < 8 ? W : W / 2;
  Index longest = 0;
  for (Index s = 0; s < panel.count; s++) longest = larger(longest, panel.segments[s].count);
  if (longest <= 4) packPieces<T, (W < 4 ? W : 4)>(panel, offsets, depth, to);
  else if (longest <= HALF) packPieces<T, HALF>(panel, offsets, depth, to);
  else packPieces<T, W>(panel, offsets, depth, to);
}

/**
 * Panels [first, last) of all units of a wave taken together, packed as they come: no position is wasted, and a panel is
 * packed once for all rows of the weight. `packed` holds PANELS panels of one block of the depth, `sums` those of all rows and column
 * phases.
 */
template <class T>
static void packedPanels(const ConvPlan<T>& plan, const OutputPhase<T>* phases, Index group, const T* copies,
                         const UnitTarget<T>* targets, const Index* starts, Index units, Index first, Index last, T* packed, T* sums) {
  constexpr Index N = Tile<T>::N;
  const Index channelStep = plan.outPlane();
  // Of one panel and phase, and of one panel.
  const Index sumsSize = plan.m * N, panelSize = plan.columnPhases * sumsSize;
  Panel<T> panels[PANELS];
  Index unit = 0;
  for (Index q0 = first; q0 < last; q0 += PANELS) {
    const Index count = smaller(PANELS, last - q0);
    for (Index q = 0; q < count; q++) layPanel(plan, phases->count[2], copies, targets, starts, units, (q0 + q) * N, unit, panels[q]);
    for (Index c = 0; c < plan.columnPhases; c++) {
      const OutputPhase<T>& phase = phases[c];
      const T* weight = phase.weight + group * plan.m * phase.depth;
      const Index block = depthBlock<T>(phase.depth);
      Index k0 = 0;
      do {
        const Index depth = smaller(block, phase.depth - k0);
        for (Index q = 0; q < count; q++) packPanel(panels[q], phase.offsets + k0, depth, packed + q * depth * N);
        for (Index i = 0; i < plan.m; i += plan.height) {
          const Index rows = smaller(plan.height, plan.m - i);
          const T* a = weight + i * phase.depth + k0 * rows;
          for (Index q = 0; q < count; q++) {
            const bool solid = panels[q].solid;
            Tiles<T>::rows[rows](1, FROM_START, depth, a, packed + q * depth * N, N,
                                 solid ? panels[q].segments->to + i * channelStep : sums + q * panelSize + c * sumsSize + i * N,
                                 solid ? channelStep : N, k0 > 0);
          }
        }
        k0 += block;
      } while (k0 < phase.depth);
    }
    for (Index q = 0; q < count; q++) {
      if (panels[q].solid) continue;
      for (Index i = 0; i < plan.m; i++)
        for (Index s = 0; s < panels[q].count; s++) {
          const Segment<T>& segment = panels[q].segments[s];
          putColumns(segment.to + i * channelStep, plan.columnPhases, plan.outStep[2], sums + q * panelSize + i * N + segment.start,
                     sumsSize, segment.n);
        }
    }
  }
}

}  // namespace ADJOINT_NAMESPACE
