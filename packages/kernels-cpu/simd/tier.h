// The table of everything that one instruction set offers. The boundary (Node-API, wasm) sees nothing else of the kernels.
#pragma once
#include "layout.h"
#include "shapes.h"

template <class T> struct Kernels {
  /**
   * `batch` products c = a · b, c += a · b, or c = a · b + a bias per column if that is not null; strides in elements; starts per product;
   * rows of c are contiguous.
   */
  Status (*matmul)(Run&, Index batch, const Index* aStarts, const Index* bStarts, Index m, Index n, Index depth, const T* a,
                   Index aRow, Index aColumn, const T* b, Index bRow, Index bColumn, T* c, bool accumulate, const T* bias, Index biasStep);
  Status (*convForward)(Run&, const ConvShape&, const T* x, const T* w, T* y);
  Status (*convInputGrad)(Run&, const ConvShape&, const T* w, const T* y, T* x);
  Status (*convWeightGrad)(Run&, const ConvShape&, const T* x, const T* y, T* w);
  Status (*reduce)(Run&, int op, const Reduction&, const T* a, T* out);
  /** A kernel that works unit by unit, by its number in UNIT_KERNELS of src/tiers/machine.ts. */
  Status (*units)(Run&, int kernel, const Units&);
};

struct Tier {
  const char* instructionSet;
  /** Of the names of all kernels that have a number: see names.h. */
  unsigned boundary;
  /** out = f(a, …; p, q), element by element. */
  Status (*map)(Run&, const Map&);
  /** Moves elements between views. */
  Status (*move)(Run&, const Move&);
  /** Adds floats to those of a view. */
  Status (*addTo)(Run&, const Move&);
  Kernels<float> single;
  Kernels<double> twofold;
};
