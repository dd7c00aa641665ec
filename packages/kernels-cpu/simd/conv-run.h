// Runs a plan: the forward convolution, and each phase of the input gradient.

namespace ADJOINT_NAMESPACE {

template <class T>
INLINE UnitTarget<T> targetOf(const ConvPlan<T>& plan, const OutputPhase<T>& phase, Index n, Index group, Index depth, Index band) {
  const Index j = band * plan.bandRows;
  const Index rows = depth < phase.count[0] ? smaller(plan.bandRows, phase.count[1] - j) : 0;
  const Index d = phase.first[0] + depth * plan.outStep[0], h = phase.first[1] + j * plan.outStep[1];
  T* image = plan.target + (n * plan.groups + group) * plan.m * plan.outPlane();
  return {image + (d * plan.outExtent[1] + h) * plan.outExtent[2], larger(0, rows)};
}

/** to[j · step + c] = from[c · fromStep + j] for every column phase c, as far as that index is below n. */
template <class T> INLINE void putColumns(T* to, Index phases, Index step, const T* from, Index fromStep, Index n) {
  if (step == 1) {
    copyRun(to, from, n);
    return;
  }
  Index first = 0;
  if (step == 2 && phases == 2)
    for (; 2 * first + 8 <= n; first += 4) interleave4(from + first, from + fromStep + first, to + 2 * first);
  for (Index c = 0; c < phases; c++)
    for (Index j = first; j * step + c < n; j++) to[j * step + c] = from[c * fromStep + j];
}

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
 * packed once for all rows of the weight. `packed` and `sums` hold packedScratch elements each.
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

template <class T> static Status runPlan(Run& run, const ConvPlan<T>& plan) {
  const Index unitsPerGroup = plan.batch * plan.depths * plan.bands, units = unitsPerGroup * plan.groups;
  if (units == 0) return DONE;
  const Index unitSize = plan.unitSize(), channels = plan.padded.channels;
  const bool packs = packingPays(plan);
  const auto place = [&](Index unit, Index& n, Index& depth, Index& band) {
    band = unit % plan.bands;
    depth = unit / plan.bands % plan.depths;
    n = unit / plan.bands / plan.depths;
  };
  const auto source = [&](Index n, Index group, Index channel) {
    return plan.source + ((n * plan.groups + group) * channels + channel) * plan.sourcePlane();
  };
  const Index sumsSize = plan.lanes ? laneSums(plan) : plan.columnPhases * (packs ? PANELS * plan.m * Tile<T>::N : larger(MR * Tile<T>::N, plan.height * directWidth(plan))) + 16;
  T* sums = take<T>(run, run.threads * sumsSize);
  if (!sums) return OUT_OF_MEMORY;

  if (!packs && (run.threads == 1 || units >= 4 * run.threads)) {
    // Each thread takes whole units, whose copies stay in its cache.
    T* copies = take<T>(run, run.threads * unitSize);
    if (!copies) return OUT_OF_MEMORY;
    const Index grain = larger(1, units / (run.threads * 16));
    parallel(run, ceilDivide(units, grain), [&](Index task, int thread) {
      T* copy = copies + thread * unitSize;
      for (Index u = task * grain; u < smaller(units, (task + 1) * grain); u++) {
        const Index group = u / plan.depths / plan.bands % plan.groups;
        Index n, depth, band;
        place(u, n, depth, band);
        n /= plan.groups;
        for (Index c = 0; c < channels; c++)
          copyChannel(plan.padded, source(n, group, c), depth, band * plan.bandRows * plan.readStep[0], copy + c * plan.padded.channelSize());
        for (Index f = 0; f < plan.phases; f += plan.columnPhases) {
          const UnitTarget<T> target = targetOf(plan, plan.phase[f], n, group, depth, band);
          directPanels(plan, plan.phase + f, group, copy, target, 0, directPanelCount(plan, plan.phase[f], target.rows), sums + thread * sumsSize);
        }
      }
    });
    return DONE;
  }

  // The threads share a wave of units: first they copy, then they compute.
  const Index wave = waveOf(run, unitsPerGroup, unitSize * Index(sizeof(T)));
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
    for (Index w0 = 0; w0 < unitsPerGroup; w0 += wave) {
      const Index count = smaller(wave, unitsPerGroup - w0);
      parallelShares(run, count * channels, [&](Index t, int) {
        Index n, depth, band;
        place(w0 + t / channels, n, depth, band);
        const Index c = t % channels;
        copyChannel(plan.padded, source(n, group, c), depth, band * plan.bandRows * plan.readStep[0], copies + t / channels * unitSize + c * plan.padded.channelSize());
      });
      Index most = 0;
      for (Index f = 0; f < rowPhases; f++) {
        const OutputPhase<T>& phase = plan.phase[f * plan.columnPhases];
        UnitTarget<T>* const target = targets + f * wave;
        Index* const start = starts + f * (wave + 1);
        start[0] = 0;
        for (Index u = 0; u < count; u++) {
          Index n, depth, band;
          place(w0 + u, n, depth, band);
          target[u] = targetOf(plan, phase, n, group, depth, band);
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

}  // namespace ADJOINT_NAMESPACE
