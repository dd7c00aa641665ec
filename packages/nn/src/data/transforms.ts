// Changes to pictures: normalising, cropping, mirroring, and affine maps; the random ones draw from a generator.

import {
  ArgumentError,
  cast,
  defaultGenerator,
  flip,
  formatShape,
  Generator,
  narrow,
  pad,
  rand,
  requireArgument,
  requireOptions,
  requireTensor,
  ShapeError,
  type Tensor,
  tensor,
} from '@adjoint/core';
import { requireInteger } from '../layers/options.ts';

/** Where a random transform draws from. */
export interface RandomTransformOptions {
  /** Default: the default generator; in a {@link DataLoader}'s `transform`, give the one it passes. */
  readonly generator?: Generator | undefined;
}

/**
 * Shifts and scales each channel: (x − mean) / std. torchvision's `Normalize`.
 *
 * @param x shape (…, C, H, W), floating-point.
 * @param options.mean one number for all channels, or one per channel. So is `std`, which is not 0.
 * @throws ShapeError if there are not as many numbers as channels; ArgumentError for a std of 0.
 * @example
 * normalize(tensor([[[1, 2]]]), { mean: 1, std: 2 }).toArray(); // [[[0, 0.5]]]
 */
export function normalize(
  x: Tensor,
  options: { readonly mean: number | readonly number[]; readonly std: number | readonly number[] },
): Tensor {
  requireOptions('normalize', options, { mean: 'own', std: 'own' });
  const { mean, std } = options;
  const [channels] = requireImage('normalize', x);
  const perChannel = (operand: string, value: number | readonly number[]): Tensor => {
    if (typeof value !== 'number') requireArgument('normalize', operand, value, 'list');
    const values = typeof value === 'number' ? new Array<number>(channels).fill(value) : [...value];
    if (values.length !== channels) {
      throw new ShapeError(
        `${operand} has ${values.length} numbers, and the picture of shape ${formatShape(x.shape)} ${channels} channels.`,
        { op: 'normalize', operand, actual: values.length, expected: String(channels) },
      );
    }
    if (operand === 'std' && values.includes(0)) {
      throw new ArgumentError('std is 0 in a channel; a channel that is all the same has nothing to scale.', {
        op: 'normalize',
        operand,
        actual: values,
      });
    }
    return cast(tensor(values, { dtype: 'float64' }), x.dtype).reshape([channels, 1, 1]);
  };
  return x.sub(perChannel('mean', mean)).div(perChannel('std', std));
}

/** The pixels of a window: both sides alike, or height and width. */
export type CropSize = number | readonly [height: number, width: number];

/**
 * The middle `height` × `width` pixels. torchvision's `CenterCrop`, of pictures at least that large.
 *
 * @param x shape (…, H, W).
 * @param size of both sides, or height and width.
 * @throws ShapeError for a window larger than the picture.
 * @example
 * centerCrop(tensor([[[1, 2, 3]]]), [1, 1]).toArray(); // [[[2]]]
 */
export function centerCrop(x: Tensor, size: CropSize): Tensor {
  const [, height, width] = requireImage('centerCrop', x);
  const window = requireWindow('centerCrop', x, size);
  return crop(x, window, [Math.round((height - window[0]) / 2), Math.round((width - window[1]) / 2)]);
}

/** Options of {@link randomCrop}. */
export interface RandomCropOptions extends RandomTransformOptions {
  /** Zeros to put around the picture first. Default 0. */
  readonly padding?: number | undefined;
}

/**
 * A window of `height` × `width` pixels at a random place, each equally likely. torchvision's `RandomCrop`.
 *
 * @param x shape (…, H, W).
 * @param size of both sides, or height and width.
 * @throws ShapeError for a window larger than the padded picture.
 * @example
 * randomCrop(zeros([3, 32, 32]), [32, 32], { padding: 4, generator: new Generator(0) }).shape; // [3, 32, 32]
 */
export function randomCrop(x: Tensor, size: CropSize, options: RandomCropOptions = {}): Tensor {
  requireOptions('randomCrop', options, { padding: 'number', generator: Generator });
  const { padding = 0, generator = defaultGenerator } = options;
  const op = 'randomCrop';
  requireImage(op, x);
  requireInteger(op, 'padding', padding, 0);
  const padded = padding === 0 ? x : pad(x, [padding, padding, padding, padding]);
  const window = requireWindow(op, padded, size);
  const [height, width] = padded.shape.slice(-2);
  const top = generator.nextBelow(height - window[0] + 1);
  const left = generator.nextBelow(width - window[1] + 1);
  return crop(padded, window, [top, left]);
}

/** Options of the random flips. */
export interface RandomFlipOptions extends RandomTransformOptions {
  /** How likely it is to flip. Default 0.5. */
  readonly p?: number | undefined;
}

/**
 * The picture or its mirror image, left for right. torchvision's `RandomHorizontalFlip`.
 *
 * @param x shape (…, H, W).
 * @example
 * randomHorizontalFlip(tensor([[[1, 2]]]), { p: 1 }).toArray(); // [[[2, 1]]]
 */
export function randomHorizontalFlip(x: Tensor, options: RandomFlipOptions = {}): Tensor {
  return randomFlip('randomHorizontalFlip', x, -1, options);
}

/**
 * The picture or its mirror image, top for bottom. torchvision's `RandomVerticalFlip`.
 *
 * @param x shape (…, H, W).
 * @example
 * randomVerticalFlip(tensor([[[1], [2]]]), { p: 1 }).toArray(); // [[[2], [1]]]
 */
export function randomVerticalFlip(x: Tensor, options: RandomFlipOptions = {}): Tensor {
  return randomFlip('randomVerticalFlip', x, -2, options);
}

function randomFlip(op: string, x: Tensor, axis: number, options: RandomFlipOptions): Tensor {
  requireOptions(op, options, { p: 'number', generator: Generator });
  const { p = 0.5, generator = defaultGenerator } = options;
  requireImage(op, x);
  if (!(p >= 0 && p <= 1)) {
    throw new ArgumentError(`p is ${p}; give a probability.`, {
      op,
      operand: 'p',
      actual: p,
      expected: '[0, 1]',
    });
  }
  return rand([], { generator, dtype: 'float64' }).item() < p ? flip(x, axis) : x;
}

function crop(
  x: Tensor,
  [height, width]: readonly [number, number],
  [top, left]: readonly [number, number],
): Tensor {
  return narrow(narrow(x, x.ndim - 2, top, height), x.ndim - 1, left, width);
}

// The window's height and width, which fit into the picture.
function requireWindow(op: string, x: Tensor, size: CropSize): readonly [number, number] {
  const [height, width] = Array.isArray(size)
    ? (size as readonly [number, number])
    : [size as number, size as number];
  requireInteger(op, 'height', height, 1);
  requireInteger(op, 'width', width, 1);
  const [rows, columns] = x.shape.slice(-2);
  if (height <= rows && width <= columns) return [height, width];
  throw new ShapeError(
    `a window of ${height} × ${width} does not fit into a picture of ${rows} × ${columns}; take a smaller one, or more padding.`,
    { op, operand: 'size', actual: [height, width], expected: `at most ${rows} × ${columns}` },
  );
}

/** Channels, height and width of a picture or a batch of them. */
export function requireImage(op: string, x: Tensor): readonly [number, number, number] {
  requireTensor(op, 'x', x);
  if (x.ndim < 3) {
    throw new ShapeError(
      `x has shape ${formatShape(x.shape)}; a picture has (C, H, W), a batch (N, C, H, W).`,
      {
        op,
        operand: 'x',
        actual: x.shape,
        expected: '(…, C, H, W)',
      },
    );
  }
  const [channels, height, width] = x.shape.slice(-3);
  return [channels, height, width];
}
