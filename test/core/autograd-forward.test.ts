// Forward mode of every op against PyTorch: tangents, contracted with the oracle's cotangents, give what its gradients give
// contracted with the directions; and the same once more for second derivatives, forward over reverse.

import { add, grad, jvp, mul, sum, Tensor, tensor } from '@adjoint/core';
import { describe, expect, test } from 'vitest';
import { adapters } from '../parity/adapters/index.ts';
import { families } from '../parity/families.ts';
import { type Argument, isValues, loadFixtures, type ParityCase, type Values } from '../parity/oracle.ts';
import type { Operand } from '../parity/suite.ts';

const toTensor = ({ data, shape, dtype }: Values) => tensor(data, { shape, dtype });

/** The arguments of a case with `variables` in their places. */
function filled(argument: Argument, path: string, variables: ReadonlyMap<string, Tensor>): Operand {
  if (argument === null || typeof argument === 'number') return argument;
  if (!isValues(argument)) return argument.map((inner, i) => filled(inner, `${path}.${i}`, variables));
  return variables.get(path) ?? toTensor(argument);
}

function find(args: readonly Argument[], path: string): Values {
  let found: Argument = args;
  for (const key of path.split('.')) found = (found as readonly Argument[])[Number(key)];
  return found as Values;
}

const direction = (like: Tensor, seed: number) =>
  tensor(
    Float64Array.from({ length: like.size }, (_, i) => Math.cos(7 * i + 3 * seed + 1)),
    { shape: like.shape, dtype: 'float64' },
  );

/** `Σ <values[i], tensors[i]>`, and the size of the terms that it is a sum of. */
function contracted(values: readonly (Values | null | undefined)[], tensors: readonly Tensor[]) {
  let total = 0;
  let size = 0;
  tensors.forEach((t, i) => {
    const data = values[i]?.data;
    if (data === undefined) return;
    t.toTypedArray().forEach((value, k) => {
      total += value * data[k];
      size += Math.abs(value * data[k]);
    });
  });
  return { total, size };
}

function check(parityCase: ParityCase): void {
  const grads = parityCase.grads!;
  const paths = Object.keys(grads);
  const points = paths.map((path) => toTensor(find(parityCase.args, path)));
  const directions = points.map(direction);
  const fn = (...xs: Tensor[]): readonly Tensor[] => {
    const variables = new Map(paths.map((path, i) => [path, xs[i]]));
    const args = parityCase.args.map((argument, i) => filled(argument, String(i), variables));
    const result = adapters[parityCase.op](args, parityCase.options);
    return result instanceof Tensor ? [result] : result;
  };
  const list = isValues(parityCase.cotangent) ? [parityCase.cotangent] : (parityCase.cotangent ?? []);
  const agree = (a: ReturnType<typeof contracted>, b: ReturnType<typeof contracted>): void => {
    expect(Math.abs(a.total - b.total)).toBeLessThanOrEqual(1e-10 * Math.max(a.size, b.size) + 1e-13);
  };

  const [, tangents] = jvp(fn, points, directions);
  agree(
    contracted(list, tangents),
    contracted(
      paths.map((path) => grads[path]),
      directions,
    ),
  );

  const { secondCotangents, secondGrads } = parityCase;
  if (secondCotangents === undefined || secondGrads === undefined) return;
  const gradient = (...xs: Tensor[]): readonly Tensor[] => {
    const terms = fn(...xs).flatMap((output, i) => {
      const weight = list[i];
      return weight == null ? [] : [sum(mul(output, toTensor(weight)))];
    });
    const loss = terms.reduce((total, term) => add(total, term));
    return grad(loss, xs, { unused: 'zeros' });
  };
  const [, changes] = jvp(
    gradient,
    points.map((x) => x.requiresGrad_()),
    directions,
  );
  agree(
    contracted(
      paths.map((path) => secondCotangents[path]),
      changes,
    ),
    contracted(
      paths.map((path) => secondGrads[path]),
      directions,
    ),
  );
}

const float64Only = ({ args, grads }: ParityCase): boolean =>
  Object.keys(grads ?? {}).every((path) => find(args, path).dtype === 'float64');

// Sums tell nothing where a term is NaN or so large that others vanish beside it or overflow.
const moderate = ({ output, grads, secondGrads }: ParityCase): boolean =>
  [output, ...Object.values(grads ?? {}), ...Object.values(secondGrads ?? {})]
    .flat()
    .every((values) => values === null || [...values.data].every((value) => Math.abs(value) < 1e60));

for (const family of families) {
  const cases = loadFixtures(family).filter(
    (c) => Object.keys(c.grads ?? {}).length > 0 && float64Only(c) && moderate(c) && c.op in adapters,
  );
  if (cases.length === 0) continue;
  describe(family, () => {
    for (const parityCase of cases) test(`${parityCase.op}: ${parityCase.name}`, () => check(parityCase));
  });
}
