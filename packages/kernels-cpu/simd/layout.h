// Walks strided operands in the row-major order of their common shape. Axes arrive merged: see src/tiers/accelerate.ts.
#pragma once
#include "runtime.h"

enum { MOST_AXES = 8, MOST_OPERANDS = 3 };

struct Layout {
  Index rank;
  Index extent[MOST_AXES];
  Index stride[MOST_OPERANDS][MOST_AXES];
  Index offset[MOST_OPERANDS];
};

/** The axes that stay (row-major order of the result) and those that are reduced, merged where they can be. */
struct Reduction {
  Index keptRank, keptExtent[MOST_AXES], keptStride[MOST_AXES];
  Index rank, extent[MOST_AXES], stride[MOST_AXES];
  Index offset;
};
