// The one interface between whoever computes (a tier: native, wasm, reference) and whoever asks (core, or you): here all of it, family by
// family in kernels/.
//
// Arrays in, arrays out. Inputs may be strided views; every output is a contiguous row-major array that the caller
// allocated with exactly the right length, and a kernel writes all of it. Lengths, layouts and shapes are checked before
// anything is done (./tiers/checked.ts has the rules); the values of indices are trusted.

import type { AttentionKernels } from './kernels/attention.ts';
import type { ClassKernels } from './kernels/classes.ts';
import type { DescentKernels } from './kernels/descent.ts';
import type { ElementwiseKernels } from './kernels/elementwise.ts';
import type { LineKernels } from './kernels/lines.ts';
import type { MovingKernels } from './kernels/moving.ts';
import type { NormKernels } from './kernels/norms.ts';
import type { PlaneKernels } from './kernels/planes.ts';
import type { ProductKernels } from './kernels/products.ts';
import type { RandomKernels } from './kernels/random.ts';
import type { ReductionKernels } from './kernels/reductions.ts';

export type * from './arrays.ts';
export type * from './kernels/attention.ts';
export type * from './kernels/classes.ts';
export type * from './kernels/descent.ts';
export type * from './kernels/elementwise.ts';
export type * from './kernels/lines.ts';
export type * from './kernels/moving.ts';
export type * from './kernels/norms.ts';
export type * from './kernels/planes.ts';
export type * from './kernels/products.ts';
export type * from './kernels/random.ts';
export type * from './kernels/reductions.ts';

/** Everything that a tier can compute. The reference implements all of it; a faster tier may implement a part. */
export interface Kernels
  extends ElementwiseKernels,
    ReductionKernels,
    LineKernels,
    ClassKernels,
    NormKernels,
    ProductKernels,
    AttentionKernels,
    PlaneKernels,
    MovingKernels,
    DescentKernels,
    RandomKernels {}
