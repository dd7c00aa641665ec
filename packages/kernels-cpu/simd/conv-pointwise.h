// Convolutions of kernels of one tap that move nothing: matrix products per image and group, whose channels are rows. The weight is packed
// once for all images.

namespace ADJOINT_NAMESPACE {

/** A kernel of one tap that moves nothing. */
INLINE bool isPointwise(const ConvShape& s) {
  for (int axis = 0; axis < 3; axis++)
    if (s.kernel[axis] != 1 || s.stride[axis] != 1 || s.padding[axis] != 0 || s.in[axis] != s.out[axis]) return false;
  return true;
}

/** Images of less than a panel: one product per image and group, packed as products are. */
template <class T>
static Status pointwiseSmall(Run& run, const ConvShape& s, Matrix<T> w, Index m, Index depth, const T* from, T* to) {
  const Index plane = s.in[0] * s.in[1] * s.in[2], batch = s.batch * s.groups;
  Index* starts = take<Index>(run, 2 * batch);
  if (!starts) return OUT_OF_MEMORY;
  for (Index t = 0; t < batch; t++) {
    starts[t] = t % s.groups * m * depth;
    starts[batch + t] = t * depth * plane;
  }
  return multiplyBatch<T>(run, batch, starts, starts + batch, m * plane, {m, plane, depth, w, {from, plane, 1}, to, plane, false});
}

/** A whole tile of packed operands, past the caches: rows of c begin where registers may be streamed to. */
template <class T> static void streamTile(Index rows, Index depth, const T* a, const T* b, T* c, Index cRow) {
  constexpr Index N = Tile<T>::N, W = Lanes<T>::N;
  T whole[MR * N] __attribute__((aligned(64)));
  Tiles<T>::rows[rows](1, FROM_START, depth, a, b, N, whole, N, false);
  for (Index i = 0; i < rows; i++)
    UNROLL for (Index j = 0; j < N; j += W) streamVector(c + i * cRow + j, load(whole + i * N + j));
}

/** How many rows ahead those are fetched that are packed into panels: they lie apart, which no processor foresees. */
enum { ROWS_AHEAD = 4 };

/** `w` of each group, whose m · depth elements lie together, by `from` into `to`: a channel of either is a row. */
template <class T>
static Status pointwise(Run& run, const ConvShape& s, Matrix<T> w, Index m, Index depth, const T* from, T* to) {
  constexpr Index N = Tile<T>::N;
  const Index plane = s.in[0] * s.in[1] * s.in[2], images = s.batch * s.groups;
  if (plane < N || depth == 0) return pointwiseSmall(run, s, w, m, depth, from, to);
  if (m == 0 || images == 0) return DONE;
  const Index height = tileRowsFor(m), strips = ceilDivide(m, height), block = depthBlock<T>(depth);
  T* packed = take<T>(run, s.groups * m * depth + 16);
  if (!packed) return OUT_OF_MEMORY;
  parallel(run, s.groups * strips, [&](Index t, int) {
    const Index i = t % strips * height, rows = smaller(height, m - i), start = t / strips * m * depth;
    pack(w.data + start + i * w.row, w.row, w.column, rows, rows, depth, packed + start + i * depth);
  });
  // Large results that are written once, whose rows all begin at the same place of a register, are written past the caches. The first panel
  // is then so much narrower that the others begin at whole registers.
  const bool streams = STREAMS && depth <= block && plane % Lanes<T>::N == 0 && images * m * plane >= Index(STREAM_BYTES / sizeof(T));
  const Index missing = streams ? (Lanes<T>::N - elementsToAligned(to)) % Lanes<T>::N : 0;
  const auto startOf = [&](Index panel) { return larger(0, smaller(plane, panel * N - missing)); };
  // A task is a few panels of one image, packed row by row: a row of all of them lies together, in one page.
  const Index panels = ceilDivide(plane + missing, N), wanted = run.threads == 1 ? 1 : ceilDivide(4 * run.threads, images);
  const Index parts = smaller(panels, larger(ceilDivide(panels, Index(PANELS)), wanted)), most = ceilDivide(panels, parts);
  const Index size = most * block * N;
  T* const space = take<T>(run, run.threads * size);
  if (!space) return OUT_OF_MEMORY;
  // Rows of the weight that stay in the second-level cache beside them.
  const Index stripsAtOnce = larger(1, 168 / height);
  parallel(run, images * parts, [&](Index t, int thread) {
    const Index part = t % parts, image = t / parts, first = shareOf(panels, part, parts), last = shareOf(panels, part + 1, parts);
    const T* const a = packed + image % s.groups * m * depth;
    const T* const b = from + image * depth * plane;
    T* const c = to + image * m * plane;
    T* const own = space + thread * size;
    for (Index k0 = 0; k0 < depth; k0 += block) {
      const Index steps = smaller(block, depth - k0);
      for (Index k = 0; k < steps; k++)
        for (Index q = first; q < last; q++) {
          const Index j = startOf(q), width = startOf(q + 1) - j;
          const T* const source = b + (k0 + k) * plane + j;
          T* const row = own + ((q - first) * steps + k) * N;
          fetch<T, N>(source + ROWS_AHEAD * plane);
          copyRun(row, source, width);
          if (width < N) zero(row + width, N - width);
        }
      for (Index s0 = 0; s0 < strips; s0 += stripsAtOnce)
        for (Index q = first; q < last; q++) {
          const Index j = startOf(q), width = startOf(q + 1) - j;
          for (Index strip = s0; strip < smaller(strips, s0 + stripsAtOnce); strip++) {
            const Index i = strip * height, rows = smaller(height, m - i);
            const T* const left = a + i * depth + k0 * rows;
            const T* const panel = own + (q - first) * steps * N;
            if (streams && width == N) streamTile(rows, steps, left, panel, c + i * plane + j, plane);
            else putTile<T>(rows, steps, left, panel, c + i * plane + j, plane, width, k0 > 0);
          }
        }
    }
    if (streams) settleStreams();
  });
  return DONE;
}

/** Sums that are made apart and added up in the end, and what they may take, in bytes. */
enum { POINTWISE_PARTS = 8, POINTWISE_BYTES = 2 << 20 };

/**
 * dw = Σ y · xᵀ over the images of the batch, in parts that depend on the sizes alone: each is summed by one thread, image by image, and
 * all are added up in order. Where the weight is too large for that, the threads share the product of every image.
 */
template <class T> static Status pointwiseWeight(Run& run, const ConvShape& s, const T* x, const T* y, T* w) {
  const Index plane = s.in[0] * s.in[1] * s.in[2], m = s.outChannels, n = s.inChannels, size = m * n;
  // Units are blocks of the depth of an image.
  const Index blocks = ceilDivide(plane, depthBlock<T>(plane)), units = s.batch * blocks;
  if (units == 0) {
    zero(w, s.groups * size);
    return DONE;
  }
  const Index room = POINTWISE_BYTES / Index(sizeof(T)) / larger(1, size);
  const Index parts = room < 4 ? 1 : smaller(units, smaller(room, Index(POINTWISE_PARTS)));
  const bool apart = parts > 1;
  const Index need = roundUp(gemmScratch<T>(apart ? 1 : run.threads, m, n, plane), 16);
  T* scratch = take<T>(run, need * (apart ? run.threads : 1));
  // One thread alone adds up part after part, and needs room for one of them.
  const Index kept = run.threads == 1 ? smaller(1, parts - 1) : parts - 1;
  T* sums = take<T>(run, kept * size + 16);
  if (!scratch || !sums) return OUT_OF_MEMORY;
  for (Index group = 0; group < s.groups; group++) {
    T* const total = w + group * size;
    const auto addUnits = [&](Run& r, Index part, T* space) {
      const Index first = shareOf(units, part, parts), last = shareOf(units, part + 1, parts);
      T* const to = part == 0 ? total : sums + (part - 1) % kept * size;
      for (Index u = first; u < last;) {
        // All blocks of an image that are in this part at once.
        const Index image = u / blocks, end = smaller(last, (image + 1) * blocks);
        const Index k = shareOf(plane, u - image * blocks, blocks), depth = shareOf(plane, end - image * blocks, blocks) - k;
        const Index channel = image * s.groups + group;
        multiply<T>(r, {m, n, depth, {y + channel * m * plane + k, plane, 1}, {x + channel * n * plane + k, 1, plane}, to, n, u > first}, space);
        u = end;
      }
    };
    if (!apart) {
      addUnits(run, 0, scratch);
      continue;
    }
    const auto addParts = [&](Index part, Index last, Index from, Index to) {
      for (; part < last; part++) {
        const T* const more = sums + (part - 1) % kept * size;
        for (Index i = from; i < to; i++) total[i] += more[i];
      }
    };
    if (run.threads == 1) {
      for (Index part = 0; part < parts; part++) {
        addUnits(run, part, scratch);
        if (part > 0) addParts(part, part + 1, 0, size);
      }
      continue;
    }
    parallel(run, parts, [&](Index part, int thread) {
      Run alone = {1, nullptr, nullptr};
      addUnits(alone, part, scratch + thread * need);
    });
    const Index tasks = smaller(m, 16);
    parallel(run, tasks, [&](Index t, int) { addParts(1, parts, shareOf(m, t, tasks) * n, shareOf(m, t + 1, tasks) * n); });
  }
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
