// Padding: a frame around a tensor, of one value or of the tensor's own elements mirrored, repeated or wrapped around.

import { kernels } from '@adjoint/kernels-cpu';
import { requireOneOf } from '../arguments.ts';
import { ArgumentError, formatShape, quote, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { requireList, rowMajorStrides } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { fromArray, requireTensor, type Tensor } from '../tensor.ts';
import { noFlops } from './infer.ts';
import { type SliceAttrs, sliceView, unslice } from './layout.ts';
import { selectAlong } from './lookup.ts';
import { requireRepresentable } from './masked.ts';
import { sliceAxis } from './slice.ts';

/** The operand in its place in a tensor of one value. Its adjoint cuts the place out; its tangent has a frame of zeros. */
export const padOp = defineOp<readonly ['x'], SliceAttrs & { readonly value: number }>({
  name: 'pad',
  operands: ['x'],
  infer: ([x], { whole }) => ({ shape: whole, dtype: x.dtype }),
  forward: ([x], out, { starts, sizes, whole, value }) => {
    const strides = rowMajorStrides(whole);
    const offset = starts.reduce((sum, start, axis) => sum + start * strides[axis], 0);
    out.fill(value);
    kernels.assign(x, { data: out, shape: sizes, strides, offset });
  },
  layout: 'strided',
  vjps: [vjpRule((g, { attrs }) => sliceView(g, attrs))],
  recycles: true,
  forwardMode: ([tangent], _, __, { attrs }) => unslice(tangent!, attrs),
  flops: noFlops,
});

/** What a frame is filled with; `'reflect'` mirrors without repeating the edge, `'circular'` wraps around. */
export type PadMode = 'constant' | 'reflect' | 'replicate' | 'circular';

/** Options of {@link pad}. */
export interface PadOptions {
  /** Default 'constant'. */
  readonly mode?: PadMode | undefined;
  /** The constant; for mode 'constant' only. Default 0. */
  readonly value?: number | undefined;
}

/** How much is added before and after one axis; negative numbers cut. */
interface Frame {
  readonly axis: number;
  readonly before: number;
  readonly after: number;
}

/**
 * Puts a frame around a tensor. PyTorch's `torch.nn.functional.pad`.
 *
 * @param amounts pairs (before, after), the first pair for the last axis, the next for the one before it, and so on. Negative
 *   amounts cut. Modes other than 'constant' pad the last 1 to 3 axes of a tensor with one or two axes more, as images are.
 * @throws ArgumentError for an odd number of amounts, amounts that are no integers or cut more than there is, an unknown mode, or a
 *   reflection or wrap longer than the axis; ShapeError for more pairs than axes.
 * @example
 * pad(tensor([[1, 2], [3, 4]]), [1, 0], { value: 9 }).toArray(); // [[9, 1, 2], [9, 3, 4]]
 */
export function pad(x: Tensor, amounts: readonly number[], options: PadOptions = noOptions): Tensor {
  requireOptions('pad', options, { mode: 'string', value: 'number' });
  const { mode = 'constant', value = 0 } = options;
  requireList(amounts, 'pad', 'amounts');
  const frames = readFrames(x, amounts);
  if (mode === 'constant') return padConstant(x, frames, value);
  requireOneOf('pad', 'mode', mode, ['constant', ...Object.keys(reaches)]);
  const reach = reaches[mode];
  if (value !== 0) {
    throw new ArgumentError(
      `value is ${value}, and mode '${mode}' fills with the tensor's own elements; leave it out.`,
      {
        op: 'pad',
        operand: 'value',
        actual: value,
        expected: "no value, or mode 'constant'",
      },
    );
  }
  requireImage(x, frames, mode);
  for (const frame of frames) requireReach(x, frame, mode);
  // A wrap goes around what is left after a cut; a reflection still sees what was cut off at the other end.
  if (mode !== 'circular') return frames.reduce((padded, frame) => padAxis(padded, frame, reach.source), x);
  const grown = frames.map(({ axis, before, after }) => ({
    axis,
    before: Math.max(before, 0),
    after: Math.max(after, 0),
  }));
  return grown.reduce((padded, frame) => padAxis(padded, frame, reach.source), frames.reduce(crop, x));
}

function readFrames(x: Tensor, amounts: readonly number[]): Frame[] {
  requireTensor('pad', 'x', x);
  const wrong = Array.from(amounts).findIndex((amount) => !Number.isInteger(amount));
  if (amounts.length % 2 !== 0 || wrong >= 0) {
    throw new ArgumentError(
      `amounts are ${quote(amounts)}; give pairs of integers (before, after), the last axis first.`,
      { op: 'pad', operand: 'amounts', actual: amounts, expected: 'an even number of integers' },
    );
  }
  if (amounts.length > 2 * x.ndim) {
    throw new ShapeError(
      `there are ${amounts.length / 2} pairs of amounts for the ${x.ndim} axes of shape ${formatShape(x.shape)}; give one per axis at most.`,
      { op: 'pad', operand: 'amounts', actual: amounts, expected: `at most ${x.ndim} pairs` },
    );
  }
  return Array.from({ length: amounts.length / 2 }, (_, i) => {
    const frame = { axis: x.ndim - 1 - i, before: amounts[2 * i], after: amounts[2 * i + 1] };
    const size = x.shape[frame.axis];
    const { before, after } = frame;
    // What is cut must be there before the other side grows.
    const left = size + Math.min(before, 0) + Math.min(after, 0);
    if (left >= 0) return frame;
    throw new ArgumentError(
      `amounts (${before}, ${after}) cut more than axis ${frame.axis} of shape ${formatShape(x.shape)} has; cut at most ${size}.`,
      {
        op: 'pad',
        operand: 'amounts',
        actual: amounts,
        expected: `at most ${size} cut from axis ${frame.axis}`,
      },
    );
  });
}

// Cuts what is negative; a view.
function crop(x: Tensor, { axis, before, after }: Frame): Tensor {
  const start = Math.max(-before, 0);
  return sliceAxis(x, axis, { start, step: 1, size: x.shape[axis] - start - Math.max(-after, 0) });
}

function padConstant(x: Tensor, frames: readonly Frame[], value: number): Tensor {
  requireRepresentable('pad', 'value', value, x.dtype);
  const cropped = frames.reduce(crop, x);
  const starts = x.shape.map(() => 0);
  const whole = cropped.shape.slice();
  for (const { axis, before, after } of frames) {
    starts[axis] = Math.max(before, 0);
    whole[axis] += starts[axis] + Math.max(after, 0);
  }
  if (whole.every((size, axis) => size === cropped.shape[axis])) return cropped;
  const steps = x.shape.map(() => 1);
  return apply(padOp, [cropped], { starts, steps, sizes: cropped.shape, whole, value });
}

/** Per mode: the element that a position outside repeats, and the most that can be padded. */
interface Reach {
  readonly source: (position: number, size: number) => number;
  readonly most: (size: number) => number;
  readonly why: string;
}

type ReachingMode = Exclude<PadMode, 'constant'>;

const reaches: Readonly<Record<ReachingMode, Reach>> = {
  reflect: {
    source: (position, size) =>
      position < 0 ? -position : position >= size ? 2 * (size - 1) - position : position,
    most: (size) => Math.max(size - 1, 0),
    why: 'it mirrors at the edge, which it does not repeat, so it has size - 1 elements to show',
  },
  replicate: {
    source: (position, size) => Math.min(Math.max(position, 0), size - 1),
    most: (size) => (size > 0 ? Number.POSITIVE_INFINITY : 0),
    why: 'an empty axis has no edge to repeat',
  },
  circular: {
    source: (position, size) => (position + size) % size,
    most: (size) => size,
    why: 'it wraps around at most once',
  },
};

function requireReach(x: Tensor, { axis, before, after }: Frame, mode: ReachingMode): void {
  const { most, why } = reaches[mode];
  const amount = Math.max(before, after);
  const size = x.shape[axis] + (mode === 'circular' ? Math.min(before, 0) + Math.min(after, 0) : 0);
  if (amount <= most(size)) return;
  throw new ArgumentError(
    `mode '${mode}' cannot add ${amount} to axis ${axis} of size ${size}: ${why}. Add at most ${most(size)}, or use another mode.`,
    { op: 'pad', operand: 'amounts', actual: amount, expected: `at most ${most(size)} on axis ${axis}` },
  );
}

function requireImage(x: Tensor, frames: readonly Frame[], mode: PadMode): void {
  const lead = x.ndim - frames.length;
  if (frames.length >= 1 && frames.length <= 3 && (lead === 1 || lead === 2)) return;
  throw new ShapeError(
    `mode '${mode}' pads the last 1 to 3 axes of a tensor with one or two axes before them; shape ${formatShape(x.shape)} with ${frames.length} pairs of amounts has ${lead}.`,
    {
      op: 'pad',
      operand: 'amounts',
      actual: x.shape,
      expected: '(C, …) or (N, C, …) and a pair per spatial axis',
    },
  );
}

// Positions outside are looked up inside: the adjoint adds them up again.
function padAxis(x: Tensor, frame: Frame, source: Reach['source']): Tensor {
  const { axis, before, after } = frame;
  const size = x.shape[axis];
  if (before === 0 && after === 0) return x;
  if (before <= 0 && after <= 0) return crop(x, frame);
  const index = Int32Array.from({ length: size + before + after }, (_, i) => source(i - before, size));
  return selectAlong(x, fromArray(index, [index.length], 'int32'), { axis, op: 'pad' });
}
