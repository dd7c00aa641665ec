// Whether anybody records, watches or wants nothing but the result makes no difference to its bits: what a forward rule keeps for the
// derivative rules it keeps beside the result.

import { isFloat, noGrad, type Tensor } from '@adjoint/core';
import { expect, it } from 'vitest';
import { observe } from '../../packages/core/src/tape/observer.ts';
import { draw, numbersOf, titleOf } from './run.ts';
import { samples as table } from './samples/index.ts';

const bitsOf = (x: Tensor): number[] => {
  const { buffer, byteOffset, byteLength } = x.toTypedArray();
  return [...new Uint8Array(buffer, byteOffset, byteLength)];
};

for (const { op, samples } of table) {
  it(`${op.name} gives the same bits, whoever looks on`, () => {
    for (const sample of samples) {
      const places = numbersOf(sample);
      const run = (differentiable: (place: number) => boolean): number[] => {
        const operands = draw(op, sample);
        for (const place of places) {
          if (differentiable(place) && isFloat(operands[place].dtype)) operands[place].requiresGrad_();
        }
        return bitsOf(sample.call(...operands));
      };
      const alone = noGrad(() => run(() => false));
      expect(
        run(() => true),
        `${titleOf(sample)}, recorded`,
      ).toEqual(alone);
      for (const place of places) {
        expect(
          run((other) => other === place),
          `${titleOf(sample)}, recorded for operand ${place}`,
        ).toEqual(alone);
      }
      const watched = observe({}, () => noGrad(() => run(() => false)));
      expect(watched, `${titleOf(sample)}, watched`).toEqual(alone);
    }
  });
}
