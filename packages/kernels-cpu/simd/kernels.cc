// All kernels, compiled once per instruction set. The build gives ADJOINT_NAMESPACE, ADJOINT_INSTRUCTION_SET (its name as a
// string), ADJOINT_VECTOR_BYTES, ADJOINT_TILE_ROWS and ADJOINT_DEPTH_BLOCK.

// WebAssembly is sent over networks: all but what computes functions is compiled for size alone, at no loss. There it would make every
// constant anew in each turn of a loop.
#ifdef __wasm__
#define SMALL _Pragma("clang attribute push(__attribute__((minsize)), apply_to = function)")
#define FAST _Pragma("clang attribute pop")
#else
#define SMALL
#define FAST
#endif

SMALL
#include "tier.h"
#include "names.h"
#include "vector.h"
#include "shuffle.h"
#include "stream.h"
#include "tile.h"
#include "pack.h"
#include "gemm.h"
#include "conv-plan.h"
#include "conv-units.h"
#include "conv-lanes.h"
#include "conv-direct.h"
#include "conv-packed.h"
#include "conv-costs.h"
#include "conv-run.h"
#include "conv-pointwise.h"
#include "conv-depthwise.h"
#include "conv-dense.h"
#include "conv-winograd.h"
#include "conv-winograd-run.h"
#include "conv.h"
#include "conv-parts.h"
#include "conv-taps.h"
#include "conv-winograd-weight.h"
#include "conv-weight.h"
FAST
#include "functions.h"
#include "functions-normal.h"
#include "functions-pairs.h"
#include "functions-trigonometric.h"
#include "map-types.h"
#include "map-loops.h"
#include "map-ops.h"
SMALL
#include "walk.h"
#include "move.h"
#include "map-repeats.h"
#include "map.h"
#include "reduce-ops.h"
#include "reduce-columns.h"
#include "reduce.h"
#include "units.h"
#include "lines.h"
FAST
#include "rows.h"
#include "classes.h"
#include "attention.h"
#include "attention-grad.h"
SMALL
#include "descent.h"
#include "moments.h"
#include "norms.h"
#include "norms-grad.h"
#include "norms-sums.h"
#include "lookup.h"
#include "planes.h"
#include "planes-largest.h"
#include "windows.h"
#include "scans.h"
#include "extremes.h"
#include "quantifiers.h"
#include "sort.h"
#include "topk.h"
FAST
#include "random.h"
#include "unit-table.h"

namespace ADJOINT_NAMESPACE {

template <class T>
static Status matmul(Run& run, Index batch, const Index* aStarts, const Index* bStarts, Index m, Index n, Index depth, const T* a,
                     Index aRow, Index aColumn, const T* b, Index bRow, Index bColumn, T* c, bool accumulate, const T* bias, Index biasStep) {
  return multiplyBatch<T>(run, batch, aStarts, bStarts, m * n, {m, n, depth, {a, aRow, aColumn}, {b, bRow, bColumn}, c, n, accumulate, bias, biasStep});
}

template <class T> constexpr Kernels<T> table() {
  return {matmul<T>, convForward<T>, convInputGrad<T>, convWeightGrad<T>, reduce<T>, units<T>};
}

constexpr unsigned boundary = hashOn(hashOn(hashOn(hashOn(NO_HASH, BOUNDARY_VERSION), mapOps), reducers<float>), unitKernels<float>);

extern const Tier tier;
const Tier tier = {ADJOINT_INSTRUCTION_SET, boundary, map, move, addTo, table<float>(), table<double>()};

}  // namespace ADJOINT_NAMESPACE
