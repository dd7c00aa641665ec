// The gradients of attention in query, key and value. All queries add to those of keys and values: parts of a head have sums of their own, which
// are added up in order.

namespace ADJOINT_NAMESPACE {

/** Where a part of a head adds up a gradient: `columns` of each key, `row` apart. */
template <class T> struct KeyRows {
  T* data;
  Index row, columns;

  void clear(Index first, Index last) const {
    for (Index j = first; j < last; j++) zero(data + j * row, columns);
  }
};

/** Arrays: query, key, value, mask, cotangent; gradients of query, key and value (length, heads, columns). Numbers: as above, and cotangent. */
template <class T> static Status attentionGrad(Run& run, const Units& u) {
  const Attention<T> a(u, ENOUGH_SUMS);
  const HeadsOf<T> cotangent = HeadsOf<T>::read(u.array<const T>(4), u.numbers + Attention<T>::VIEWS + 4 * HEADS_NUMBERS);
  T *const ofQuery = u.array<T>(5), *const ofKey = u.array<T>(6), *const ofValue = u.array<T>(7);
  const Index row = a.heads * a.features, valueRow = a.heads * a.outputs, columns = a.features + a.outputs;
  // Parts of one head add up by themselves what comes to keys and values: the first where it belongs, the others here, and they are added to
  // the first in order. One thread, which comes to them in order, does so at once, while it has them in its cache.
  const Index others = a.parts - 1;
  const bool alone = run.threads == 1;
  T* const sums = take<T>(run, alone ? a.keys * columns : a.samples * a.heads * others * a.keys * columns);
  if (!sums) return OUT_OF_MEMORY;
  const auto sumsOfPart = [&](Index unit, Index head, Index index) {
    return alone ? sums : sums + ((unit * a.heads + head) * others + index - 1) * a.keys * columns;
  };
  const auto addSums = [&](Index unit, Index head, Index index, Index j) {
    const T* const from = sumsOfPart(unit, head, index) + j * columns;
    const Index place = (unit * a.keys + j) * a.heads + head;
    T *const toKey = ofKey + place * a.features, *const toValue = ofValue + place * a.outputs;
    for (Index i = 0; i < a.features; i++) toKey[i] += from[i];
    for (Index i = 0; i < a.outputs; i++) toValue[i] += from[a.features + i];
  };
  const Status status = a.eachPart(run, [&](const HeadPart& part, const auto& space) {
    T *const weights = space.weights, *const slopes = space.slopes;
    KeyRows<T> toKey = {ofKey + part.unit * a.keys * row + part.head * a.features, row, a.features};
    KeyRows<T> toValue = {ofValue + part.unit * a.keys * valueRow + part.head * a.outputs, valueRow, a.outputs};
    if (part.index > 0) {
      T* const own = sumsOfPart(part.unit, part.head, part.index);
      toKey = {own, columns, a.features};
      toValue = {own + a.features, columns, a.outputs};
    }
    for (Index first = part.first; first < part.end; first += a.block) {
      const bool adds = first > part.first;
      const Index rows = smaller(a.block, part.end - first);
      Index seen = a.keysBefore(first + rows, part.isFinite);
      space.cotangent.read(cotangent.of(part.sample, part.head, first), rows, a.outputs);
      a.weigh(space, part, first, rows, seen);
      if (seen < a.keys && !a.hides(space, rows)) {
        seen = a.keys;
        a.weigh(space, part, first, rows, seen);
      }
      if (!adds) {
        toKey.clear(seen, a.keys);
        toValue.clear(seen, a.keys);
      }
      T* const toQuery = ofQuery + (part.unit * a.queries + first) * row + part.head * a.features;
      multiplyNear<T>({seen, a.outputs, rows, {weights, a.width, 1}, space.cotangent.rows(), toValue.data, toValue.row, adds});
      a.multiplyTurned(space.value, seen, space.cotangent, rows, a.outputs, space.panel, slopes);
      for (Index i = 0; i < rows; i += Lanes<T>::N) a.slopesOfPlaces(slopes + i, weights + i, seen);
      multiplyNear<T>({rows, a.features, seen, {slopes, 1, a.width}, space.key.rows(), toQuery, row, false});
      multiplyNear<T>({seen, a.features, rows, {slopes, a.width, 1}, space.query.rows(), toKey.data, toKey.row, adds});
    }
    if (alone && part.index > 0)
      for (Index j = 0; j < a.keys; j++) addSums(part.unit, part.head, part.index, j);
  });
  if (status != DONE || others == 0 || alone) return status;
  eachUnit(run, a.samples * a.keys * a.heads, others * columns, [&](Index place) {
    for (Index index = 1; index <= others; index++) addSums(place / a.heads / a.keys, place % a.heads, index, place / a.heads % a.keys);
  });
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
