// The function under check, seen from outside: it is run on moved copies of its inputs and answers with plain numbers.
//
// Nothing here touches the caller's tensors. Copies keep the layout of their input (strides, offset), so that a check of
// a non-contiguous operand checks that; only an expanded operand, whose elements share places, is laid out anew to be moved.

import { type DType, isFloat } from '../dtype.ts';
import { ArgumentError, DTypeError, formatShape, requireFunction } from '../errors.ts';
import { type Shape, sameShape } from '../shape.ts';
import { enableGrad } from '../tape/mode.ts';
import { fromArray, requireTensor, Storage, Tensor } from '../tensor.ts';
import { numbersOf } from './numbers.ts';

/** A function that can be checked: tensors in, one tensor or several out. It must be pure; it may take derivatives of its own, by `grad`. */
export type CheckedFunction = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

/** Precision of a check: `float32` accepts float32 inputs, and its results are as coarse as that. */
export type CheckPrecision = 'float64' | 'float32';

/** An output that can be differentiated. */
export interface ProbedOutput {
  /** Its place in the list that the function returns. */
  readonly index: number;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly size: number;
}

/** The values of the differentiable outputs, row-major, at a point `t` of a line through the inputs. */
export interface Sample {
  /** How far the input moved, after rounding to its dtype. */
  readonly t: number;
  readonly values: readonly Float64Array[];
}

/** A line through the inputs: the function's values at a distance from where it is checked. */
export type Line = (t: number) => Sample;

/** Runs a function for a check; made once per check. */
export class Probe {
  /** Name of the check, for messages. */
  readonly op: string;
  readonly fn: CheckedFunction;
  readonly inputs: readonly Tensor[];
  /** Indices of the inputs that derivatives are taken in. */
  readonly checked: readonly number[];
  readonly outputs: readonly ProbedOutput[];
  /** Values of `outputs` at the inputs themselves. */
  readonly base: readonly Float64Array[];
  /** A second run at the same inputs, to compare with `base`. */
  readonly again: readonly Float64Array[];

  constructor(op: string, fn: CheckedFunction, inputs: readonly Tensor[], precision: CheckPrecision) {
    requireFunction(op, 'fn', fn);
    this.op = op;
    this.fn = fn;
    this.inputs = inputs;
    this.checked = checkedInputs(op, inputs, precision);
    const first = enableGrad(() => listOf(op, fn(...this.leaves())));
    this.outputs = differentiable(op, first);
    this.base = this.outputs.map(({ index }) => numbersOf(first[index]));
    this.again = this.values(inputs.map(copyOf));
  }

  /** Fresh copies of the inputs; those that are checked require a gradient. */
  leaves(): Tensor[] {
    return this.inputs.map((input, i) =>
      this.checked.includes(i) ? copyOf(input).requiresGrad_() : copyOf(input),
    );
  }

  /** The differentiable outputs for given inputs, with whatever graph the mode records. */
  run(inputs: readonly Tensor[]): Tensor[] {
    const results = listOf(this.op, this.fn(...inputs));
    return this.outputs.map(({ index, shape }) => {
      const result = results[index];
      if (result === undefined || !sameShape(result.shape, shape)) {
        throw new ArgumentError(
          `output ${index} had shape ${formatShape(shape)} and, for inputs moved by a small step, ${result === undefined ? 'is missing' : formatShape(result.shape)}; ` +
            'only functions whose shapes do not depend on values can be checked.',
          { op: this.op, operand: `outputs[${index}]`, actual: result?.shape, expected: formatShape(shape) },
        );
      }
      return result;
    });
  }

  /** The line along one element (by row-major number) of one input. */
  coordinateLine(input: number, element: number): Line {
    return (t) => {
      const moved = movable(this.inputs[input]);
      const place = placeOf(moved, element);
      const from = moved.data[place];
      moved.data[place] = from + t;
      return { t: moved.data[place] - from, values: this.values(this.withInput(input, moved)) };
    };
  }

  /** The line along a direction (row-major, of the input's size) of one input. */
  directionLine(input: number, direction: Float64Array): Line {
    return (t) => {
      const moved = movable(this.inputs[input]);
      for (let i = 0; i < direction.length; i++) moved.data[placeOf(moved, i)] += t * direction[i];
      return { t, values: this.values(this.withInput(input, moved)) };
    };
  }

  private withInput(index: number, moved: Tensor): Tensor[] {
    return this.inputs.map((input, i) => (i === index ? moved : copyOf(input)));
  }

  private values(inputs: readonly Tensor[]): Float64Array[] {
    // Recorded, although only numbers are read: a function may take derivatives of its own, by `grad`.
    for (const i of this.checked) inputs[i].requiresGrad = true;
    return enableGrad(() => this.run(inputs)).map((output) => numbersOf(output));
  }
}

/** A copy with an array of its own and the same layout. */
export function copyOf(input: Tensor): Tensor {
  const { data, shape, strides, offset, dtype, isNumber } = input;
  return new Tensor(new Storage(data.slice()), shape, strides, offset, dtype, isNumber);
}

function movable(input: Tensor): Tensor {
  const shared = input.shape.some((size, axis) => size > 1 && input.strides[axis] === 0);
  return shared ? fromArray(input.toTypedArray(), input.shape, input.dtype) : copyOf(input);
}

function placeOf({ shape, strides, offset }: Tensor, element: number): number {
  let place = offset;
  let rest = element;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    place += (rest % shape[axis]) * strides[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return place;
}

// Those that require a gradient; if none does, all that could.
function checkedInputs(op: string, inputs: readonly Tensor[], precision: CheckPrecision): number[] {
  inputs.forEach((input, i) => {
    requireTensor(op, `inputs[${i}]`, input);
  });
  const indices = inputs.map((_, i) => i);
  const required = indices.filter((i) => inputs[i].requiresGrad);
  const checked = required.length > 0 ? required : indices.filter((i) => isFloat(inputs[i].dtype));
  if (checked.length === 0) {
    throw new DTypeError(
      `none of the ${inputs.length} inputs is floating-point, so there is no derivative to check; give at least one float64 tensor.`,
      { op, operand: 'inputs', actual: inputs.map(({ dtype }) => dtype), expected: 'a float64 tensor' },
    );
  }
  for (const i of checked) {
    const { dtype } = inputs[i];
    if (dtype === 'float64' || (dtype === 'float32' && precision === 'float32')) continue;
    throw new DTypeError(
      `inputs[${i}] is ${dtype}, whose rounding hides all but gross errors; convert it with to('float64')` +
        (dtype === 'float32' ? ", or pass { precision: 'float32' } for a coarse check." : '.'),
      { op, operand: `inputs[${i}]`, actual: dtype, expected: 'float64' },
    );
  }
  return checked;
}

function differentiable(op: string, results: readonly Tensor[]): ProbedOutput[] {
  const outputs = results.flatMap(({ shape, dtype, size }, index) =>
    isFloat(dtype) ? [{ index, shape, dtype, size }] : [],
  );
  if (outputs.length === 0) {
    throw new DTypeError('the function returns no floating-point tensor, so there is nothing to check.', {
      op,
      operand: 'fn',
      actual: results.map(({ dtype }) => dtype),
      expected: 'at least one floating-point output',
    });
  }
  return outputs;
}

function listOf(op: string, result: Tensor | readonly Tensor[]): readonly Tensor[] {
  const list = result instanceof Tensor ? [result] : result;
  if (Array.isArray(list) && list.every((item) => item instanceof Tensor)) return list;
  throw new ArgumentError('the function must return a tensor or a list of tensors.', {
    op,
    operand: 'fn',
    actual: result,
    expected: 'a tensor or a list of tensors',
  });
}
