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
