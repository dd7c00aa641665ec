// What an optimiser keeps of one parameter between steps: numbers, and arrays of the parameter's size.

import { computeDType, type DType, type Tensor, zeros } from '@adjoint/core';

/** The arrays that optimisers compute with. */
export type FloatValues = Float32Array | Float64Array;

/** Numbers and tensors by name, made when they are first asked for. */
export class ParamState {
  /** The numbers by name. */
  readonly numbers: Map<string, number> = new Map();
  /** The arrays by name, as tensors of the parameter's shape. */
  readonly tensors: Map<string, Tensor> = new Map();
  readonly #shape: readonly number[];
  readonly #dtype: DType;

  constructor(shape: readonly number[], dtype: DType) {
    this.#shape = shape;
    // The averages of a 16-bit parameter are kept in float32: small changes would vanish in 16 bits.
    this.#dtype = computeDType(dtype);
  }

  /** Counts a step, and gives the number of steps so far. */
  nextStep(): number {
    const step = this.number('step', 0) + 1;
    this.numbers.set('step', step);
    return step;
  }

  /** A number that is kept, or `initial` where there is none yet. */
  number(name: string, initial: number): number {
    return this.numbers.get(name) ?? initial;
  }

  /** Whether an array of that name has been made. */
  has(name: string): boolean {
    return this.tensors.has(name);
  }

  /** The array of that name, to read and to overwrite; made of `initial` throughout where there is none yet. */
  array(name: string, initial = 0): FloatValues {
    let tensor = this.tensors.get(name);
    if (tensor === undefined) {
      tensor = zeros(this.#shape, { dtype: this.#dtype });
      if (initial !== 0) (tensor.data as FloatValues).fill(initial);
      this.tensors.set(name, tensor);
    }
    return tensor.data as FloatValues;
  }
}
