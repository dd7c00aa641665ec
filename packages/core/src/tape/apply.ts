// Running an op: shape rule, storage, forward rule, and the node that backward will visit.

import { kernels, type NumericArray, type Strided } from '@adjoint/kernels-cpu';
import { computeDType, type DType, isFloat, isHalf } from '../dtype.ts';
import { AdjointError, type ArgumentError, noTensor } from '../errors.ts';
import { decodeHalf, encodeHalf } from '../half.ts';
import type { ResultSpec } from '../record.ts';
import type { Op } from '../registry.ts';
import { isRowMajor, rowMajorStrides, type Shape, sameShape, sizeOf } from '../shape.ts';
import { Storage, Tensor } from '../tensor.ts';
import { allocateUnfilled } from '../unfilled.ts';
import { abstractResult } from './abstract.ts';
import { allocateKept, isKeptRead, keptSpecs, keptTensors } from './keeping.ts';
import { gradMode } from './mode.ts';
import { Node } from './node.ts';
import { report, watching } from './observer.ts';
import { allocateOverwritten, allocateZeroed } from './pieces.ts';
import { own, scope, take } from './recycling.ts';
import { saving } from './saving.ts';
import { tracing } from './tracing.ts';

/**
 * Runs an op on tensors and, where a gradient is needed, records it.
 *
 * @throws AdjointError if the number of operands is not the record's; whatever the record's shape rule throws.
 * @example
 * const halfOp = defineOp({
 *   name: 'half',
 *   operands: ['x'],
 *   infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
 *   forward: ([x], out) => {
 *     for (let i = 0; i < out.length; i++) out[i] = x.data[i] / 2;
 *   },
 *   vjps: [vjpRule((g) => apply(halfOp, [g], undefined))],
 *   forwardMode: 'linear',
 * });
 * apply(halfOp, [tensor([1, 2])], undefined).toArray(); // [0.5, 1]
 */
export function apply<Attrs>(op: Op<Attrs>, operands: readonly Tensor[], attrs: Attrs): Tensor {
  return run(op, operands, attrs, null);
}

/**
 * As {@link apply}, with what the forward rule kept, in the order of `keeps`: numbers, through which no derivative goes. Null while a
 * graph is traced, in which nothing but results of ops can be used.
 */
export function applyKeeping<Attrs>(
  op: Op<Attrs>,
  operands: readonly Tensor[],
  attrs: Attrs,
): { readonly output: Tensor; readonly kept: readonly Tensor[] | null } {
  if (tracing.current !== null) return { output: apply(op, operands, attrs), kept: null };
  const kept: Tensor[] = [];
  return { output: run(op, operands, attrs, kept), kept };
}

function run<Attrs>(
  op: Op<Attrs>,
  operands: readonly Tensor[],
  attrs: Attrs,
  keeping: Tensor[] | null,
): Tensor {
  if (operands.length !== op.operands.length && !op.variadic) throw arityError(op, operands.length);
  for (let i = 0; i < operands.length; i++) {
    if (!(operands[i] instanceof Tensor)) throw operandError(op, i, operands[i]);
  }
  const spec = op.infer(operands, attrs);
  const { shape, dtype } = spec;
  let kept: readonly Tensor[] | undefined;
  let output: Tensor;
  if (tracing.current !== null) {
    ({ output, kept } = abstractResult(op, operands, attrs, spec));
  } else if (op.view === null) {
    const inputs = readInputs(op, operands, spec);
    const size = sizeOf(shape);
    const recycles = scope.open && op.recycles && !isHalf(dtype);
    const encodes = isHalf(dtype) && !op.bits;
    const computed = encodes ? widestOf(inputs) : dtype;
    const array = recycles ? take(dtype, size) : allocateResult(op, computed, size);
    if (op.keeps.length > 0 && (keeping !== null || isKeptRead(op, operands, dtype))) {
      const specs = keptSpecs(op, spec);
      const arrays = allocateKept(op, specs);
      op.forward!(inputs, array, attrs, shape, arrays);
      kept = keptTensors(specs, arrays);
      keeping?.push(...kept);
    } else op.forward!(inputs, array, attrs, shape, null);
    const stored = encodes ? encodeHalf(dtype, array as Float32Array | Float64Array) : array;
    output = new Tensor(new Storage(stored), shape, stridesLike(operands, shape), 0, dtype);
    if (recycles) own(output);
  } else {
    const { strides, offset } = op.view(operands[0], attrs, shape);
    output = new Tensor(operands[0].storage, shape, strides, offset, dtype);
  }
  if (gradMode.enabled && isFloat(dtype)) record(op, operands, attrs, output, kept);
  if (watching.current !== null) reportRun(op, operands, attrs, output, kept);
  return output;
}

/**
 * As {@link apply}, with the result in the array of the first operand where that has its shape and type and nobody watches. For
 * element-wise ops that save no operand, on a result that the caller alone has seen and that its own op does not save.
 */
export function applyOver<Attrs>(op: Op<Attrs>, operands: readonly Tensor[], attrs: Attrs): Tensor {
  const [target] = operands;
  const { storage, shape, strides, dtype } = target;
  if (tracing.current !== null || watching.current !== null || isHalf(dtype) || !isPlain(target))
    return apply(op, operands, attrs);
  const spec = op.infer(operands, attrs);
  if (spec.dtype !== dtype || !sameShape(spec.shape, shape)) return apply(op, operands, attrs);
  op.forward!(readInputs(op, operands, spec), storage.data, attrs, shape, null);
  const output = new Tensor(storage, shape, strides, 0, dtype);
  if (gradMode.enabled && isFloat(dtype)) record(op, operands, attrs, output, undefined);
  return output;
}

// Row-major strides: those of an operand that has the very same shape, if they are, for nobody changes them.
function stridesLike(operands: readonly Tensor[], shape: Shape): readonly number[] {
  if (operands.length === 0 || operands[0].shape !== shape) return rowMajorStrides(shape);
  const { strides } = operands[0];
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (strides[i] !== stride) return rowMajorStrides(shape);
    stride *= shape[i];
  }
  return strides;
}

// The operands in the type and layout that the forward rule asks for; most are so already.
function readInputs<Attrs>(op: Op<Attrs>, operands: readonly Tensor[], spec: ResultSpec): readonly Strided[] {
  const { compute } = spec;
  let inputs: Strided[] | null = null;
  for (let i = 0; i < operands.length; i++) {
    const operand = operands[i];
    const { dtype } = operand;
    const wanted = compute !== undefined && compute !== dtype && op.promotes(i) ? compute : dtype;
    if (wanted === dtype && (op.bits || !isHalf(dtype)) && (op.strided || isPlain(operand))) continue;
    inputs ??= operands.slice();
    inputs[i] = materialise(operand, computeDType(wanted));
  }
  return inputs ?? operands;
}

// A 16-bit result of a float64 operand is computed in float64, so that it is rounded once.
function widestOf(inputs: readonly Strided[]): DType {
  return inputs.some(({ data }) => data instanceof Float64Array) ? 'float64' : 'float32';
}

function allocateResult<Attrs>(op: Op<Attrs>, dtype: DType, size: number): NumericArray {
  return op.recycles ? allocateOverwritten(dtype, size) : allocateZeroed(dtype, size);
}

// Whether `data` holds exactly the tensor's elements, in order.
function isPlain(tensor: Tensor): boolean {
  return (
    tensor.offset === 0 && tensor.data.length === tensor.size && isRowMajor(tensor.shape, tensor.strides)
  );
}

// The operand row-major, in the type that the kernel computes in; shares the array where it can.
function materialise(tensor: Tensor, target: DType): Strided {
  let data: NumericArray = tensor.data;
  if (!isPlain(tensor)) {
    if (isRowMajor(tensor.shape, tensor.strides)) {
      data = data.subarray(tensor.offset, tensor.offset + tensor.size);
    } else {
      data = allocateUnfilled(tensor.dtype, tensor.size);
      kernels.copy(tensor, data);
    }
  }
  return {
    data: convert(data, tensor.dtype, target),
    shape: tensor.shape,
    strides: rowMajorStrides(tensor.shape),
    offset: 0,
  };
}

// Stored elements in another numeric type; floats become integers by truncation.
function convert(data: NumericArray, from: DType, to: DType): NumericArray {
  if (from === to) return data;
  if (isHalf(from)) return convert(decodeHalf(from, data as Uint16Array), 'float32', to);
  const out = allocateUnfilled(to, data.length);
  kernels.copy({ data, shape: [data.length], strides: [1], offset: 0 }, out);
  return out;
}

function record<Attrs>(
  op: Op<Attrs>,
  operands: readonly Tensor[],
  attrs: Attrs,
  output: Tensor,
  kept: readonly Tensor[] | undefined,
): void {
  const count = operands.length;
  let first = 0;
  while (first < count && operands[first].node === null) first++;
  if (first === count) return;
  const parents = nodesOf(operands);
  let saved: (Tensor | null)[] | null = null;
  for (let i = first; i < count; i++) {
    if (parents[i] === null || i >= op.slots.length) continue;
    const slots = op.slots[i];
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k];
      saved ??= emptySlots(op.operands.length + 1 + op.keeps.length);
      saved[slot] ??= inSlot(op, slot, operands, output, kept);
    }
  }
  output.node = new Node(op, attrs, parents, output.shape, output.dtype, null);
  if (saved === null) return;
  if (saving.current === null) output.node.save(saved);
  else saving.current(output.node, saved);
}

// Lists as short as most are written out: V8 makes those in place, and calls a function for all others.
function nodesOf(operands: readonly Tensor[]): (Node | null)[] {
  if (operands.length === 1) return [operands[0].node];
  if (operands.length === 2) return [operands[0].node, operands[1].node];
  return operands.map((operand) => operand.node);
}

function emptySlots(count: number): (Tensor | null)[] {
  if (count === 2) return [null, null];
  if (count === 3) return [null, null, null];
  return new Array<Tensor | null>(count).fill(null);
}

function inSlot<Attrs>(
  op: Op<Attrs>,
  slot: number,
  operands: readonly Tensor[],
  output: Tensor,
  kept: readonly Tensor[] | undefined,
): Tensor {
  const outputSlot = op.operands.length;
  if (slot < outputSlot) return operands[slot];
  if (slot === outputSlot) return output;
  return kept![slot - outputSlot - 1];
}

function reportRun<Attrs>(
  op: Op<Attrs>,
  operands: readonly Tensor[],
  attrs: Attrs,
  output: Tensor,
  kept: readonly Tensor[] | undefined,
): void {
  const slot = (index: number): Tensor => inSlot(op, index, operands, output, kept);
  report((observer) => observer.opRan?.({ op, operands, attrs, output, slot }));
}

function operandError<Attrs>(op: Op<Attrs>, index: number, value: unknown): ArgumentError {
  return noTensor(op.name, `operand ${op.operandName(index)}`, value);
}

function arityError<Attrs>(op: Op<Attrs>, count: number): AdjointError {
  return new AdjointError(
    `got ${count} operands; it takes ${op.operands.length} (${op.operands.join(', ')}).`,
    {
      op: op.name,
      operand: 'operands',
      actual: count,
      expected: String(op.operands.length),
    },
  );
}
