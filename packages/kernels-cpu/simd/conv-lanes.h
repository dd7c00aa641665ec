// Convolutions whose output channels fill whole registers: a register holds neighbouring output channels of one position, and the
// elements of the source that a tap meets are read one by one from the padded copy. So whatever the stride is and however short a
// row, nothing is packed; instead the sums are transposed once when they are done.

namespace ADJOINT_NAMESPACE {

/** Registers of channels that stay side by side, and steps of depth whose weights for them stay in the first-level cache. */
enum { LANE_DEPTH = (24 << 10) / (NV * BYTES) };

/** c (=|+=) Σ a[offsets[k] + i · S] · b[k] for R positions i: V registers of b per step, `cRow` elements of c per position. */
template <class T, int R, int V, int S>
__attribute__((noinline)) void tileLanes(Index depth, const T* a, const Index* offsets, const T* b, T* c, Index cRow, bool accumulate) {
  constexpr int W = Lanes<T>::N;
  Vec<T> sum[R][V];
  UNROLL for (int i = 0; i < R; i++) UNROLL for (int v = 0; v < V; v++) sum[i][v] = Vec<T>{};
  for (Index k = 0; k < depth; k++, b += V * W) {
    const T* from = a + offsets[k];
    // One address in one register: multiply-adds that read their operand themselves take no longer one as one instruction.
    asm("" : "+r"(from));
    Vec<T> right[V];
    UNROLL for (int v = 0; v < V; v++) right[v] = load(b + v * W);
    UNROLL for (int i = 0; i < R; i++) addRow<T, V>(sum[i], from[i * S], right, i % 3 ? IN_PLACE : LOADED);
  }
  putSums<T>(sum, c, cRow, accumulate);
}

template <class T> using LanesTile = void (*)(Index, const T*, const Index*, const T*, T*, Index, bool);

#define LANES_TILE(r) tileLanes<T, r, V, S>

/** Tiles by their number of positions; [0] is unused. */
template <class T, int V, int S> struct LaneTiles {
  static constexpr LanesTile<T> positions[] = {nullptr, EACH_ROWS(LANES_TILE)};
};

template <class T> INLINE LanesTile<T> laneTile(Index positions, Index registers, Index step) {
  if (registers == 1) return step == 1 ? LaneTiles<T, 1, 1>::positions[positions] : LaneTiles<T, 1, 2>::positions[positions];
  return step == 1 ? LaneTiles<T, NV, 1>::positions[positions] : LaneTiles<T, NV, 2>::positions[positions];
}

/** to[i · toStep + j] = from[j · row + i] for i < m and j < n. */
template <class T> static void putLanes(const T* from, Index row, Index m, Index n, T* to, Index toStep) {
  if (m < 4 || n < 4) {
    for (Index i = 0; i < m; i++)
      for (Index j = 0; j < n; j++) to[i * toStep + j] = from[j * row + i];
    return;
  }
  // What is left over is done with the last four, some of them again.
  for (Index i = 0; i < m; i += 4) {
    const Index r = smaller(i, m - 4);
    for (Index j = 0; j < n; j += 4) {
      const Index c = smaller(j, n - 4);
      transpose4(from + c * row + r, row, to + r * toStep + c, toStep);
    }
  }
}

/** Has a plan whose copy is whole run with lanes; its weight is packed after that. */
template <class T> INLINE void useLanes(ConvPlan<T>& plan) {
  plan.lanes = true;
  plan.height = NV * Lanes<T>::N;
  plan.weightRows = roundUp(plan.m, Lanes<T>::N);
}

/** Positions per tile: the rows of the output in about equal parts. */
template <class T> INLINE Index lanePositions(Index columns) { return ceilDivide(columns, ceilDivide(columns, Index(MR))); }

/** Panels of lanes that are worked on together, so that weights are fetched once for all of them. */
template <class T> INLINE Index lanePanelsAtOnce(const ConvPlan<T>& plan) { return larger(1, PANELS / plan.columnPhases); }

template <class T> INLINE Index laneSums(const ConvPlan<T>& plan) {
  return lanePanelsAtOnce(plan) * plan.columnPhases * MR * NV * Lanes<T>::N;
}

/** Panels [first, last) of one unit, each a part of a row of the output, for all column phases; `sums` holds `laneSums` elements. */
template <class T>
static void lanePanels(const ConvPlan<T>& plan, const OutputPhase<T>* phases, Index group, const T* copy, UnitTarget<T> target,
                       Index first, Index last, T* sums) {
  const Index columns = phases->count[2], size = lanePositions<T>(columns), perRow = ceilDivide(columns, size);
  const Index channelStep = plan.outPlane(), rowStep = plan.outStep[1] * plan.outExtent[2], step = plan.outStep[2];
  const Index atOnce = lanePanelsAtOnce(plan), groups = ceilDivide(last - first, atOnce);
  for (Index t = 0; t < groups; t++) {
    const Index q0 = first + shareOf(last - first, t, groups), q1 = first + shareOf(last - first, t + 1, groups);
    for (Index i = 0; i < plan.m; i += plan.height) {
      const Index width = plan.stripWidth(i), sumsSize = size * plan.columnPhases * width;
      for (Index c = 0; c < plan.columnPhases; c++) {
        const OutputPhase<T>& phase = phases[c];
        const T* weight = phase.weight + (group * plan.weightRows + i) * phase.depth;
        const Index block = ceilDivide(larger(1, phase.depth), ceilDivide(larger(1, phase.depth), Index(LANE_DEPTH)));
        Index k0 = 0;
        do {
          const Index depth = smaller(block, phase.depth - k0);
          for (Index q = q0; q < q1; q++) {
            const Index row = q / perRow, column = q % perRow * size;
            if (c == 0 && k0 == 0) {
              // What is written later comes into cache while it is computed.
              const T* to = target.data + i * channelStep + row * rowStep + column * step;
              for (Index r = 0; r < smaller(width, plan.m - i); r++, to += channelStep)
                for (Index j = 0; j < size * step; j += 64 / Index(sizeof(T))) __builtin_prefetch(to + j, 1);
            }
            laneTile<T>(smaller(size, columns - column), width / Lanes<T>::N, plan.readStep[1])(
                depth, copy + row * plan.readStep[0] * plan.padded.pitch + column * plan.readStep[1], phase.offsets + k0,
                weight + k0 * width, sums + (q - q0) * sumsSize + c * width, plan.columnPhases * width, k0 > 0);
          }
          k0 += block;
        } while (k0 < phase.depth);
      }
      for (Index q = q0; q < q1; q++) {
        const Index row = q / perRow, column = q % perRow * size;
        const Index n = smaller(smaller(size, columns - column) * step, plan.outExtent[2] - column * step);
        T* to = target.data + i * channelStep + row * rowStep + column * step;
        putLanes(sums + (q - q0) * sumsSize, width, smaller(width, plan.m - i), n, to, channelStep);
      }
    }
  }
}

}  // namespace ADJOINT_NAMESPACE
