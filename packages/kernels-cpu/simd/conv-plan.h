// How a convolution is cut up: bands of output rows, each with a padded copy of what it reads.
//
// The copy splits rows and columns by their phase (position modulo stride), which makes every convolution one of stride 1:
// a tap is then an offset into the copy, and the outputs of a band are one long run of positions `pitch` apart per row.
// The input gradient has a stride on its output instead: each phase of the output is a convolution of stride 1 with the
// taps that meet it. No zero is ever inserted for a stride, and no matrix of taps ever stored.

namespace ADJOINT_NAMESPACE {

/** Bytes of one band's copy, and per thread of all copies alive at once, about: they are read while they are in cache. */
enum { BAND_BYTES = 1 << 20, WAVE_BYTES = 3 << 19 };

/** How many of `units` copies of `bytes` each are made at once: waves of about the same length. */
INLINE Index waveOf(const Run& run, Index units, Index bytes) {
  const Index most = larger(1, run.threads * Index(WAVE_BYTES) / bytes);
  return ceilDivide(larger(1, units), ceilDivide(larger(1, units), most));
}

/** Runs `body` for each of `n` small things, several in a task: to be taken costs a task about what it takes to copy a short row. */
template <class F> inline void parallelShares(Run& run, Index n, const F& body) {
  const Index tasks = run.threads == 1 ? smaller(n, 1) : smaller(n, 8 * run.threads);
  parallel(run, tasks, [&](Index t, int thread) {
    for (Index i = shareOf(n, t, tasks); i < shareOf(n, t + 1, tasks); i++) body(i, thread);
  });
}

/** Copies for bands of images: `channels × slices × rowPhases × columnPhases` planes of `rows × pitch` elements. */
struct Padded {
  Index channels, extent[3];
  /** Copy of depth t for the unit at depth u: source depth u · scale + origin + t · step. Rows and columns likewise. */
  Index slices, sliceStep;
  Index scale[3], origin[3];
  Index rowPhases, columnPhases;
  const Index* rowPhase;
  const Index* columnPhase;
  Index rows, pitch;
  Index planeSize() const { return rows * pitch; }
  Index channelSize() const { return slices * rowPhases * columnPhases * planeSize(); }
};

/** Output positions of one phase: `first + step · j` for j < count, per axis. A convolution has one phase, the whole. */
template <class T> struct OutputPhase {
  Index first[3], count[3];
  Index depth;
  const Index* offsets;
  /** Weight, packed in strips of `height` rows, group after group. */
  T* weight;
};

/** One convolution of stride 1 over all units (image, group, output depth, band of output rows). */
template <class T> struct ConvPlan {
  Padded padded;
  const T* source;
  T* target;
  Index batch, groups, m, height;
  /** Units per image: depths × bands. */
  Index depths, bands, bandRows;
  Index outExtent[3], outStep[3];
  /** Rows and columns of the copy between neighbouring positions of the output: 1 where the copy is split by phases. */
  Index readStep[2];
  /** Whether registers hold output channels: see conv-lanes.h. */
  bool lanes;
  /** Rows of the packed weight of a group: as many as channels, or in whole registers where those are lanes. */
  Index weightRows;
  Index stripWidth(Index i) const { return smaller(height, weightRows - i); }
  /** Phases that differ in their columns alone follow one another. */
  Index phases, columnPhases;
  OutputPhase<T>* phase;
  Index sourcePlane() const { return padded.extent[0] * padded.extent[1] * padded.extent[2]; }
  Index outPlane() const { return outExtent[0] * outExtent[1] * outExtent[2]; }
  /** With a tile's width of slack, zeroed where it matters: tiles read past the end and drop what they read. */
  Index unitSize() const { return roundUp(padded.channels * padded.channelSize() + 16 * Lanes<T>::N, 16); }
};

/** Panels that are worked on together, so that a strip of the weight is fetched once for all of them. */
enum { PANELS = 8 };

/** The phases that the taps of one axis meet, in ascending order; returns how many. `index[k]` is the phase of tap k among them. */
INLINE Index listPhases(Index kernel, Index stride, Index dilation, Index* phases, Index* index) {
  Index count = 0;
  for (Index k = 0; k < kernel; k++) {
    const Index phase = k * dilation % stride;
    Index at = 0;
    while (at < count && phases[at] != phase) at++;
    if (at == count) phases[count++] = phase;
    index[k] = at;
  }
  return count;
}

/** Rows of output per band, so that a band's copy takes about BAND_BYTES. */
INLINE Index bandRowsFor(Index rows, Index bytesPerRow, Index overlap) {
  const Index fit = larger(1, BAND_BYTES / larger(1, bytesPerRow));
  // Where rows are that long, each band still does more than it repeats.
  const Index most = larger(fit - overlap, larger(4, 2 * overlap));
  return ceilDivide(rows, ceilDivide(rows, most));
}

/** How x is copied where the convolution has a stride: split by phases, or whole, and then read in steps. */
enum Copying { BY_PHASE, WHOLE };

/** Plans the copies of x: those of the forward convolution, and of the weight gradient's inner products. */
template <class T>
static bool planForward(Run& run, const ConvShape& s, const T* x, T* y, Copying copying, ConvPlan<T>& plan) {
  const Index taps = s.kernel[0] * s.kernel[1] * s.kernel[2], depth = s.inChannels * taps;
  Index* lists = take<Index>(run, 2 * (s.kernel[1] + s.kernel[2]));
  Index* offsets = take<Index>(run, depth);
  OutputPhase<T>* phase = take<OutputPhase<T>>(run, 1);
  if (!lists || !offsets || !phase) return false;
  Index* rowPhase = lists;
  Index* rowIndex = lists + s.kernel[1];
  Index* columnPhase = lists + 2 * s.kernel[1];
  Index* columnIndex = columnPhase + s.kernel[2];
  Padded& p = plan.padded;
  p.channels = s.inChannels;
  p.slices = s.kernel[0];
  p.sliceStep = s.dilation[0];
  for (int axis = 0; axis < 3; axis++) {
    p.extent[axis] = s.in[axis];
    p.origin[axis] = -s.padding[axis];
    plan.outExtent[axis] = s.out[axis];
    plan.outStep[axis] = 1;
    phase->first[axis] = 0;
    phase->count[axis] = s.out[axis];
  }
  // Of the copy: its scale by axis, and the steps in which it is read. One of both is the stride.
  p.scale[0] = s.stride[0];
  Index scale[3];
  for (int axis = 1; axis < 3; axis++) {
    scale[axis] = copying == BY_PHASE ? s.stride[axis] : 1;
    p.scale[axis] = scale[axis];
    plan.readStep[axis - 1] = s.stride[axis] / scale[axis];
  }
  p.rowPhases = listPhases(s.kernel[1], scale[1], s.dilation[1], rowPhase, rowIndex);
  p.columnPhases = listPhases(s.kernel[2], scale[2], s.dilation[2], columnPhase, columnIndex);
  p.rowPhase = rowPhase;
  p.columnPhase = columnPhase;
  const Index reachRows = (s.kernel[1] - 1) * s.dilation[1] / scale[1];
  p.pitch = (s.out[2] - 1) * plan.readStep[1] + 1 + (s.kernel[2] - 1) * s.dilation[2] / scale[2];
  const Index rowBytes = p.channels * p.slices * p.rowPhases * p.columnPhases * p.pitch * plan.readStep[0] * Index(sizeof(T));
  plan.bandRows = bandRowsFor(s.out[1], rowBytes, reachRows / plan.readStep[0]);
  p.rows = (plan.bandRows - 1) * plan.readStep[0] + 1 + reachRows;
  plan.bands = ceilDivide(s.out[1], plan.bandRows);
  plan.depths = s.out[0];
  plan.batch = s.batch;
  plan.groups = s.groups;
  plan.m = s.outChannels;
  plan.height = tileRowsFor(plan.m);
  plan.weightRows = plan.m;
  plan.source = x;
  plan.target = y;
  plan.lanes = false;
  plan.phases = plan.columnPhases = 1;
  plan.phase = phase;
  Index k = 0;
  for (Index c = 0; c < s.inChannels; c++)
    for (Index kd = 0; kd < s.kernel[0]; kd++)
      for (Index kh = 0; kh < s.kernel[1]; kh++)
        for (Index kw = 0; kw < s.kernel[2]; kw++) {
          const Index plane = ((c * p.slices + kd) * p.rowPhases + rowIndex[kh]) * p.columnPhases + columnIndex[kw];
          offsets[k++] = plane * p.planeSize() + kh * s.dilation[1] / scale[1] * p.pitch + kw * s.dilation[2] / scale[2];
        }
  phase->depth = depth;
  phase->offsets = offsets;
  phase->weight = nullptr;
  return true;
}

}  // namespace ADJOINT_NAMESPACE
