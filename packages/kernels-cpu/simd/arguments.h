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
