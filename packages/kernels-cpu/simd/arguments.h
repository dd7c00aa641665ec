// How arguments that are numbers arrive from JavaScript: src/tiers/machine.ts says which, ./views.ts there writes them.
#pragma once
#include "layout.h"
#include "shapes.h"

inline ConvShape shapeOf(const double* n) {
  ConvShape s;
  s.batch = Index(*n++);
  s.groups = Index(*n++);
  s.inChannels = Index(*n++);
  s.outChannels = Index(*n++);
  Index* const fields[] = {s.in, s.kernel, s.out, s.stride, s.padding, s.dilation};
  for (Index* field : fields)
    for (int axis = 0; axis < 3; axis++) field[axis] = Index(*n++);
  return s;
}

/** From `n`: rank; extents; then per operand its offset and strides. */
inline Layout layoutOf(const double* n, int operands) {
  Layout layout;
  layout.rank = Index(*n++);
  for (Index axis = 0; axis < layout.rank; axis++) layout.extent[axis] = Index(*n++);
  for (int p = 0; p < operands; p++) {
    layout.offset[p] = Index(*n++);
    for (Index axis = 0; axis < layout.rank; axis++) layout.stride[p][axis] = Index(*n++);
  }
  return layout;
}

/** Op, p, q, number of operands, their types and that of the result, layout. */
inline Map mapOf(const double* n, Index count) {
  Map m;
  m.op = int(n[0]);
  m.p = n[1];
  m.q = n[2];
  m.arity = int(n[3]);
  for (int p = 0; p <= m.arity; p++) m.types[p] = int(n[4 + p]);
  m.layout = layoutOf(n + 5 + MOST_OPERANDS, m.arity);
  m.count = count;
  return m;
}

/** Bytes of an element, how many there are and of how many they are a part; layout of source and target. */
inline Move moveOf(const double* n, const void* from, void* to) { return {int(n[0]), Index(n[1]), Index(n[2]), layoutOf(n + 3, 2), from, to}; }

/** Offset; rank, extents and strides of the axes that stay; then of those that are reduced. */
inline Reduction reductionOf(const double* n) {
  Reduction r;
  r.offset = Index(*n++);
  r.keptRank = Index(*n++);
  for (Index axis = 0; axis < r.keptRank; axis++) r.keptExtent[axis] = Index(*n++);
  for (Index axis = 0; axis < r.keptRank; axis++) r.keptStride[axis] = Index(*n++);
  r.rank = Index(*n++);
  for (Index axis = 0; axis < r.rank; axis++) r.extent[axis] = Index(*n++);
  for (Index axis = 0; axis < r.rank; axis++) r.stride[axis] = Index(*n++);
  return r;
}

/** Of a call of units; see `runUnits` in src/tiers/units.ts. */
enum { UNIT_HEAD = 5, UNIT_FIELDS = 3, MOST_UNIT_ARRAYS = 12, UNIT_NUMBERS = UNIT_HEAD + UNIT_FIELDS * MOST_UNIT_ARRAYS };

inline int unitKernelOf(const double* n) { return int(n[0]); }
inline Units unitsOf(const double* n, void* const* arrays) { return {Index(n[1]), Index(n[2]), n + UNIT_NUMBERS, arrays}; }
inline int unitArraysOf(const double* n) { return int(n[3]); }
inline bool unitsAreDouble(const double* n) { return n[4] != 0; }
/** Where array `index` starts: in elements natively, a byte position in WebAssembly. */
inline double unitStartOf(const double* n, int index) { return n[UNIT_HEAD + UNIT_FIELDS * index]; }
/** How many elements of array `index` the units write, all of them; 0 if any is read. */
inline Index unitResultsOf(const double* n, int index) {
  const double* const field = n + UNIT_HEAD + UNIT_FIELDS * index;
  return field[2] == 1 ? Index(n[2]) * Index(field[1]) : 0;
}
