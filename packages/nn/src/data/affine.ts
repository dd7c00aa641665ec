// Affine maps of pictures: turned, shifted, scaled and sheared about their centre, sampled bilinearly.

import {
  ArgumentError,
  DTypeError,
  defaultGenerator,
  Generator,
  rand,
  requireOptions,
  type Tensor,
  tensor,
} from '@adjoint/core';
import { type RandomTransformOptions, requireImage } from './transforms.ts';

/** An affine map of a picture about its centre. */
export interface AffineOptions {
  /** By how much to turn, in degrees, clockwise as seen. Default 0. */
  readonly angle?: number | undefined;
  /** By how much to shift, in pixels to the right and down. Default [0, 0]. */
  readonly translate?: readonly [x: number, y: number] | undefined;
  /** By how much to enlarge. Default 1. */
  readonly scale?: number | undefined;
  /** By how much to shear, in degrees along x and along y. Default [0, 0]. */
  readonly shear?: readonly [x: number, y: number] | undefined;
  /** What lies outside of the picture. Default 0. */
  readonly fill?: number | undefined;
}

/**
 * A picture under an affine map, sampled bilinearly. torchvision's `functional.affine` with `InterpolationMode.BILINEAR`.
 *
 * Values only: no gradient flows through it. Samples beyond the border are `fill`, so a border that lies between pixels fades.
 *
 * @param x shape (…, C, H, W), float32 or float64.
 * @throws DTypeError for other types; ArgumentError for a scale that is not positive.
 * @example
 * affine(tensor([[[1, 2, 3]]]), { translate: [1, 0] }).toArray(); // [[[0, 1, 2]]]
 */
export function affine(x: Tensor, options: AffineOptions = {}): Tensor {
  const op = 'affine';
  requireOptions(op, options, {
    angle: 'number',
    translate: 'list',
    scale: 'number',
    shear: 'list',
    fill: 'number',
  });
  const [, height, width] = requireImage(op, x);
  if (x.dtype !== 'float32' && x.dtype !== 'float64') {
    throw new DTypeError(`x is ${x.dtype}; convert it to float32 or float64 first.`, {
      op,
      operand: 'x',
      actual: x.dtype,
      expected: 'float32 or float64',
    });
  }
  const { fill = 0 } = options;
  const [xx, xy, yx, yy] = inverseOf(options);
  const [shiftX, shiftY] = options.translate ?? [0, 0];
  const values = x.toTypedArray();
  const result = x.dtype === 'float64' ? new Float64Array(x.size) : new Float32Array(x.size);
  const plane = height * width;
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const u = column - middleX - shiftX;
      const v = row - middleY - shiftY;
      const atX = xx * u + xy * v + middleX;
      const atY = yx * u + yy * v + middleY;
      const left = Math.floor(atX);
      const top = Math.floor(atY);
      const right = atX - left;
      const below = atY - top;
      const hasLeft = left >= 0 && left < width;
      const hasRight = left + 1 >= 0 && left + 1 < width;
      const hasTop = top >= 0 && top < height;
      const hasBelow = top + 1 >= 0 && top + 1 < height;
      const at = top * width + left;
      for (let start = 0; start < values.length; start += plane) {
        const corner = start + at;
        // Pixels of weight 0 are left out, so that a map onto whole pixels copies them, infinities too.
        let value = (hasTop && hasLeft ? values[corner] : fill) * (1 - right) * (1 - below);
        if (right !== 0) value += (hasTop && hasRight ? values[corner + 1] : fill) * right * (1 - below);
        if (below !== 0) value += (hasBelow && hasLeft ? values[corner + width] : fill) * (1 - right) * below;
        if (right !== 0 && below !== 0)
          value += (hasBelow && hasRight ? values[corner + width + 1] : fill) * right * below;
        result[start + row * width + column] = value;
      }
    }
  }
  return tensor(result, { shape: [...x.shape], dtype: x.dtype });
}

// The matrix from a place in the result to its place in the picture, both relative to the centre and before the shift. The map is
// shift after rotation after shear after scale, as in torchvision's `_get_inverse_affine_matrix`.
function inverseOf({
  angle = 0,
  scale = 1,
  shear = [0, 0],
}: AffineOptions): readonly [xx: number, xy: number, yx: number, yy: number] {
  if (!(scale > 0 && scale < Infinity)) {
    throw new ArgumentError(`scale is ${scale}; give a positive number.`, {
      op: 'affine',
      operand: 'scale',
      actual: scale,
      expected: 'a number > 0',
    });
  }
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const turn = radians(angle);
  const [shearX, shearY] = [radians(shear[0]), radians(shear[1])];
  const a = Math.cos(turn - shearY) / Math.cos(shearY);
  const b = (-Math.cos(turn - shearY) * Math.tan(shearX)) / Math.cos(shearY) - Math.sin(turn);
  const c = Math.sin(turn - shearY) / Math.cos(shearY);
  const d = (-Math.sin(turn - shearY) * Math.tan(shearX)) / Math.cos(shearY) + Math.cos(turn);
  // The determinant of [[a, b], [c, d]] is 1.
  return [d / scale, -b / scale, -c / scale, a / scale];
}

/** Options of {@link randomAffine}; what is left out stays as it is. */
export interface RandomAffineOptions extends RandomTransformOptions {
  /** The angle is drawn from [−degrees, degrees]. */
  readonly degrees?: number | undefined;
  /** Shifts are drawn up to these shares of width and height, each way. */
  readonly translate?: readonly [x: number, y: number] | undefined;
  /** The scale is drawn from [low, high]. */
  readonly scale?: readonly [low: number, high: number] | undefined;
  /** The shear along x is drawn from [−shear, shear] degrees. */
  readonly shear?: number | undefined;
  /** What lies outside of the picture. Default 0. */
  readonly fill?: number | undefined;
}

/**
 * A picture turned, shifted, scaled and sheared at random. torchvision's `RandomAffine`; shifts are not rounded to pixels here.
 *
 * @param x shape (…, C, H, W), float32 or float64; a batch is changed as one.
 * @example
 * randomAffine(ones([1, 28, 28]), { degrees: 10, translate: [0.1, 0.1], generator: new Generator(0) }).shape; // [1, 28, 28]
 */
export function randomAffine(x: Tensor, options: RandomAffineOptions = {}): Tensor {
  requireOptions('randomAffine', options, {
    degrees: 'number',
    translate: 'list',
    scale: 'list',
    shear: 'number',
    fill: 'number',
    generator: Generator,
  });
  const {
    degrees = 0,
    translate = [0, 0],
    scale = [1, 1],
    shear = 0,
    fill,
    generator = defaultGenerator,
  } = options;
  const [, height, width] = requireImage('randomAffine', x);
  // All are drawn, used or not, so that one option does not change what another draws.
  const [turn, toX, toY, size, slant] = rand([5], { generator, dtype: 'float64' }).toTypedArray();
  const between = (low: number, high: number, share: number): number => low + (high - low) * share;
  return affine(x, {
    angle: between(-degrees, degrees, turn),
    translate: [
      between(-translate[0], translate[0], toX) * width,
      between(-translate[1], translate[1], toY) * height,
    ],
    scale: between(scale[0], scale[1], size),
    shear: [between(-shear, shear, slant), 0],
    fill,
  });
}
