// Random directions for projections: seeded, so that a check that fails today fails tomorrow.

/** Gives reproducible directions; every element is between 0.5 and 1.5 in size, so that no coordinate goes unseen. */
export class Directions {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  next(size: number): Float64Array {
    return Float64Array.from({ length: size }, () => {
      const sign = this.uniform() < 0.5 ? -1 : 1;
      return sign * (0.5 + this.uniform());
    });
  }

  // SplitMix32 (Steele, Lea and Flood 2014, with the constants of Murmur3's finaliser).
  private uniform(): number {
    this.state = (this.state + 0x9e3779b9) >>> 0;
    let z = this.state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32;
  }
}
