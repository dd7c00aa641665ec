// Which entries of two matrices differ that should be each other's transpose, and what that looks like: both in full, by unit vectors.

import type { DType } from '../dtype.ts';
import { tensor } from '../ops/create.ts';
import { indexOf, type Shape, sizeOf } from '../shape.ts';
import type { AdjointEntry, AdjointVerdictKind } from './adjoint-report.ts';
import { guess } from './hypotheses.ts';
import { type LinearMap, resultOf } from './linear-map.ts';
import { numbersOf } from './numbers.ts';

const largestMatrix = 65536;

/** A verdict, with some of the entries that differ. */
export interface Diagnosis {
  readonly kind: AdjointVerdictKind;
  readonly text: string;
  readonly entries: readonly AdjointEntry[];
}

/** Compares the matrices where that is affordable. Unit vectors are `scale` long. */
export function diagnose(
  forward: LinearMap,
  transpose: LinearMap,
  input: Shape,
  output: Shape,
  { scale, dtype }: { readonly scale: number; readonly dtype: DType },
): Diagnosis {
  const [rows, columns] = [sizeOf(output), sizeOf(input)];
  if (rows * columns > largestMatrix) {
    return { kind: 'wrong', text: 'Check a smaller shape to see which entries differ.', entries: [] };
  }
  const image = (map: LinearMap, shape: Shape, k: number): Float64Array => {
    const unit = new Float64Array(sizeOf(shape));
    unit[k] = scale;
    return numbersOf(resultOf(map, tensor(unit, { shape, dtype })));
  };
  const given = new Float64Array(rows * columns);
  const wanted = new Float64Array(rows * columns);
  for (let j = 0; j < columns; j++) {
    const column = image(forward, input, j);
    for (let i = 0; i < rows; i++) wanted[i * columns + j] = column[i];
  }
  for (let i = 0; i < rows; i++) given.set(image(transpose, output, i), i * columns);
  const wrong = Array.from(given.keys()).filter((k) => given[k] !== wanted[k]);
  const entries = wrong.slice(0, 5).map((k) => ({
    output: indexOf(Math.floor(k / columns), output),
    input: indexOf(k % columns, input),
    forward: wanted[k],
    transpose: given[k],
  }));
  const guessed = guess({ analytic: given, numeric: wanted, blur: 0 }, { output, input });
  const count = `${wrong.length} of ${given.length} entries differ`;
  return guessed === null
    ? { kind: 'wrong', text: `${count}.`, entries }
    : { kind: guessed.kind, text: `${count}. ${guessed.text.replace('gradient', 'transpose')}`, entries };
}
