// Arbitrary legal convolutions, drawn from the transposed side so that every legal outputPadding is reached.

import {
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type DType,
  type Shape,
  type Tensor,
  tensor,
} from '@adjoint/core';
import { type ConvGeometry, convTransposeGeometry } from '@adjoint/kernels-cpu';
import fc from 'fast-check';

export const convByDims = [conv1d, conv2d, conv3d] as const;
export const convTransposeByDims = [convTranspose1d, convTranspose2d, convTranspose3d] as const;

/** A legal transposed convolution and the geometry that it shares with its convolution. */
export interface ConvCase {
  readonly dims: number;
  readonly batch: number;
  readonly batched: boolean;
  readonly groups: number;
  /** Channels that enter and leave the transposed convolution. */
  readonly inChannels: number;
  readonly outChannels: number;
  readonly inputSize: readonly number[];
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly outputPadding: readonly number[];
  readonly geometry: ConvGeometry;
  /** Whether conv itself, which derives its output size, gives back the transposed convolution's input size. */
  readonly invertible: boolean;
  readonly seed: number;
}

export interface Limits {
  readonly maxDims: number;
  readonly maxSize: number;
  readonly maxBatch: number;
  readonly maxGroups: number;
}

const usual: Limits = { maxDims: 3, maxSize: 5, maxBatch: 3, maxGroups: 3 };

const axis = (maxSize: number) =>
  fc.record({
    input: fc.integer({ min: 1, max: maxSize }),
    kernel: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 4 }),
    padding: fc.integer({ min: 0, max: 4 }),
    dilation: fc.integer({ min: 1, max: 4 }),
    extra: fc.nat(),
  });

/** Legal cases: each axis with options of its own, one option on one axis only among them; depthwise; N = 0; unbatched. */
export function convCases(limits: Partial<Limits> = {}): fc.Arbitrary<ConvCase> {
  const { maxDims, maxSize, maxBatch, maxGroups } = { ...usual, ...limits };
  return fc
    .record({
      axes: fc.array(axis(maxSize), { minLength: 1, maxLength: maxDims }),
      batch: fc.integer({ min: 0, max: maxBatch }),
      batched: fc.boolean(),
      groups: fc.integer({ min: 1, max: maxGroups }),
      inPerGroup: fc.integer({ min: 1, max: 2 }),
      outPerGroup: fc.integer({ min: 1, max: 2 }),
      seed: fc.nat(),
    })
    .map(({ axes, batch, batched, groups, inPerGroup, outPerGroup, seed }) => {
      const outputPadding = axes.map(({ extra, stride, dilation }) => extra % Math.max(stride, dilation));
      // Padding may leave nothing of the output: keep at least one element.
      const padding = axes.map((a, i) => {
        const whole = (a.input - 1) * a.stride + a.dilation * (a.kernel - 1) + outputPadding[i] + 1;
        return Math.min(a.padding, Math.floor((whole - 1) / 2));
      });
      const call = {
        batch: batched ? batch : 1,
        groups,
        inChannels: groups * inPerGroup,
        outChannels: groups * outPerGroup,
        inputSize: axes.map((a) => a.input),
        kernelSize: axes.map((a) => a.kernel),
        stride: axes.map((a) => a.stride),
        padding,
        dilation: axes.map((a) => a.dilation),
        outputPadding,
      };
      return {
        ...call,
        dims: axes.length,
        batched,
        geometry: convTransposeGeometry(call),
        invertible: outputPadding.every((extra, i) => extra < axes[i].stride),
        seed,
      };
    });
}

/** Integers from -3 to 3, so that sums and products are exact in every float type; a fresh stream per `stream`. */
export function integers(
  shape: Shape,
  { seed }: { seed: number },
  stream: number,
  dtype: DType = 'float64',
): Tensor {
  let state = (seed * 2654435761 + stream * 40503 + 12345) >>> 0;
  const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 16) % 7) - 3;
  });
  return tensor(data, { shape, dtype });
}

/** Numbers in (-1, 1), for numeric derivatives. */
export function reals(shape: Shape, { seed }: { seed: number }, stream: number): Tensor {
  let state = (seed * 2654435761 + stream * 40503 + 54321) >>> 0;
  const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  return tensor(data, { shape, dtype: 'float64' });
}

export const shapeOfX = (g: ConvGeometry): number[] => [g.batch, g.inChannels, ...g.inputSize];
export const shapeOfW = (g: ConvGeometry): number[] => [
  g.outChannels,
  g.inChannels / g.groups,
  ...g.kernelSize,
];
export const shapeOfY = (g: ConvGeometry): number[] => [g.batch, g.outChannels, ...g.outputSize];

/** The shape without its batch axis where the case is unbatched. */
export function asGiven(shape: readonly number[], { batched }: ConvCase): number[] {
  return batched ? [...shape] : shape.slice(1);
}

/** The options of the case as the public functions take them. */
export function optionsOf({ stride, padding, dilation, groups }: ConvCase) {
  return { stride, padding, dilation, groups };
}

/** Inner product as a plain number. */
export function dot(a: Tensor, b: Tensor): number {
  const [x, y] = [a.toTypedArray(), b.toTypedArray()];
  let total = 0;
  for (let i = 0; i < x.length; i++) total += x[i] * y[i];
  return total;
}
