// What is no tensor or no shape, as JavaScript lets it through, is a typed error that names the op.

import {
  AdjointError,
  ArgumentError,
  add,
  expand,
  matmul,
  permute,
  randn,
  reshape,
  tensor,
  zeros,
} from '@adjoint/core';
import { describe, expect, it } from 'vitest';

const x = tensor([
  [1, 2],
  [3, 4],
]);
const anything = (value: unknown) => value as never;

describe('an operand that is no tensor', () => {
  it.each([[[1, 2]], ['a'], [true], [1n], [undefined], [null], [{}]])('is refused: %s', (value) => {
    expect(() => add(x, anything(value))).toThrow(ArgumentError);
    expect(() => add(x, anything(value))).toThrow(/^add: operand 'b' is .*give a tensor/);
    expect(() => add(anything(value), x)).toThrow(/^add: operand 'a'/);
  });
});

describe('a shape that is no array', () => {
  it('is refused, with the form that is taken', () => {
    const calls: [string, () => unknown][] = [
      ['zeros', () => zeros(anything(2))],
      ['randn', () => randn(anything(2))],
      ['reshape', () => reshape(x, anything(4))],
      ['expand', () => expand(x, anything(2))],
      ['permute', () => permute(x, anything(1))],
    ];
    for (const [op, call] of calls) {
      expect(call, op).toThrow(AdjointError);
      expect(call, op).toThrow(new RegExp(`^${op}: .* is \\d; give an array`));
    }
  });
});

describe("JavaScript's operators", () => {
  it('see the value of one element, and no others', () => {
    const one = anything(tensor(2.5)) as number;
    expect(one + 1).toBe(3.5);
    expect(one > 2).toBe(true);
    expect(`${x}`).toBe(x.toString());
    expect(() => (anything(x) as number) > 1).toThrow(/tensor of shape \(2, 2\); use the functions add, sub/);
    expect(() => (anything(matmul(x, x)) as number) + 1).toThrow(ArgumentError);
  });
});
