// Runs a plan: the forward convolution, and each phase of the input gradient.

namespace ADJOINT_NAMESPACE {

/** Where one unit writes in one phase. */
template <class T> struct UnitTarget {
  T* data;
  Index rows;
};

template <class T>
INLINE UnitTarget<T> targetOf(const ConvPlan<T>& plan, const OutputPhase<T>& phase, Index n, Index group, Index depth, Index band) {
  const Index j = band * plan.bandRows;
  const Index rows = depth < phase.count[0] ? smaller(plan.bandRows, phase.count[1] - j) : 0;
  const Index d = phase.first[0] + depth * plan.outStep[0], h = phase.first[1] + j * plan.outStep[1];
  T* image = plan.target + (n * plan.groups + group) * plan.m * plan.outPlane();
  return {image + (d * plan.outExtent[1] + h) * plan.outExtent[2] + phase.first[2], larger(0, rows)};
}

/** to[j · step] (=|+=) from[j]. */
template <class T> INLINE void putRun(T* to, Index step, const T* from, Index n, bool accumulate) {
  if (step == 1 && !accumulate) copyRun(to, from, n);
  else if (accumulate) for (Index j = 0; j < n; j++) to[j * step] += from[j];
  else for (Index j = 0; j < n; j++) to[j * step] = from[j];
}

/** Elements of scratch per thread for `directPanels` and `packedPanels`. */
template <class T> INLINE Index panelScratch() { return 16 * MR * Tile<T>::N + 32; }

/**
 * Panels [first, last) of one unit, read in place from its copy. Positions run over whole rows of the copy; what falls
 * between two rows of the output is dropped.
 */
template <class T>
static void directPanels(const ConvPlan<T>& plan, const OutputPhase<T>& phase, Index group, const T* copy, UnitTarget<T> target,
                         Index first, Index last, T* tile) {
  const bool thin = plan.m <= Tiles<T>::THIN;
  const Index width = (thin ? Tiles<T>::thinVectors[plan.m] : NV) * Lanes<T>::N;
  const Index pitch = plan.padded.pitch, columns = phase.count[2];
  const Index positions = (target.rows - 1) * pitch + columns;
  const Index block = depthBlock<T>(phase.depth);
  const T* weight = phase.weight + group * plan.m * phase.depth;
  const Index channelStep = plan.outPlane(), rowStep = plan.outStep[1] * plan.outExtent[2], step = plan.outStep[2];
  for (Index q = first; q < last; q++) {
    const Index p0 = q * width, count = smaller(width, positions - p0);
    for (Index i = 0; i < plan.m; i += plan.height) {
      const Index rows = smaller(plan.height, plan.m - i);
      const OffsetsTile<T> run = thin ? Tiles<T>::thin[rows] : Tiles<T>::offsets[rows];
      for (Index k0 = 0; k0 < phase.depth; k0 += block)
        run(smaller(block, phase.depth - k0), weight + i * phase.depth + k0 * rows, copy + p0, phase.offsets + k0, tile, width, k0 > 0);
      Index row = p0 / pitch, column = p0 % pitch;
      for (Index at = 0; at < count; row++, column = 0) {
        const Index run_ = smaller(pitch - column, count - at), kept = smaller(columns - column, run_);
        if (kept > 0)
          for (Index r = 0; r < rows; r++)
            putRun(target.data + (i + r) * channelStep + row * rowStep + column * step, step, tile + r * width + at, kept, false);
        at += run_;
      }
    }
  }
}

template <class T> INLINE Index directPanelCount(const ConvPlan<T>& plan, const OutputPhase<T>& phase, Index rows) {
  if (rows == 0) return 0;
  const Index width = (plan.m <= Tiles<T>::THIN ? Tiles<T>::thinVectors[plan.m] : NV) * Lanes<T>::N;
  return ceilDivide((rows - 1) * plan.padded.pitch + phase.count[2], width);
}

/** A part of a panel that lies in one row: from the copies, to the target. */
template <class T> struct Segment {
  const T* from;
  T* to;
  Index start, count;
};

/**
 * Panels [first, last) of all units of a wave taken together, packed as they come: no position is wasted, and a panel is
 * packed once for all rows of the weight.
 */
template <class T>
static void packedPanels(const ConvPlan<T>& plan, const OutputPhase<T>& phase, Index group, const T* copies,
                         const UnitTarget<T>* targets, const Index* starts, Index units, Index first, Index last, T* packed, T* tile) {
  constexpr Index N = Tile<T>::N;
  const Index pitch = plan.padded.pitch, columns = phase.count[2], total = starts[units];
  const Index block = depthBlock<T>(phase.depth);
  const T* weight = phase.weight + group * plan.m * phase.depth;
  const Index channelStep = plan.outPlane(), rowStep = plan.outStep[1] * plan.outExtent[2], step = plan.outStep[2];
  Index unit = 0;
  for (Index q = first; q < last; q++) {
    Segment<T> segments[N];
    Index count = 0;
    const Index p0 = q * N, width = smaller(N, total - p0);
    bool solid = width == N && step == 1;
    for (Index at = 0; at < width; count++) {
      while (starts[unit + 1] <= p0 + at) unit++;
      const Index local = p0 + at - starts[unit], row = local / columns, column = local % columns;
      const Index run = smaller(columns - column, width - at);
      segments[count] = {copies + unit * plan.unitSize() + row * pitch + column, targets[unit].data + row * rowStep + column * step, at, run};
      if (segments[count].to - segments[0].to != at) solid = false;
      at += run;
    }
    for (Index k0 = 0; k0 < phase.depth; k0 += block) {
      const Index depth = smaller(block, phase.depth - k0);
      const Index* offsets = phase.offsets + k0;
      if (count == 1 && width == N) {
        for (Index k = 0; k < depth; k++) copyRun(packed + k * N, segments[0].from + offsets[k], N);
      } else {
        // Whole registers are copied; what is too much is overwritten by the next segment, or not used.
        for (Index s = 0; s < count; s++)
          for (Index k = 0; k < depth; k++) {
            const T* from = segments[s].from + offsets[k];
            T* to = packed + k * N + segments[s].start;
            for (Index j = 0; j < segments[s].count; j += Lanes<T>::N) {
              if (segments[s].start + j + Lanes<T>::N <= N) store(to + j, load(from + j));
              else for (Index t = j; t < segments[s].count; t++) to[t] = from[t];
            }
          }
        if (width < N)
          for (Index k = 0; k < depth; k++) zero(packed + k * N + width, N - width);
      }
      for (Index i = 0; i < plan.m; i += plan.height) {
        const Index rows = smaller(plan.height, plan.m - i);
        const T* a = weight + i * phase.depth + k0 * rows;
        if (solid) {
          Tiles<T>::rows[rows](1, depth, a, packed, N, 0, segments[0].to + i * channelStep, channelStep, k0 > 0);
          continue;
        }
        Tiles<T>::rows[rows](1, depth, a, packed, N, 0, tile, N, false);
        for (Index r = 0; r < rows; r++)
          for (Index s = 0; s < count; s++)
            putRun(segments[s].to + (i + r) * channelStep, step, tile + r * N + segments[s].start, segments[s].count, k0 > 0);
      }
    }
  }
}

/** Phases without a tap: their outputs are 0. */
template <class T> static void zeroPhase(const ConvPlan<T>& plan, const OutputPhase<T>& phase, UnitTarget<T> target) {
  for (Index i = 0; i < plan.m; i++)
    for (Index r = 0; r < target.rows; r++) {
      T* row = target.data + i * plan.outPlane() + r * plan.outStep[1] * plan.outExtent[2];
      for (Index j = 0; j < phase.count[2]; j++) row[j * plan.outStep[2]] = 0;
    }
}

/** Whether packing pays: what reading in place wastes between rows, against the copying, per unit of work. */
template <class T> static bool packingPays(const ConvPlan<T>& plan) {
  if (plan.m <= Tiles<T>::THIN) return false;
  double direct = 0, packed = 0;
  for (Index f = 0; f < plan.phases; f++) {
    const OutputPhase<T>& phase = plan.phase[f];
    const Index rows = smaller(plan.bandRows, phase.count[1]), columns = phase.count[2];
    if (rows <= 0 || columns <= 0 || phase.depth == 0) continue;
    const double segments = 1.0 + double(Tile<T>::N) / columns;
    direct += double(phase.depth) * directPanelCount(plan, phase, rows) * Tile<T>::N * plan.m;
    packed += double(phase.depth) * rows * columns * (plan.m + 2 + 3 * segments);
  }
  return packed < direct;
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
  T* tiles = take<T>(run, run.threads * panelScratch<T>());
  if (!tiles) return OUT_OF_MEMORY;

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
          copyChannel(plan.padded, source(n, group, c), depth, band * plan.bandRows, copy + c * plan.padded.channelSize());
        for (Index f = 0; f < plan.phases; f++) {
          const OutputPhase<T>& phase = plan.phase[f];
          const UnitTarget<T> target = targetOf(plan, phase, n, group, depth, band);
          if (target.rows == 0) continue;
          if (phase.depth == 0) zeroPhase(plan, phase, target);
          else directPanels(plan, phase, group, copy, target, 0, directPanelCount(plan, phase, target.rows), tiles + thread * panelScratch<T>());
        }
      }
    });
    return DONE;
  }

  // The threads share a wave of units: first they copy, then they compute.
  const Index wave = smaller(unitsPerGroup, larger(1, WAVE_BYTES / (unitSize * Index(sizeof(T)))));
  T* copies = take<T>(run, wave * unitSize);
  UnitTarget<T>* targets = take<UnitTarget<T>>(run, wave);
  Index* starts = take<Index>(run, wave + 1);
  Index block = 0;
  for (Index f = 0; f < plan.phases; f++) block = larger(block, smaller(plan.phase[f].depth, depthBlock<T>(plan.phase[f].depth)));
  const Index packedSize = packs ? block * Tile<T>::N + 16 : 0;
  T* packed = take<T>(run, run.threads * packedSize);
  if (!copies || !targets || !starts || !packed) return OUT_OF_MEMORY;
  for (Index group = 0; group < plan.groups; group++)
    for (Index w0 = 0; w0 < unitsPerGroup; w0 += wave) {
      const Index count = smaller(wave, unitsPerGroup - w0);
      parallel(run, count * channels, [&](Index t, int) {
        Index n, depth, band;
        place(w0 + t / channels, n, depth, band);
        const Index c = t % channels;
        copyChannel(plan.padded, source(n, group, c), depth, band * plan.bandRows, copies + t / channels * unitSize + c * plan.padded.channelSize());
      });
      for (Index f = 0; f < plan.phases; f++) {
        const OutputPhase<T>& phase = plan.phase[f];
        starts[0] = 0;
        for (Index u = 0; u < count; u++) {
          Index n, depth, band;
          place(w0 + u, n, depth, band);
          targets[u] = targetOf(plan, phase, n, group, depth, band);
          if (phase.depth == 0) zeroPhase(plan, phase, targets[u]);
          starts[u + 1] = starts[u] + (packs ? targets[u].rows * phase.count[2] : directPanelCount(plan, phase, targets[u].rows));
        }
        if (phase.depth == 0 || starts[count] == 0) continue;
        const Index panels = packs ? ceilDivide(starts[count], Tile<T>::N) : starts[count];
        const Index chunk = larger(1, panels / (8 * run.threads));
        parallel(run, ceilDivide(panels, chunk), [&](Index t, int thread) {
          const Index first = t * chunk, last = smaller(panels, first + chunk);
          T* tile = tiles + thread * panelScratch<T>();
          if (packs) {
            packedPanels(plan, phase, group, copies, targets, starts, count, first, last, packed + thread * packedSize, tile);
            return;
          }
          Index unit = 0;
          for (Index q = first; q < last;) {
            while (starts[unit + 1] <= q) unit++;
            const Index end = smaller(last, starts[unit + 1]);
            directPanels(plan, phase, group, copies + unit * unitSize, targets[unit], q - starts[unit], end - starts[unit], tile);
            q = end;
          }
        });
      }
    }
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
