// Depthwise convolutions of planes with kernels of 3×3 and 5×5: unrolled for kernel and stride, several rows of the output at a time,
// so that a register of the source is read once for all of them.

namespace ADJOINT_NAMESPACE {

/** Planes of rows and columns. */
struct PlaneShape {
  Index in[2], out[2], padding[2];
};

/** Bytes of the padded copy of a band of rows: it stays in the first-level cache. Rows of the output per tile. */
enum { DEPTHWISE_BYTES = 24 << 10, DEPTHWISE_ROWS = 4 };

/** Into how many bands of about as many rows, at least DEPTHWISE_ROWS, the output is cut. */
template <class T> INLINE Index depthwiseBands(Index rows, Index pitch, Index kernel, Index stride) {
  const Index fit = (DEPTHWISE_BYTES / Index(sizeof(T)) / pitch - kernel) / stride + 1;
  return ceilDivide(rows, larger(2 * DEPTHWISE_ROWS, fit));
}

/**
 * Rows `first` … of a plane with zeros around, `pitch` elements each, from the padding on. Whole registers are copied in ascending order:
 * what is too much is overwritten by what follows, up to a register behind the last row. The last row of a plane, behind which there may
 * be nothing, is copied exactly.
 */
template <class T> static void copyPlaneRows(const T* plane, const PlaneShape& p, Index first, Index rows, Index pitch, T* to) {
  constexpr Index W = Lanes<T>::N;
  const Index low = smaller(pitch, p.padding[1]), n = smaller(pitch - low, p.in[1]);
  for (Index h = first; h < first + rows; h++, to += pitch) {
    const bool inside = h >= 0 && h < p.in[0];
    for (Index j = 0; j < (inside ? low : pitch); j += W) store(to + j, Vec<T>{});
    if (!inside) continue;
    const T* const from = plane + h * p.in[1];
    if (h == p.in[0] - 1) copyRun(to + low, from, n);
    else for (Index j = 0; j < n; j += W) store(to + low + j, load(from + j));
    for (Index j = low + n; j < pitch; j += W) store(to + j, Vec<T>{});
  }
}

/** Elements 0, S, 2S … of a row, as many as a register holds. */
template <class T, int S> INLINE Vec<T> loadSteps(const T* from) {
  if constexpr (S == 1) return load(from);
  else return evens(load(from), load(from + Lanes<T>::N));
}

/** R rows of a plane's output, `toStep` apart, from its padded copy. */
template <class T, int K, int S, int R>
__attribute__((noinline)) void depthwiseRows(const T* x, Index pitch, const T* w, Index columns, T* to, Index toStep) {
  constexpr Index W = Lanes<T>::N;
  Vec<T> weight[K][K];
  UNROLL for (int i = 0; i < K; i++) UNROLL for (int j = 0; j < K; j++) weight[i][j] = splat(w[i * K + j]);
  for (Index done = 0; done < columns; done += W) {
    // The last register of a row repeats what it can of the one before it.
    const Index column = columns < W ? 0 : smaller(done, columns - W);
    Vec<T> sum[R];
    UNROLL for (int r = 0; r < R; r++) sum[r] = Vec<T>{};
    UNROLL for (int i = 0; i < (R - 1) * S + K; i++) UNROLL for (int j = 0; j < K; j++) {
      const Vec<T> right = loadSteps<T, S>(x + i * pitch + j + column * S);
      UNROLL for (int r = 0; r < R; r++)
        if (i >= r * S && i < r * S + K) sum[r] = fma(weight[i - r * S][j], right, sum[r]);
    }
    UNROLL for (int r = 0; r < R; r++) {
      if (columns < W) {
        // Two halves of a register that overlap: there are columns enough.
        T part[W] __attribute__((aligned(64)));
        store(part, sum[r]);
        const Index rest = columns - W / 2;
        __builtin_memcpy(to + r * toStep, part, W / 2 * sizeof(T));
        __builtin_memcpy(to + r * toStep + rest, part + rest, W / 2 * sizeof(T));
      } else {
        store(to + r * toStep + column, sum[r]);
      }
    }
  }
}

/** y = w ⊗ x, plane by plane. */
template <class T, int K, int S>
static Status depthwise(Run& run, const PlaneShape& p, Index batch, Index groups, const T* x, const T* w, T* y) {
  constexpr Index W = Lanes<T>::N, R = DEPTHWISE_ROWS;
  const Index pitch = larger(p.out[1], W) * S + K - 1;
  const Index bands = depthwiseBands<T>(p.out[0], pitch, K, S), bandRows = ceilDivide(p.out[0], bands);
  const Index size = roundUp(((bandRows - 1) * S + K) * pitch + W, 16), units = batch * groups * bands;
  T* copies = take<T>(run, run.threads * size);
  if (!copies) return OUT_OF_MEMORY;
  const Index grain = larger(1, units / (run.threads * 16));
  parallel(run, ceilDivide(units, grain), [&](Index task, int thread) {
    T* const copy = copies + thread * size;
    for (Index u = task * grain; u < smaller(units, (task + 1) * grain); u++) {
      const Index plane = u / bands, first = shareOf(p.out[0], u % bands, bands), rows = shareOf(p.out[0], u % bands + 1, bands) - first;
      copyPlaneRows(x + plane * p.in[0] * p.in[1], p, first * S - p.padding[0], (rows - 1) * S + K, pitch, copy);
      const T* weight = w + plane % groups * (K * K);
      T* to = y + (plane * p.out[0] + first) * p.out[1];
      // The last tile repeats what it can of the one before it.
      for (Index r = 0; r < rows; r += R) {
        const Index row = smaller(r, rows - R);
        depthwiseRows<T, K, S, R>(copy + row * S * pitch, pitch, weight, p.out[1], to + row * p.out[1], p.out[1]);
      }
    }
  });
  return DONE;
}

/** sums[tap] += y · x, lane by lane, over `tiles` times R rows of `registers` each. */
template <class T, int K, int S, int R>
__attribute__((noinline)) void depthwiseDots(Index tiles, Index registers, const T* x, Index pitch, const T* y, T* sums) {
  constexpr Index W = Lanes<T>::N;
  Vec<T> sum[K][K];
  UNROLL for (int i = 0; i < K; i++) UNROLL for (int j = 0; j < K; j++) sum[i][j] = Vec<T>{};
  for (Index t = 0; t < tiles; t++, x += R * S * pitch, y += R * registers * W)
    for (Index v = 0; v < registers; v++) {
      Vec<T> right[R];
      UNROLL for (int r = 0; r < R; r++) right[r] = load(y + (r * registers + v) * W);
      UNROLL for (int i = 0; i < (R - 1) * S + K; i++) UNROLL for (int j = 0; j < K; j++) {
        const Vec<T> left = loadSteps<T, S>(x + i * pitch + j + v * W * S);
        UNROLL for (int r = 0; r < R; r++)
          if (i >= r * S && i < r * S + K) sum[i - r * S][j] = fma(right[r], left, sum[i - r * S][j]);
      }
    }
  UNROLL for (int i = 0; i < K; i++) UNROLL for (int j = 0; j < K; j++) {
    T* const to = sums + (i * K + j) * W;
    store(to, load(to) + sum[i][j]);
  }
}

/** dw, summed image by image, band by band, in lanes that are added up in the end. */
template <class T, int K, int S>
static Status depthwiseWeight(Run& run, const PlaneShape& p, Index batch, Index groups, const T* x, const T* y, T* w) {
  constexpr Index W = Lanes<T>::N, R = DEPTHWISE_ROWS;
  const Index registers = ceilDivide(p.out[1], W), pitch = registers * W * S + K - 1;
  const Index bandRows = roundUp(ceilDivide(p.out[0], depthwiseBands<T>(p.out[0], pitch, K, S)), R);
  const Index xSize = roundUp(((bandRows - 1) * S + K) * pitch + W, 16), ySize = roundUp((bandRows * registers + 1) * W, 16);
  // Neighbouring channels, whose planes lie together: memory is read in long runs.
  constexpr Index CHANNELS = 8, TAPS_SIZE = K * K * W;
  const Index space = xSize + ySize + CHANNELS * TAPS_SIZE;
  T* spaces = take<T>(run, run.threads * space);
  if (!spaces) return OUT_OF_MEMORY;
  // Rows of y are copied behind zeros, so that a tile that sticks out adds nothing.
  const PlaneShape rowsOfY = {{p.out[0], p.out[1]}, {p.out[0], p.out[1]}, {0, 0}};
  parallel(run, ceilDivide(groups, CHANNELS), [&](Index task, int thread) {
    T* const xCopy = spaces + thread * space;
    T* const yCopy = xCopy + xSize;
    T* const sums = yCopy + ySize;
    const Index firstGroup = task * CHANNELS, count = smaller(CHANNELS, groups - firstGroup);
    zero(sums, count * TAPS_SIZE);
    for (Index n = 0; n < batch; n++)
      for (Index g = 0; g < count; g++) {
        const Index plane = n * groups + firstGroup + g;
        for (Index first = 0; first < p.out[0]; first += bandRows) {
          const Index tiles = ceilDivide(smaller(bandRows, p.out[0] - first), R), rows = tiles * R;
          copyPlaneRows(x + plane * p.in[0] * p.in[1], p, first * S - p.padding[0], (rows - 1) * S + K, pitch, xCopy);
          copyPlaneRows(y + plane * p.out[0] * p.out[1], rowsOfY, first, rows, registers * W, yCopy);
          depthwiseDots<T, K, S, R>(tiles, registers, xCopy, pitch, yCopy, sums + g * TAPS_SIZE);
        }
      }
    for (Index g = 0; g < count; g++)
      for (Index k = 0; k < K * K; k++) w[(firstGroup + g) * K * K + k] = horizontalSum<T>(load(sums + g * TAPS_SIZE + k * W));
  });
  return DONE;
}

/** Three arrays: x, w and y of the forward map; x, y and w of the weight gradient. */
template <class T> using DepthwiseKernel = Status (*)(Run&, const PlaneShape&, Index batch, Index groups, const T*, const T*, T*);

/** The kernels of a depthwise convolution, or null where they have none. */
template <class T> struct DepthwiseKernels {
  DepthwiseKernel<T> forward, weight;
};

template <class T> static DepthwiseKernels<T> depthwiseKernels(const ConvShape& s) {
  constexpr DepthwiseKernels<T> none = {nullptr, nullptr};
  const bool planes = s.in[0] == 1 && s.out[0] == 1 && s.kernel[0] == 1;
  const bool square = s.kernel[1] == s.kernel[2] && s.stride[1] == s.stride[2] && s.dilation[1] == 1 && s.dilation[2] == 1;
  // Rows shorter than half a register would leave most lanes idle. (The input gradient writes what is the input here.)
  const bool small = s.out[2] * 2 < Lanes<T>::N || s.in[2] * 2 < Lanes<T>::N || s.out[1] < DEPTHWISE_ROWS || s.in[1] < DEPTHWISE_ROWS;
  if (s.inChannels != 1 || s.outChannels != 1 || !planes || !square || small) return none;
  const Index kernel = s.kernel[1], stride = s.stride[1];
  if (kernel == 3 && stride == 1) return {depthwise<T, 3, 1>, depthwiseWeight<T, 3, 1>};
  if (kernel == 3 && stride == 2) return {depthwise<T, 3, 2>, depthwiseWeight<T, 3, 2>};
  // The weight gradient would need more than twenty-five registers.
  if (kernel == 5 && stride == 1) return {depthwise<T, 5, 1>, nullptr};
  if (kernel == 5 && stride == 2) return {depthwise<T, 5, 2>, nullptr};
  return none;
}

INLINE PlaneShape planeShapeOf(const ConvShape& s) {
  return {{s.in[1], s.in[2]}, {s.out[1], s.out[2]}, {s.padding[1], s.padding[2]}};
}

/** The input gradient of stride 1 is the forward map with the kernel turned round, where no padding is wider than the kernel reaches. */
template <class T> INLINE bool depthwiseTurns(const ConvShape& s) {
  return s.stride[1] == 1 && s.padding[1] < s.kernel[1] && s.padding[2] < s.kernel[2] && depthwiseKernels<T>(s).forward;
}

template <class T> static Status depthwiseInputGrad(Run& run, const ConvShape& s, const T* w, const T* y, T* x) {
  const Index taps = s.kernel[1] * s.kernel[2];
  T* turned = take<T>(run, s.groups * taps);
  if (!turned) return OUT_OF_MEMORY;
  for (Index group = 0; group < s.groups; group++)
    for (Index t = 0; t < taps; t++) turned[group * taps + t] = w[group * taps + taps - 1 - t];
  const PlaneShape p = {{s.out[1], s.out[2]}, {s.in[1], s.in[2]}, {s.kernel[1] - 1 - s.padding[1], s.kernel[2] - 1 - s.padding[2]}};
  return depthwiseKernels<T>(s).forward(run, p, s.batch, s.groups, y, turned, x);
}

}  // namespace ADJOINT_NAMESPACE
