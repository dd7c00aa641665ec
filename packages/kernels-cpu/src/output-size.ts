// What size leaves a convolution or a transposed one, axis by axis: the formulas, and the errors that show them with their numbers.

import { GeometryError } from './errors.ts';
import { type PerAxis, perAxis } from './options.ts';

/** What decides the size of the output, one number per spatial axis each. */
interface AxisSizes {
  /** Extents of what enters. */
  readonly inputSize: readonly number[];
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

/** How the output size of a transposed convolution is chosen among those that its stride or dilation leave open. */
export interface TransposeSizeOptions {
  /** Rows added at the end of the output, per axis; less than `max(stride, dilation)`. Default 0. */
  readonly outputPadding?: PerAxis | undefined;
  /** The spatial extents of the output; stands in place of `outputPadding`. */
  readonly outputSize?: PerAxis | undefined;
}

/** @throws GeometryError if the output would be empty */
export function convolutionSize(op: string, c: AxisSizes): number[] {
  const dims = c.inputSize.length;
  const size = new Array<number>(dims);
  for (let axis = 0; axis < dims; axis++) {
    const room = c.inputSize[axis] + 2 * c.padding[axis] - reachOf(c, axis);
    if (room < 0) throw emptyOutput(op, c, axis);
    size[axis] = Math.floor(room / c.stride[axis]) + 1;
  }
  return size;
}

/** @throws GeometryError if the output would be empty, an option lies outside its legal interval, or both are given */
export function transposeSize(
  op: string,
  c: AxisSizes,
  { outputPadding, outputSize }: TransposeSizeOptions,
): number[] {
  if (outputSize !== undefined && outputPadding !== undefined) {
    throw new GeometryError({
      op,
      parameter: 'outputSize',
      actual: outputSize,
      expected: 'to be given in place of outputPadding, not beside it',
      remedy: `Leave out outputSize or outputPadding (which is ${String(outputPadding)}).`,
    });
  }
  const dims = c.inputSize.length;
  const smallest = new Array<number>(dims);
  for (let axis = 0; axis < dims; axis++)
    smallest[axis] = (c.inputSize[axis] - 1) * c.stride[axis] - 2 * c.padding[axis] + reachOf(c, axis);
  return outputSize === undefined
    ? fromOutputPadding(op, c, outputPadding ?? 0, smallest)
    : fromOutputSize(op, c, outputSize, smallest);
}

/** Elements from the first tap of the kernel to its last. */
const reachOf = ({ kernelSize, dilation }: AxisSizes, axis: number): number =>
  dilation[axis] * (kernelSize[axis] - 1) + 1;

function fromOutputPadding(op: string, c: AxisSizes, value: PerAxis, smallest: number[]): number[] {
  const extras = perAxis(value, smallest.length, { op, option: 'outputPadding', minimum: 0 });
  return extras.map((extra, axis) => {
    const stride = c.stride[axis];
    const dilation = c.dilation[axis];
    const limit = Math.max(stride, dilation);
    const size = smallest[axis] + extra;
    if (extra >= limit) {
      throw new GeometryError({
        op,
        parameter: 'outputPadding',
        axis,
        actual: extra,
        expected: `an integer in [0, ${limit - 1}], less than max(stride, dilation) = max(${stride}, ${dilation}) = ${limit}`,
        remedy:
          `${outputFormula(c, axis, extra, size)} Lower outputPadding[${axis}] to at most ${limit - 1}, ` +
          `or raise stride[${axis}] or dilation[${axis}] to at least ${extra + 1}.`,
      });
    }
    if (size < 1) throw emptyTranspose(op, c, axis, extra, size);
    return size;
  });
}

function fromOutputSize(op: string, c: AxisSizes, value: PerAxis, smallest: number[]): number[] {
  const sizes = perAxis(value, smallest.length, { op, option: 'outputSize', minimum: 1 });
  return sizes.map((size, axis) => {
    const minimum = smallest[axis];
    const limit = Math.max(c.stride[axis], c.dilation[axis]);
    const maximum = minimum + limit - 1;
    if (maximum < 1) throw emptyTranspose(op, c, axis, limit - 1, maximum);
    if (size >= minimum && size <= maximum) return size;
    throw new GeometryError({
      op,
      parameter: 'outputSize',
      axis,
      actual: size,
      expected: `an integer in [${Math.max(1, minimum)}, ${maximum}]`,
      remedy:
        `${outputFormula(c, axis, 0, minimum)} That is without outputPadding, which may add up to ` +
        `max(stride, dilation) − 1 = ${limit - 1}. Ask for an outputSize[${axis}] in this interval, ` +
        `or change ${size < minimum ? 'padding (up)' : 'padding (down)'}, stride, dilation or kernelSize.`,
    });
  });
}

function emptyOutput(op: string, c: AxisSizes, axis: number): GeometryError {
  const input = c.inputSize[axis];
  const kernel = c.kernelSize[axis];
  const stride = c.stride[axis];
  const padding = c.padding[axis];
  const dilation = c.dilation[axis];
  const reach = reachOf(c, axis);
  const output = Math.floor((input + 2 * padding - reach) / stride) + 1;
  return new GeometryError({
    op,
    parameter: 'inputSize',
    axis,
    actual: input,
    expected: `at least ${reach - 2 * padding}, so that the output is not empty`,
    remedy:
      'The output size is floor((input + 2·padding − dilation·(kernel − 1) − 1) / stride) + 1 = ' +
      `floor((${input} + 2·${padding} − ${dilation}·(${kernel} − 1) − 1) / ${stride}) + 1 = ${output}. ` +
      `Use a larger input, a smaller kernel or dilation, or padding[${axis}] of at least ${Math.ceil((reach - input) / 2)}.`,
  });
}

function emptyTranspose(op: string, c: AxisSizes, axis: number, extra: number, size: number): GeometryError {
  const missing = 1 - size;
  return new GeometryError({
    op,
    parameter: 'padding',
    axis,
    actual: c.padding[axis],
    expected: `at most ${c.padding[axis] - Math.ceil(missing / 2)}, so that the output is not empty`,
    remedy: `${outputFormula(c, axis, extra, size)} Lower padding[${axis}], or use a larger input, kernel or stride.`,
  });
}

function outputFormula(c: AxisSizes, axis: number, extra: number, size: number): string {
  const input = c.inputSize[axis];
  const kernel = c.kernelSize[axis];
  return (
    'The output size is (input − 1)·stride − 2·padding + dilation·(kernel − 1) + outputPadding + 1 = ' +
    `(${input} − 1)·${c.stride[axis]} − 2·${c.padding[axis]} + ${c.dilation[axis]}·(${kernel} − 1) + ${extra} + 1 = ${size}.`
  );
}
