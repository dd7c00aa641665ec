// Runs a plan: the forward convolution, and each phase of the input gradient.

namespace ADJOINT_NAMESPACE {

/** Each thread takes whole units, whose copies stay in its cache, and reads them in place. `sums` holds `sumsSize` elements per thread. */
template <class T> static Status runUnits(Run& run, const ConvPlan<T>& plan, T* sums, Index sumsSize) {
  const BandUnits inGroup = unitsOf(plan);
  const Index units = inGroup.perGroup * plan.groups, unitSize = plan.unitSize();
  T* copies = take<T>(run, run.threads * unitSize);
  if (!copies) return OUT_OF_MEMORY;
  const Index grain = larger(1, units / (run.threads * 16));
  parallel(run, ceilDivide(units, grain), [&](Index task, int thread) {
    T* copy = copies + thread * unitSize;
    for (Index u = task * grain; u < smaller(units, (task + 1) * grain); u++) {
      // Image by image, and all groups of each: as if a group were an image of its own.
      UnitPlace at = inGroup.place(u);
      const Index group = at.n % plan.groups;
      at.n /= plan.groups;
      for (Index c = 0; c < plan.padded.channels; c++) copyUnitChannel(plan, group, at, c, copy);
      for (Index f = 0; f < plan.phases; f += plan.columnPhases) {
        const UnitTarget<T> target = targetOf(plan, plan.phase[f], group, at);
        directPanels(plan, plan.phase + f, group, copy, target, 0, directPanelCount(plan, plan.phase[f], target.rows), sums + thread * sumsSize);
      }
    }
  });
  return DONE;
}

/** The threads share a wave of units: first they copy, then they compute. `sums` holds `sumsSize` elements per thread. */
template <class T> static Status runWaves(Run& run, const ConvPlan<T>& plan, bool packs, T* sums, Index sumsSize) {
  const BandUnits units = unitsOf(plan);
  const Index unitSize = plan.unitSize(), channels = plan.padded.channels, wave = waveOf(run, units.perGroup, unitSize * Index(sizeof(T)));
  T* copies = take<T>(run, wave * unitSize);
  // Per row phase (all phases that differ in their columns alone): targets of the wave's units, and where their panels start.
  const Index rowPhases = plan.phases / plan.columnPhases;
  UnitTarget<T>* targets = take<UnitTarget<T>>(run, rowPhases * wave);
  Index* starts = take<Index>(run, rowPhases * (wave + 1));
  Index block = 0;
  for (Index f = 0; f < plan.phases; f++) block = larger(block, smaller(plan.phase[f].depth, depthBlock<T>(plan.phase[f].depth)));
  const Index packedSize = packs ? PANELS * block * Tile<T>::N + 16 : 0;
  T* packed = take<T>(run, run.threads * packedSize);
  if (!copies || !targets || !starts || !packed) return OUT_OF_MEMORY;
  const auto panelsOf = [&](Index f, Index count) {
    const Index total = starts[f * (wave + 1) + count];
    return packs ? ceilDivide(total, Tile<T>::N) : total;
  };
  for (Index group = 0; group < plan.groups; group++)
    for (Index w0 = 0; w0 < units.perGroup; w0 += wave) {
      const Index count = smaller(wave, units.perGroup - w0);
      parallelShares(run, count * channels, [&](Index t, int) {
        copyUnitChannel(plan, group, units.place(w0 + t / channels), t % channels, copies + t / channels * unitSize);
      });
      Index most = 0;
      for (Index f = 0; f < rowPhases; f++) {
        const OutputPhase<T>& phase = plan.phase[f * plan.columnPhases];
        UnitTarget<T>* const target = targets + f * wave;
        Index* const start = starts + f * (wave + 1);
        start[0] = 0;
        for (Index u = 0; u < count; u++) {
          target[u] = targetOf(plan, phase, group, units.place(w0 + u));
          start[u + 1] = start[u] + (packs ? target[u].rows * phase.count[2] : directPanelCount(plan, phase, target[u].rows));
        }
        most = larger(most, panelsOf(f, count));
      }
      // A few panels of every row phase per task: neighbouring rows of the target are written while they are in cache.
      const Index tasks = smaller(most, larger(ceilDivide(most, PANELS), run.threads == 1 ? 1 : 4 * run.threads));
      parallel(run, tasks, [&](Index t, int thread) {
        for (Index f = 0; f < rowPhases; f++) {
          const OutputPhase<T>* const phases = plan.phase + f * plan.columnPhases;
          const UnitTarget<T>* const target = targets + f * wave;
          const Index* const start = starts + f * (wave + 1);
          const Index panels = panelsOf(f, count), first = shareOf(panels, t, tasks), last = shareOf(panels, t + 1, tasks);
          T* const own = sums + thread * sumsSize;
          if (packs) {
            packedPanels(plan, phases, group, copies, target, start, count, first, last, packed + thread * packedSize, own);
            continue;
          }
          Index unit = 0;
          for (Index q = first; q < last;) {
            while (start[unit + 1] <= q) unit++;
            const Index end = smaller(last, start[unit + 1]);
            directPanels(plan, phases, group, copies + unit * unitSize, target[unit], q - start[unit], end - start[unit], own);
            q = end;
          }
        }
      });
    }
  return DONE;
}

/** Elements of sums that each thread has at hand. */
template <class T> INLINE Index sumsOf(const ConvPlan<T>& plan, bool packs) {
  if (plan.lanes) return laneSums(plan);
  return plan.columnPhases * (packs ? PANELS * plan.m * Tile<T>::N : larger(MR * Tile<T>::N, plan.height * directWidth(plan))) + 16;
}

template <class T> static Status runPlan(Run& run, const ConvPlan<T>& plan) {
  const Index units = unitsOf(plan).perGroup * plan.groups;
  if (units == 0) return DONE;
  const bool packs = packingPays(plan);
  const Index sumsSize = sumsOf(plan, packs);
  T* sums = take<T>(run, run.threads * sumsSize);
  if (!sums) return OUT_OF_MEMORY;
  if (!packs && (run.threads == 1 || units >= 4 * run.threads)) return runUnits(run, plan, sums, sumsSize);
  return runWaves(run, plan, packs, sums, sumsSize);
}

}  // namespace ADJOINT_NAMESPACE
