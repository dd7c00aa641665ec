// What a forward rule keeps for the derivative rules beside its result: whether anybody will read it, and the arrays it goes to.
//
// It costs time and memory, so it is kept only for who will read it: the node that is about to be recorded, or an observer, which may
// ask for all that rules read.

import type { NumericArray } from '@adjoint/kernels-cpu';
import { type DType, isFloat } from '../dtype.ts';
import { AdjointError } from '../errors.ts';
import type { KeptSpec, ResultSpec } from '../record.ts';
import type { Op } from '../registry.ts';
import { sizeOf } from '../shape.ts';
import { fromArray, type Tensor } from '../tensor.ts';
import { gradMode } from './mode.ts';
import { watching } from './observer.ts';
import { allocateOverwritten, allocateZeroed } from './pieces.ts';

/** Whether a derivative rule will read what the op keeps, or somebody watches. */
export function isKeptRead<Attrs>(op: Op<Attrs>, operands: readonly Tensor[], dtype: DType): boolean {
  if (watching.current !== null) return true;
  if (!gradMode.enabled || !isFloat(dtype)) return false;
  for (let i = 0; i < operands.length; i++) {
    if (operands[i].node !== null && op.readsKept(i)) return true;
  }
  return false;
}

/**
 * What the shape rule says of what the op keeps.
 *
 * @throws AdjointError if it does not say it of each.
 */
export function keptSpecs<Attrs>(op: Op<Attrs>, { kept = [] }: ResultSpec): readonly KeptSpec[] {
  if (kept.length === op.keeps.length) return kept;
  throw new AdjointError(
    `it keeps ${op.keeps.join(', ')} for its derivative rules, and its shape rule gives the shapes of ${kept.length} of these; let infer return them as 'kept'.`,
    { op: op.name, operand: 'infer', actual: kept.length, expected: `${op.keeps.length} shapes` },
  );
}

/** Arrays for what the op keeps. */
export function allocateKept<Attrs>(op: Op<Attrs>, specs: readonly KeptSpec[]): readonly NumericArray[] {
  const allocate = op.recycles ? allocateOverwritten : allocateZeroed;
  const [{ dtype }] = specs;
  const sizes = specs.map(({ shape }) => sizeOf(shape));
  if (specs.length === 1 || specs.some((spec) => spec.dtype !== dtype))
    return specs.map((spec, k) => allocate(spec.dtype, sizes[k]));
  // One array for all: small ones among large results break up the memory that comes free for the next ones.
  const starts = [0];
  for (const size of sizes) starts.push(starts[starts.length - 1] + size);
  const all = allocate(dtype, starts[sizes.length]);
  return sizes.map((_, k) => all.subarray(starts[k], starts[k + 1]));
}

/** What was kept, as the tensors that rules read. */
export function keptTensors(specs: readonly KeptSpec[], arrays: readonly NumericArray[]): readonly Tensor[] {
  return specs.map(({ shape, dtype }, k) => fromArray(arrays[k], shape, dtype));
}
