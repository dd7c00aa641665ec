// Running an op: shape rule, storage, forward rule, and the node that backward will visit.

import { kernels, type NumericArray, type Strided } from '@adjoint/kernels-cpu';
import { allocate, computeDType, type DType, isFloat, isHalf } from '../dtype.ts';
import { AdjointError } from '../errors.ts';
import type { Op, ResultSpec } from '../registry.ts';
import { isRowMajor, rowMajorStrides, sizeOf } from '../shape.ts';
import { decodeHalf, fromArray, Storage, Tensor } from '../tensor.ts';
import { gradMode } from './mode.ts';
import { Node } from './node.ts';

/**
 * Runs an op on tensors and, where a gradient is needed, records it.
 *
 * @throws AdjointError if the number of operands is not the record's; whatever the record's shape rule throws.
 * @example
 * apply(cubeOp, [x], undefined); // cubeOp as in the example of defineOp
 */
export function apply<Attrs>(op: Op<Attrs>, operands: readonly Tensor[], attrs: Attrs): Tensor {
  if (operands.length !== op.operands.length && !op.variadic) throw arityError(op, operands.length);
  const spec = op.infer(operands, attrs);
  const kept: Tensor[] = [];
  const output =
    op.view === null ? compute(op, operands, attrs, spec, kept) : view(op, operands[0], attrs, spec);
  if (gradMode.enabled && isFloat(spec.dtype)) record(op, operands, attrs, output, kept);
  return output;
}

function view<Attrs>(op: Op<Attrs>, operand: Tensor, attrs: Attrs, spec: ResultSpec): Tensor {
  const { strides, offset } = op.view!(operand, attrs, spec.shape);
  return new Tensor(operand.storage, spec.shape, strides, offset, spec.dtype);
}

function compute<Attrs>(
  op: Op<Attrs>,
  operands: readonly Tensor[],
  attrs: Attrs,
  spec: ResultSpec,
  kept: Tensor[],
): Tensor {
  let inputs: readonly Strided[] = operands;
  for (let i = 0; i < operands.length; i++) {
    const operand = operands[i];
    const target = targetDType(op, i, operand.dtype, spec);
    if (operand.dtype === target && (op.strided || isPlain(operand))) continue;
    if (inputs === operands) inputs = operands.slice();
    (inputs as Strided[])[i] =
      operand.dtype === target && op.strided ? operand : materialise(operand, target);
  }
  const size = sizeOf(spec.shape);
  // A 16-bit result of a float64 operand is computed in float64, so that it is rounded once.
  const wide = isHalf(spec.dtype) && inputs.some((input) => input.data instanceof Float64Array);
  const array = allocate(wide ? 'float64' : computeDType(spec.dtype), size);
  const extra = op.forward!(inputs, array, attrs, spec.shape);
  if (extra) for (const { data, shape, dtype } of extra) kept.push(fromArray(data, shape, dtype));
  const stored = isHalf(spec.dtype) ? encodeHalf(spec.dtype, array as Float32Array | Float64Array) : array;
  return new Tensor(new Storage(stored), spec.shape, rowMajorStrides(spec.shape), 0, spec.dtype);
}

function targetDType<Attrs>(op: Op<Attrs>, index: number, dtype: DType, spec: ResultSpec): DType {
  const promoted = op.promoted[index < op.promoted.length ? index : op.promoted.length - 1];
  return computeDType(promoted && spec.compute !== undefined ? spec.compute : dtype);
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
      data = allocate(tensor.dtype, tensor.size);
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
  const out = allocate(to, data.length);
  kernels.copy({ data, shape: [data.length], strides: [1], offset: 0 }, out);
  return out;
}

function encodeHalf(dtype: 'float16' | 'bfloat16', values: Float32Array | Float64Array): Uint16Array {
  const bits = new Uint16Array(values.length);
  if (dtype === 'float16') kernels.encodeFloat16(values, bits);
  else kernels.encodeBfloat16(values, bits);
  return bits;
}

function record<Attrs>(
  op: Op<Attrs>,
  operands: readonly Tensor[],
  attrs: Attrs,
  output: Tensor,
  kept: readonly Tensor[],
): void {
  let needed = false;
  for (let i = 0; i < operands.length; i++) if (operands[i].node !== null) needed = true;
  if (!needed) return;
  const parents = new Array<Node | null>(operands.length);
  let saved: (Tensor | null)[] | null = null;
  for (let i = 0; i < operands.length; i++) {
    const parent = operands[i].node;
    parents[i] = parent;
    if (parent === null || i >= op.slots.length) continue;
    const slots = op.slots[i];
    for (let k = 0; k < slots.length; k++) {
      saved ??= new Array<Tensor | null>(op.operands.length + 1 + op.keeps.length).fill(null);
      const slot = slots[k];
      const count = op.operands.length;
      saved[slot] = slot < count ? operands[slot] : slot === count ? output : kept[slot - count - 1];
    }
  }
  output.node = new Node(op, attrs, parents, output.shape, output.dtype, null);
  if (saved !== null) output.node.save(saved);
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
