// What the tests of convolutions on fast tiers share: operands of a geometry, the three kernels on them, and where numbers that are not
// finite may show up.

import { type ConvGeometry, type FloatArray, openTier } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { expect } from 'vitest';
import { differentValues, integers } from './product-values.ts';
import type { Float } from './samples.ts';
import { sizes } from './trilinear.ts';

export const reference = openTier('reference').kernels;

export interface Operands {
  readonly x: FloatArray;
  readonly w: FloatArray;
  readonly y: FloatArray;
}

/** Operands of a geometry, each made with a seed of its own: 1, 2 and 3. */
export function operands(g: ConvGeometry, make: (length: number, seed: number) => FloatArray): Operands {
  const size = sizes(g);
  return { x: make(size.x, 1), w: make(size.w, 2), y: make(size.y, 3) };
}

/** Operands whose sums are exact. */
export const wholeOperands = (g: ConvGeometry, Type: Float): Operands =>
  operands(g, (length, seed) => integers(Type, length, seed));

/** The three kernels of a tier on the same operands: y, x and w. */
export function derivatives(kernels: typeof reference, g: ConvGeometry, { x, w, y }: Operands): FloatArray[] {
  const [gotX, gotW, gotY] = [x, w, y].map((like) => like.slice().fill(Number.NaN));
  kernels.convForward(g, x, w, gotY);
  kernels.convInputGrad(g, w, y, gotX);
  kernels.convWeightGrad(g, x, y, gotW);
  return [gotY, gotX, gotW];
}

/** An infinite or undefined element among whole numbers reaches what the reference says it reaches, and nothing else changes. */
export function expectOddElementsToReachTheSame(
  kernels: typeof reference,
  geometries: readonly ConvGeometry[],
  Type: Float,
): void {
  fc.assert(
    fc.property(
      fc.constantFrom(...geometries),
      fc.constantFrom(Number.NaN, Infinity, -Infinity),
      fc.constantFrom('x' as const, 'w' as const, 'y' as const),
      fc.nat(),
      (g, odd, which, place) => {
        const given = wholeOperands(g, Type);
        given[which][place % given[which].length] = odd;
        const expected = derivatives(reference, g, given);
        derivatives(kernels, g, given).forEach((got, i) => {
          expect(differentValues(got, expected[i])).toEqual([]);
        });
      },
    ),
    { numRuns: 15 },
  );
}
