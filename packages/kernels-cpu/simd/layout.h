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

/** The types of elements, by number: ELEMENT_TYPES in src/tiers/machine.ts. */
enum ElementType { FLOAT32, FLOAT64, INT32, UINT8, UINT16, FLOAT16, BFLOAT16 };

/** An element-wise call: `count` elements in row-major order. The last of the arrays and types is that of the contiguous result. */
struct Map {
  int op;
  double p, q;
  int arity;
  int types[MOST_OPERANDS + 1];
  Layout layout;
  Index count;
  void* arrays[MOST_OPERANDS + 1];
};

/** Elements of some bytes that go from one view, operand 0 of the layout, to another. */
struct Move {
  int bytes;
  /** How many they are, and of how many they are a part in the memory that they go to. */
  Index count, size;
  Layout layout;
  const void* from;
  void* to;
};

/** The axes that stay (row-major order of the result) and those that are reduced, merged where they can be. */
struct Reduction {
  Index keptRank, keptExtent[MOST_AXES], keptStride[MOST_AXES];
  Index rank, extent[MOST_AXES], stride[MOST_AXES];
  Index offset;
};
