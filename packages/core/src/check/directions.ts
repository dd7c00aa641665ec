// Random directions for projections: seeded, so that a check that fails today fails tomorrow.

import { Generator } from '../random/generator.ts';

/** Gives reproducible directions; every element is between 0.5 and 1.5 in size, so that no coordinate goes unseen. */
export class Directions {
  private readonly generator: Generator;

  constructor(seed: number) {
    this.generator = new Generator(seed);
  }

  next(size: number): Float64Array {
    return Float64Array.from({ length: size }, () => {
      const uniform = this.generator.nextWord() / 2 ** 31 - 1;
      return uniform + (uniform < 0 ? -0.5 : 0.5);
    });
  }
}
