// Convolutions whose kernel covers all of their input, at one position: plain products, in which images are rows. So begins a decoder, whose
// transposed convolution makes an image of a vector, and so ends a classifier.

namespace ADJOINT_NAMESPACE {

INLINE bool isDense(const ConvShape& s) {
  for (int axis = 0; axis < 3; axis++)
    if (s.out[axis] != 1 || s.kernel[axis] != s.in[axis] || s.padding[axis] != 0 || (s.dilation[axis] != 1 && s.kernel[axis] != 1)) return false;
  return true;
}

/** One product per group, whose operands and result lie so many elements after those of the group before. */
template <class T> static Status eachGroup(Run& run, Index groups, const Product<T>& p, Index aStep, Index bStep, Index cStep) {
  Index* starts = take<Index>(run, 2 * groups);
  if (!starts) return OUT_OF_MEMORY;
  for (Index group = 0; group < groups; group++) {
    starts[group] = group * aStep;
    starts[groups + group] = group * bStep;
  }
  return multiplyBatch<T>(run, groups, starts, starts + groups, cStep, p);
}

/** Elements of an image, and of a weight, that belong to one group. */
INLINE Index denseRun(const ConvShape& s) { return s.inChannels * s.kernel[0] * s.kernel[1] * s.kernel[2]; }

/** y = x · wᵀ. */
template <class T> static Status denseForward(Run& run, const ConvShape& s, const T* x, const T* w, T* y) {
  const Index n = denseRun(s), m = s.outChannels;
  return eachGroup<T>(run, s.groups, {s.batch, m, n, {x, s.groups * n, 1}, {w, 1, n}, y, s.groups * m, false}, n, m * n, m);
}

/** x = y · w. */
template <class T> static Status denseInputGrad(Run& run, const ConvShape& s, const T* w, const T* y, T* x) {
  const Index n = denseRun(s), m = s.outChannels;
  return eachGroup<T>(run, s.groups, {s.batch, n, m, {y, s.groups * m, 1}, {w, n, 1}, x, s.groups * n, false}, m, m * n, n);
}

/** w = yᵀ · x. */
template <class T> static Status denseWeightGrad(Run& run, const ConvShape& s, const T* x, const T* y, T* w) {
  const Index n = denseRun(s), m = s.outChannels;
  return eachGroup<T>(run, s.groups, {m, n, s.batch, {y, 1, s.groups * m}, {x, s.groups * n, 1}, w, n, false}, m, n, m * n);
}

}  // namespace ADJOINT_NAMESPACE
