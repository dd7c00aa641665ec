// Windows of planes that no pooling geometry describes: sliding ones that are added up where they overlap, and those of adaptive pooling.

namespace ADJOINT_NAMESPACE {

/** to[0], to[step], … += from[0], from[1], …: n of them. */
template <class T> INLINE void addEvery(T* to, Index step, const T* from, Index n) {
  if (step == 1) {
    eachVector<T>(n, [&](Index i, const auto& some) __attribute__((always_inline)) { some.put(to + i, some.get(to + i) + some.get(from + i)); });
    return;
  }
  for (Index i = 0; i < n; i++) to[i * step] += from[i];
}

/**
 * Arrays: windows (kernel, then output), out. Numbers: input, kernel, output, stride, dilation on three axes. Each element of the output gets what is
 * added to it in the order of the kernel's elements.
 */
template <class T> static Status overlapPlanes(Run& run, const Units& u) {
  Index in[3], kernel[3], out[3], stride[3], dilation[3];
  Index* const fields[] = {in, kernel, out, stride, dilation};
  const double* n = u.numbers;
  for (Index* field : fields)
    for (int axis = 0; axis < 3; axis++) field[axis] = Index(*n++);
  const Index inPlane = in[0] * in[1] * in[2], perPlane = kernel[0] * kernel[1] * kernel[2] * out[0] * out[1] * out[2];
  eachUnit(run, u.count, perPlane, [&](Index plane) {
    const T* from = u.array<const T>(0) + plane * perPlane;
    T* const to = u.array<T>(1) + plane * inPlane;
    zero(to, inPlane);
    for (Index a = 0; a < kernel[0]; a++)
      for (Index b = 0; b < kernel[1]; b++)
        for (Index c = 0; c < kernel[2]; c++)
          for (Index i = 0; i < out[0]; i++)
            for (Index j = 0; j < out[1]; j++, from += out[2]) {
              const Index row = (i * stride[0] + a * dilation[0]) * in[1] + j * stride[1] + b * dilation[1];
              addEvery(to + row * in[2] + c * dilation[2], stride[2], from, out[2]);
            }
  });
  return DONE;
}

/** Where window `o` of `out` begins that share `in` elements; where it ends is where one past it would begin, rounded up. */
INLINE Index adaptiveStart(Index o, Index in, Index out) { return Index((long long)o * in / out); }
INLINE Index adaptiveEnd(Index o, Index in, Index out) { return Index(((long long)(o + 1) * in + out - 1) / out); }

/** Arrays: x, and the place of the largest element of each window within its plane. Numbers: input and output on three axes. NaN wins. */
template <class T> static Status adaptiveMaxPlanes(Run& run, const Units& u) {
  Index in[3], out[3];
  for (int axis = 0; axis < 3; axis++) {
    in[axis] = Index(u.numbers[axis]);
    out[axis] = Index(u.numbers[3 + axis]);
  }
  const Index inPlane = in[0] * in[1] * in[2], outPlane = out[0] * out[1] * out[2];
  eachUnit(run, u.count, inPlane, [&](Index plane) {
    const T* const x = u.array<const T>(0) + plane * inPlane;
    int* place = u.array<int>(1) + plane * outPlane;
    for (Index i = 0; i < out[0]; i++)
      for (Index j = 0; j < out[1]; j++)
        for (Index k = 0; k < out[2]; k++) {
          const Index d0 = adaptiveStart(i, in[0], out[0]), d1 = adaptiveEnd(i, in[0], out[0]);
          const Index h0 = adaptiveStart(j, in[1], out[1]), h1 = adaptiveEnd(j, in[1], out[1]);
          const Index w0 = adaptiveStart(k, in[2], out[2]), w1 = adaptiveEnd(k, in[2], out[2]);
          T best = -__builtin_inf();
          Index found = (d0 * in[1] + h0) * in[2] + w0;
          for (Index d = d0; d < d1; d++)
            for (Index h = h0; h < h1; h++) {
              const Index row = (d * in[1] + h) * in[2];
              for (Index w = w0; w < w1; w++) {
                const T value = x[row + w];
                if (!(value > best || value != value)) continue;
                best = value;
                found = row + w;
              }
            }
          *place++ = int(found);
        }
  });
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
