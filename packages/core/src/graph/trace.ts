// Tracing: runs a function once on tensors that have a shape and a dtype but no values, and writes down what it does.

import { checkDType, type DType } from '../dtype.ts';
import { ArgumentError, formatShape, requireFunction, ShapeError } from '../errors.ts';
import type { Shape } from '../shape.ts';
import { enableGrad } from '../tape/mode.ts';
import { underTracer } from '../tape/tracing.ts';
import type { Tensor } from '../tensor.ts';
import { Graph } from './graph.ts';
import { Recorder } from './recorder.ts';
import { takeApart } from './tree.ts';

/** What a graph needs to know of an input. A tensor is one: only its shape, dtype and requiresGrad are looked at. */
export interface TensorSpec {
  /** Non-negative integers. */
  readonly shape: Shape;
  /** Default float32. */
  readonly dtype?: DType | undefined;
  /** What to call it when the graph is printed. Default: `in0`, `in1`, …. */
  readonly name?: string | undefined;
  /** Whether the function may ask for its gradient, and whether what that saves is counted. Default false. */
  readonly requiresGrad?: boolean | undefined;
}

/** As many tensors as there are specs. */
export type TensorsOf<Specs extends readonly TensorSpec[]> = { readonly [K in keyof Specs]: Tensor };

/**
 * Records what a function does with its inputs, as a graph, without computing: only shape and dtype rules run, and nothing
 * of a tensor's size is allocated. JAX's `make_jaxpr`, PyTorch's `make_fx` on fake tensors.
 *
 * Every op is recorded, also those on tensors from outside, such as weights, which the graph holds by reference: after a
 * step of an optimiser it runs with the new ones. Constants and random draws are made anew in each run; changes in place
 * (the running statistics of a batch norm) happen in each run. `grad` inside the function is recorded as the ops it runs.
 *
 * What the function decides by JavaScript values (a shape, `training`) is decided once, now.
 *
 * @param fn takes one tensor per spec; returns a tensor, or arrays and plain objects of tensors.
 * @param specs shape and dtype of each input, or tensors like those to come.
 * @throws TraceError if the function reads values (`item`, `toArray`, ops whose shape depends on values), runs `backward`, or
 *   uses a tensor of another trace; ShapeError, DTypeError for an illegal spec; ArgumentError if it returns something else
 *   than tensors; and whatever its ops throw.
 * @example
 * import { trace } from '@adjoint/core/graph';
 * const w = randn([784, 10], { requiresGrad: true });
 * const graph = trace((x) => softmax(matmul(x, w)), { shape: [8, 784], name: 'x' });
 * graph.outputs[0].shape; // [8, 10]
 * graph.run(zeros([8, 784])).shape; // [8, 10]
 * console.log(graph.toString());
 */
export function trace<const Specs extends readonly TensorSpec[], R>(
  fn: (...inputs: TensorsOf<Specs>) => R,
  ...specs: Specs
): Graph<R, TensorsOf<Specs>> {
  requireFunction('trace', 'fn', fn);
  const recorder = new Recorder();
  const inputs = specs.map((spec, i) => makeInput(recorder, spec, i));
  const { paths, build, steps } = underTracer(recorder, () =>
    enableGrad(() => {
      const tree = takeApart(fn(...(inputs as unknown as TensorsOf<Specs>)), 'trace');
      const ids = tree.leaves.map((leaf, i) => recorder.idOf(leaf, 'trace', tree.paths[i] || 'the result'));
      return { ...tree, steps: ids };
    }),
  );
  return new Graph(recorder.finish(), { steps, paths, build: build as (tensors: readonly Tensor[]) => R });
}

function makeInput(recorder: Recorder, spec: TensorSpec, index: number): Tensor {
  const operand = `specs[${index}]`;
  const { shape, name = `in${index}`, requiresGrad = false } = spec ?? {};
  if (!Array.isArray(shape)) {
    throw new ArgumentError(`${operand} has no shape; give { shape, dtype } or a tensor.`, {
      op: 'trace',
      operand,
      actual: spec,
      expected: '{ shape, dtype }',
    });
  }
  // Larger than any tensor that could be made is fine: nothing is.
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new ShapeError(`${operand} has shape ${formatShape(shape)}; sizes are non-negative integers.`, {
      op: 'trace',
      operand,
      actual: shape,
      expected: 'non-negative integers',
    });
  }
  const dtype = spec.dtype === undefined ? 'float32' : checkDType(spec.dtype, 'trace');
  const input = recorder.input(name, shape.slice(), dtype);
  if (requiresGrad) input.requiresGrad = true;
  return input;
}
