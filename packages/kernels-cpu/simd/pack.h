// Copies a strided matrix into panels: `width` elements of one step side by side, step after step.

namespace ADJOINT_NAMESPACE {

/** to[k · toStep + i] = from[i · fromRow + k] for a block of 4 × 4. */
template <class T> INLINE void transpose4(const T* from, Index fromRow, T* to, Index toStep) {
  typedef typename Lanes<T>::V4 V4;
  const V4 a = load4(from), b = load4(from + fromRow), c = load4(from + 2 * fromRow), d = load4(from + 3 * fromRow);
  const V4 ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const V4 cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd1 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  store4(to, __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5));
  store4(to + toStep, __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7));
  store4(to + 2 * toStep, __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5));
  store4(to + 3 * toStep, __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7));
}

/** to[2i] = a[i] and to[2i + 1] = b[i] for four i. */
template <class T> INLINE void interleave4(const T* a, const T* b, T* to) {
  const typename Lanes<T>::V4 even = load4(a), odd = load4(b);
  store4(to, __builtin_shufflevector(even, odd, 0, 4, 1, 5));
  store4(to + 4, __builtin_shufflevector(even, odd, 2, 6, 3, 7));
}

/** to[k · width + i] = lines[i][k] for i < n and k < depth, a multiple of the register: square by square, each line of memory at once. */
template <class T> static void packSquares(const T* const (&lines)[Lanes<T>::N], Index n, Index width, Index depth, T* to) {
  constexpr Index W = Lanes<T>::N;
  for (Index k = 0; k < depth; k += W, to += W * width) {
    Vec<T> square[W];
    UNROLL for (Index i = 0; i < W; i++) square[i] = load(lines[i] + k);
    // Pairs of neighbours give their even and their odd columns; after all stages the columns are in order.
    UNROLL for (Index stage = 1; stage < W; stage *= 2) {
      Vec<T> next[W];
      UNROLL for (Index i = 0; i < W / 2; i++) {
        next[i] = evens(square[2 * i], square[2 * i + 1]);
        next[i + W / 2] = odds(square[2 * i], square[2 * i + 1]);
      }
      UNROLL for (Index i = 0; i < W; i++) square[i] = next[i];
    }
    // Where a step has fewer elements than a register, the next step overwrites what is too much.
    UNROLL for (Index i = 0; i < W - 1; i++) store(to + i * width, square[i]);
    T last[W] __attribute__((aligned(64)));
    store(last, square[W - 1]);
    copyRun(to + (W - 1) * width, last, n);
  }
}

/** to[k · width + i] = from[i · row + k · step] for i < n, and 0 for n <= i < width, k < depth. */
template <class T>
static void pack(const T* from, Index row, Index step, Index n, Index width, Index depth, T* to) {
  if (n < width)
    for (Index k = 0; k < depth; k++)
      for (Index i = n; i < width; i++) to[k * width + i] = 0;
  if (row == 1) {
    for (Index k = 0; k < depth; k++) copyRun(to + k * width, from + k * step, n);
    return;
  }
  Index k = 0;
  constexpr Index W = Lanes<T>::N, LINE = 64 / sizeof(T);
  // Narrower registers are shuffled across their halves in more instructions than it takes to go four by four.
  if constexpr (BYTES == 64)
    if (step == 1 && depth >= W && (n >= W || (n == width && 2 * n > W))) {
      k = depth / W * W;
      for (Index i = 0; i < n; i += W) {
        // What is left over is done with the last rows of a whole register, some of them again.
        const Index first = larger(0, smaller(i, n - W)), rows = smaller(n, W);
        const T* lines[W];
        for (Index r = 0; r < W; r++) lines[r] = from + (first + smaller(r, rows - 1)) * row;
        packSquares<T>(lines, rows, width, k, to + first);
      }
    }
  if (step == 1 && n >= 4) {
    // All that is wanted of a line of each four rows at a time: rows are often a power of two apart, and more lines than the
    // first-level cache has ways for would push each other out.
    for (; k + 4 <= depth; k += LINE)
      for (Index i = 0; i < n; i += 4) {
        const Index r = smaller(i, n - 4);
        for (Index j = k; j + 4 <= smaller(depth, k + LINE); j += 4) transpose4(from + r * row + j, row, to + j * width + r, width);
      }
    k = depth / 4 * 4;
  }
  for (; k < depth; k++)
    for (Index i = 0; i < n; i++) to[k * width + i] = from[i * row + k * step];
}

}  // namespace ADJOINT_NAMESPACE
