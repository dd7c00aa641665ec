// Convolution and transposed convolution in 1 to 3 dimensions, under PyTorch's names with MegEngine's options.
//
// ./conv-call.ts reads shapes and options; these make the one geometry that ./conv.ts needs, and add the bias. What they share stands in
// `convolve` and `convolveTransposed`; 1d, 2d and 3d differ by a number only.

import { convGeometry, convTransposeGeometry } from '@adjoint/kernels-cpu';
import { type FloatDType, isHalf } from '../dtype.ts';
import { noOptions, requireOptions } from '../options.ts';
import type { Tensor } from '../tensor.ts';
import { addOver } from './arithmetic.ts';
import { cast } from './cast.ts';
import { conv, convInputGrad } from './conv.ts';
import {
  type ConvCall,
  type ConvOptions,
  type ConvTransposeOptions,
  convOptions,
  convTransposeOptions,
  geometryOptions,
  readBias,
  readCall,
  requireChannels,
  resolvePadding,
} from './conv-call.ts';
import { reshape } from './layout.ts';
import { pad } from './pad.ts';

export type { ComputeMode, ConvMode, ConvOptions, ConvTransposeOptions } from './conv-call.ts';

/**
 * Convolution over one spatial axis. PyTorch's `conv1d`; shapes, options and errors as {@link conv2d} with one spatial axis.
 *
 * @example
 * conv1d(zeros([8, 3, 10]), zeros([16, 3, 5]), { padding: 2 }).shape; // [8, 16, 10]
 */
export function conv1d(input: Tensor, weight: Tensor, options: ConvOptions = noOptions): Tensor {
  return convolve('conv1d', 1, input, weight, options);
}

/**
 * Convolution over two spatial axes. PyTorch's `conv2d`.
 *
 * The output size is, per axis, `floor((in + 2·padding − dilation·(kernel − 1) − 1) / stride) + 1`.
 *
 * @param input shape (N, C, H, W), or (C, H, W) for one image; N may be 0. Floating-point.
 * @param weight shape (out, C/groups, kh, kw), or grouped (groups, out/groups, C/groups, kh, kw); of the input's dtype.
 * @returns shape (N, out, H', W'), or (out, H', W') for one image; of the input's dtype.
 * @throws ShapeError, DTypeError, ArgumentError or GeometryError, before any work, naming the operand or option.
 * @example
 * conv2d(zeros([16, 3, 32, 32]), zeros([64, 3, 3, 3]), { stride: 2, padding: 1 }).shape; // [16, 64, 16, 16]
 */
export function conv2d(input: Tensor, weight: Tensor, options: ConvOptions = noOptions): Tensor {
  return convolve('conv2d', 2, input, weight, options);
}

/**
 * Convolution over three spatial axes. PyTorch's `conv3d`; shapes, options and errors as {@link conv2d} with three.
 *
 * @example
 * conv3d(zeros([1, 2, 8, 8, 8]), zeros([4, 2, 3, 3, 3])).shape; // [1, 4, 6, 6, 6]
 */
export function conv3d(input: Tensor, weight: Tensor, options: ConvOptions = noOptions): Tensor {
  return convolve('conv3d', 3, input, weight, options);
}

/**
 * Transposed convolution over one spatial axis. PyTorch's `conv_transpose1d`; as {@link convTranspose2d} with one.
 *
 * @example
 * convTranspose1d(zeros([8, 16, 5]), zeros([16, 3, 4]), { stride: 2 }).shape; // [8, 3, 12]
 */
export function convTranspose1d(
  input: Tensor,
  weight: Tensor,
  options: ConvTransposeOptions = noOptions,
): Tensor {
  return convolveTransposed('convTranspose1d', 1, input, weight, options);
}

/**
 * Transposed convolution over two spatial axes: the adjoint of {@link conv2d} in its input, with the same weight and
 * options. PyTorch's `conv_transpose2d`, MegEngine's `conv_transpose2d`.
 *
 * The output size is, per axis, `(in − 1)·stride − 2·padding + dilation·(kernel − 1) + outputPadding + 1`.
 *
 * @param input shape (N, C, H, W), or (C, H, W) for one image; N may be 0. Floating-point.
 * @param weight shape (C, out/groups, kh, kw), or grouped (groups, C/groups, out/groups, kh, kw); of the input's dtype.
 * @returns shape (N, out, H', W'), or (out, H', W') for one image; of the input's dtype.
 * @throws ShapeError, DTypeError, ArgumentError or GeometryError, before any work, naming the operand or option.
 * @example
 * convTranspose2d(zeros([16, 3, 32, 32]), zeros([3, 64, 3, 3]), { stride: 2, padding: 1 }).shape; // [16, 64, 63, 63]
 */
export function convTranspose2d(
  input: Tensor,
  weight: Tensor,
  options: ConvTransposeOptions = noOptions,
): Tensor {
  return convolveTransposed('convTranspose2d', 2, input, weight, options);
}

/**
 * Transposed convolution over three spatial axes. PyTorch's `conv_transpose3d`; as {@link convTranspose2d} with three.
 *
 * @example
 * convTranspose3d(zeros([1, 4, 2, 2, 2]), zeros([4, 2, 2, 2, 2]), { stride: 2 }).shape; // [1, 2, 4, 4, 4]
 */
export function convTranspose3d(
  input: Tensor,
  weight: Tensor,
  options: ConvTransposeOptions = noOptions,
): Tensor {
  return convolveTransposed('convTranspose3d', 3, input, weight, options);
}

function convolve(op: string, dims: number, input: Tensor, weight: Tensor, options: ConvOptions): Tensor {
  requireOptions(op, options, convOptions);
  const call = readCall(op, dims, input, weight, options);
  const outChannels = call.weight.shape[0];
  requireChannels(call, 'weight', call.weight.shape[1] * call.groups, 'in/groups · groups');
  const { padding, after } = resolvePadding(call, options);
  const common = geometryOptions(call, { ...options, padding });
  const inputSize = common.inputSize.map((size, axis) => size + after[axis]);
  const geometry = convGeometry({ ...common, inputSize, outChannels });
  return finish(call, options, outChannels, (x, w) => conv(padAfter(x, after), w, geometry));
}

function convolveTransposed(
  op: string,
  dims: number,
  input: Tensor,
  weight: Tensor,
  options: ConvTransposeOptions,
): Tensor {
  requireOptions(op, options, convTransposeOptions);
  const call = readCall(op, dims, input, weight, options);
  const outChannels = call.weight.shape[1] * call.groups;
  requireChannels(call, 'weight', call.weight.shape[0], 'in');
  const { outputPadding, outputSize } = options;
  const geometry = convTransposeGeometry({
    ...geometryOptions(call, options),
    outChannels,
    outputPadding,
    outputSize,
  });
  return finish(call, options, outChannels, (x, w) => convInputGrad(w, x, geometry));
}

function padAfter(x: Tensor, after: readonly number[]): Tensor {
  return after.includes(1)
    ? pad(
        x,
        [...after].reverse().flatMap((extra) => [0, extra]),
      )
    : x;
}

function finish(
  call: ConvCall,
  options: ConvOptions,
  outChannels: number,
  run: (input: Tensor, weight: Tensor) => Tensor,
): Tensor {
  const { input, weight, batched } = call;
  const bias = options.bias ? readBias(call, options.bias, outChannels) : null;
  const { dtype } = input;
  const wide = options.computeMode === 'float32' && isHalf(dtype);
  const inner: FloatDType = wide ? 'float32' : (dtype as FloatDType);
  let output = run(cast(input, inner), cast(weight, inner));
  if (bias !== null) output = addOver(output, cast(bias, inner));
  output = cast(output, dtype);
  return batched ? output : reshape(output, output.shape.slice(1));
}
