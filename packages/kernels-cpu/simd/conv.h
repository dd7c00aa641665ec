// The forward convolution and the input gradient (which is the transposed convolution).

namespace ADJOINT_NAMESPACE {

template <class T> static Status convForward(Run& run, const ConvShape& s, const T* x, const T* w, T* y) {
  if (isDense(s)) return denseForward(run, s, x, w, y);
  if (isPointwise(s)) return pointwise<T>(run, s, {w, s.inChannels, 1}, s.outChannels, s.inChannels, x, y);
  if (const auto kernel = depthwiseKernels<T>(s).forward) return kernel(run, planeShapeOf(s), s.batch, s.groups, x, w, y);
  if (isThreeByThree(s) && tryWinograd(run, winogradForward<T>(s, x, w, y)) == DONE) return DONE;
  ConvPlan<T> plan;
  if (!planForward(run, s, x, y, BY_PHASE, plan)) return OUT_OF_MEMORY;
  if (lanesPay(plan, s.stride[2])) {
    if (!planForward(run, s, x, y, WHOLE, plan)) return OUT_OF_MEMORY;
    useLanes(plan);
  }
  OutputPhase<T>& phase = plan.phase[0];
  phase.weight = take<T>(run, s.groups * plan.weightRows * phase.depth + 16);
  if (!phase.weight) return OUT_OF_MEMORY;
  const Index strips = ceilDivide(plan.m, plan.height);
  parallel(run, s.groups * strips, [&](Index t, int) {
    const Index group = t / strips, i = t % strips * plan.height;
    pack(w + (group * plan.m + i) * phase.depth, phase.depth, Index(1), smaller(plan.height, plan.m - i), plan.stripWidth(i), phase.depth,
         phase.weight + (group * plan.weightRows + i) * phase.depth);
  });
  return runPlan(run, plan);
}

/** Taps of one axis by the phase of the output that they meet. */
struct AxisTaps {
  /** Tap k meets phase `phase[k]`, where output j reads source position j + shift[k]. */
  Index* phase;
  Index* shift;
  Index lowest, highest;
};

/** With output position i = f + stride · j, tap k reads o where o · stride − padding + k · dilation = i. */
INLINE bool listShifts(Run& run, Index kernel, Index stride, Index padding, Index dilation, AxisTaps& taps) {
  taps.phase = take<Index>(run, 2 * kernel);
  if (!taps.phase) return false;
  taps.shift = taps.phase + kernel;
  for (Index k = 0; k < kernel; k++) {
    const Index distance = k * dilation - padding;
    const Index f = (distance % stride + stride) % stride;
    taps.phase[k] = f;
    taps.shift[k] = (f - distance) / stride;
    taps.lowest = k == 0 ? taps.shift[k] : smaller(taps.lowest, taps.shift[k]);
    taps.highest = k == 0 ? taps.shift[k] : larger(taps.highest, taps.shift[k]);
  }
  return true;
}

template <class T> static bool allFinite(const T* a, Index n) {
  Vec<T> sum = {};
  Index i = 0;
  // x · 0 is 0 for a finite x, else NaN.
  for (; i + Lanes<T>::N <= n; i += Lanes<T>::N) sum += load(a + i) * Vec<T>{};
  T rest = 0;
  for (; i < n; i++) rest += a[i] * T(0);
  return horizontalSum<T>(sum) + rest == 0;
}

/** Not here where a weight is infinite or NaN: the zeros around y would then count, which they must not. */
template <class T> static Status convInputGrad(Run& run, const ConvShape& s, const T* w, const T* y, T* x) {
  const Index taps = s.kernel[0] * s.kernel[1] * s.kernel[2];
  if (isDense(s)) return denseInputGrad(run, s, w, y, x);
  if (isPointwise(s)) return pointwise<T>(run, s, {w, 1, s.inChannels}, s.inChannels, s.outChannels, y, x);
  if (isThreeByThree(s) && tryWinograd(run, winogradInputGrad<T>(s, w, y, x)) == DONE) return DONE;
  if (depthwiseTurns<T>(s)) return allFinite(w, s.groups * taps) ? depthwiseInputGrad(run, s, w, y, x) : NOT_HERE;
  AxisTaps axis[3];
  ConvPlan<T> plan;
  Padded& p = plan.padded;
  p.channels = s.outChannels;
  for (int a = 0; a < 3; a++) {
    if (!listShifts(run, s.kernel[a], s.stride[a], s.padding[a], s.dilation[a], axis[a])) return OUT_OF_MEMORY;
    p.extent[a] = s.out[a];
    p.scale[a] = 1;
    p.origin[a] = axis[a].lowest;
    plan.outExtent[a] = s.in[a];
    plan.outStep[a] = s.stride[a];
  }
  static const Index none = 0;
  p.rowPhases = p.columnPhases = 1;
  p.rowPhase = p.columnPhase = &none;
  p.slices = axis[0].highest - axis[0].lowest + 1;
  p.sliceStep = 1;
  const Index reachRows = axis[1].highest - axis[1].lowest, rowCount = ceilDivide(s.in[1], s.stride[1]);
  p.pitch = ceilDivide(s.in[2], s.stride[2]) + axis[2].highest - axis[2].lowest;
  plan.bandRows = bandRowsFor(rowCount, p.channels * p.slices * p.pitch * Index(sizeof(T)), reachRows);
  p.rows = plan.bandRows + reachRows;
  plan.bands = ceilDivide(rowCount, plan.bandRows);
  plan.depths = ceilDivide(s.in[0], s.stride[0]);
  plan.batch = s.batch;
  plan.groups = s.groups;
  plan.m = s.inChannels;
  plan.height = tileRowsFor(plan.m);
  plan.weightRows = plan.m;
  plan.readStep[0] = plan.readStep[1] = 1;
  plan.lanes = false;
  plan.source = y;
  plan.target = x;
  // A phase that starts past the extent is empty; more than one phase without taps is as good as one, but they are rare.
  Index counts[3];
  for (int a = 0; a < 3; a++) counts[a] = smaller(s.stride[a], s.in[a]);
  plan.phases = counts[0] * counts[1] * counts[2];
  plan.columnPhases = counts[2];
  plan.phase = take<OutputPhase<T>>(run, plan.phases);
  Index* offsets = take<Index>(run, s.outChannels * taps);
  Index* tapLists = take<Index>(run, taps);
  if (!plan.phase || !offsets || !tapLists) return OUT_OF_MEMORY;
  OutputPhase<T>* next = plan.phase;
  Index* tapList = tapLists;
  for (Index fd = 0; fd < counts[0]; fd++)
    for (Index fh = 0; fh < counts[1]; fh++)
      for (Index fw = 0; fw < counts[2]; fw++) {
        OutputPhase<T>& phase = *next++;
        const Index first[3] = {fd, fh, fw};
        for (int a = 0; a < 3; a++) {
          phase.first[a] = first[a];
          phase.count[a] = ceilDivide(s.in[a] - first[a], s.stride[a]);
        }
        // Source positions ascend: taps in descending order where that is so.
        Index count = 0;
        for (Index kd = 0; kd < s.kernel[0]; kd++)
          for (Index kh = 0; kh < s.kernel[1]; kh++)
            for (Index kw = 0; kw < s.kernel[2]; kw++)
              if (axis[0].phase[kd] == fd && axis[1].phase[kh] == fh && axis[2].phase[kw] == fw)
                tapList[count++] = (kd * s.kernel[1] + kh) * s.kernel[2] + kw;
        phase.depth = count * s.outChannels;
        phase.offsets = offsets;
        for (Index m = 0; m < s.outChannels; m++)
          for (Index t = 0; t < count; t++) {
            const Index tap = tapList[t], kw = tap % s.kernel[2], kh = tap / s.kernel[2] % s.kernel[1], kd = tap / s.kernel[2] / s.kernel[1];
            *offsets++ = m * p.channelSize() + (axis[0].shift[kd] - axis[0].lowest) * p.planeSize() +
                         (axis[1].shift[kh] - axis[1].lowest) * p.pitch + axis[2].shift[kw] - axis[2].lowest;
          }
        tapList += count;
      }
  if (lanesPay(plan, 1)) useLanes(plan);
  T* weights = take<T>(run, s.groups * plan.weightRows * s.outChannels * taps + 16);
  // Of each thread, in lines of their own.
  const Index turnedSize = roundUp(plan.height * taps, 32);
  T* turned = take<T>(run, run.threads * turnedSize);
  if (!weights || !turned) return OUT_OF_MEMORY;
  for (Index f = 0; f < plan.phases; f++) {
    plan.phase[f].weight = weights;
    weights += s.groups * plan.weightRows * plan.phase[f].depth;
  }
  bool odd = false;
  // As the weight lies in memory, of which all strips get something.
  parallelShares(run, s.groups * s.outChannels, [&](Index t, int thread) {
    const Index group = t / s.outChannels, m = t % s.outChannels;
    const T* const from = w + t * s.inChannels * taps;
    T* const byTap = turned + thread * turnedSize;
    if (!allFinite(from, s.inChannels * taps)) __atomic_store_n(&odd, true, __ATOMIC_RELAXED);
    for (Index i = 0; i < plan.m; i += plan.height) {
      const Index width = plan.stripWidth(i);
      pack(from + i * taps, taps, Index(1), smaller(plan.height, plan.m - i), width, taps, byTap);
      const Index* list = tapLists;
      for (Index f = 0; f < plan.phases; f++) {
        const OutputPhase<T>& phase = plan.phase[f];
        const Index count = phase.depth / s.outChannels;
        T* to = phase.weight + (group * plan.weightRows + i) * phase.depth + m * count * width;
        for (Index k = 0; k < count; k++, to += width) copyRun(to, byTap + *list++ * width, width);
      }
    }
  });
  if (odd) return NOT_HERE;
  return runPlan(run, plan);
}

}  // namespace ADJOINT_NAMESPACE
