// The table of everything that one instruction set offers. The boundary (Node-API, wasm) sees nothing else of the kernels.
#pragma once
#include "layout.h"
#include "shapes.h"

template <class T> struct Kernels {
  /** `batch` products c (=|+=) a · b; strides in elements; starts per product; rows of c are contiguous. */
  Status (*matmul)(Run&, Index batch, const Index* aStarts, const Index* bStarts, Index m, Index n, Index depth, const T* a,
                   Index aRow, Index aColumn, const T* b, Index bRow, Index bColumn, T* c);
  Status (*convForward)(Run&, const ConvShape&, const T* x, const T* w, T* y);
  Status (*convInputGrad)(Run&, const ConvShape&, const T* w, const T* y, T* x);
  Status (*convWeightGrad)(Run&, const ConvShape&, const T* x, const T* y, T* w);
  /** out = f(a; p, q) and so on for `count` elements in row-major order; the ops are numbered in src/tiers/machine.ts. */
  Status (*unary)(Run&, int op, T p, T q, const Layout&, Index count, const T* a, T* out);
  Status (*binary)(Run&, int op, const Layout&, Index count, const T* a, const T* b, T* out);
  Status (*compare)(Run&, int op, const Layout&, Index count, const T* a, const T* b, unsigned char* out);
  Status (*where)(Run&, const Layout&, Index count, const unsigned char* condition, const T* a, const T* b, T* out);
  Status (*reduce)(Run&, int op, const Reduction&, const T* a, T* out);
  /** A kernel that works unit by unit, by its number in UNIT_KERNELS of src/tiers/machine.ts. */
  Status (*units)(Run&, int kernel, const Units&);
};

struct Tier {
  const char* instructionSet;
  Kernels<float> single;
  Kernels<double> twofold;
};
