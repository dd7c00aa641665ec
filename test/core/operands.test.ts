// What is no tensor or no shape, as JavaScript lets it through, is a typed error that names the op.

import * as core from '@adjoint/core';
import {
  AdjointError,
  ArgumentError,
  add,
  add_,
  allclose,
  apply,
  cast,
  checkpoint,
  clamp_,
  conv2d,
  DTypeError,
  defineOp,
  equal,
  expand,
  index,
  matmul,
  mseLoss,
  noGrad,
  permute,
  randn,
  requireTensor,
  reshape,
  select,
  slice,
  sort,
  sub_,
  tensor,
  topk,
  unflatten,
  vjpRule,
  vmap,
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

it('is named by every function, wherever it looks first', () => {
  // What takes functions, types or options of others, or makes tensors of arrays.
  const others =
    /^(detectAnomaly|hessian|jacobian|valueAndGrad|vjp|promoteTypes|resultType|einsum|require.*|apply|defineOp)$/;
  const unnamed: string[] = [];
  for (const [name, value] of Object.entries(core)) {
    if (typeof value !== 'function' || !/^[a-z]/.test(name) || others.test(name)) continue;
    for (const rest of [[], [0], [[0]], [x], [0, 0], [0, undefined]]) {
      try {
        Reflect.apply(value as () => unknown, undefined, [[1], ...rest]);
      } catch (error) {
        if (!(error instanceof AdjointError)) unnamed.push(`${name} with ${rest.length} more: ${error}`);
      }
    }
  }
  expect(unnamed).toEqual([]);
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

describe('habits from elsewhere', () => {
  it.each<[string, () => unknown, RegExp]>([
    [
      'an operand beside checkpoint',
      () => checkpoint((y) => y, anything(x)),
      /operands go .*checkpoint\(fn\)\(x\)/,
    ],
    ['an operand beside vmap', () => vmap((y) => y, anything(x)), /operands go .*vmap\(fn\)\(x\)/],
    [
      'noGrad as a context',
      () => noGrad(anything(undefined)),
      /fn is undefined; give .*: noGrad\(\(\) => …\)/,
    ],
    ['arrays to a convolution', () => conv2d(anything([[1]]), x), /^conv2d: input is an array of 1; give a/],
    [
      'nothing to a loss',
      () => mseLoss(anything(undefined), x),
      /^mseLoss: .* is undefined; .*does not return/,
    ],
    ['an array to topk', () => topk(anything([1]), 1), /^topk: x is an array of 1; give a tensor/],
    ['an array to sort', () => sort(anything([1])), /^sort: x is an array of 1; give a tensor/],
    ['an array to slice', () => slice(anything([1]), [0]), /^slice: x is an array of 1; give a tensor/],
    ['an array to index', () => index(anything([1]), [0]), /^index: x is an array of 1; give a tensor/],
    ['an array to select', () => select(anything([1]), 0, 0), /^select: x is an array of 1; give a tensor/],
    ['an array to equal', () => equal(x, anything([1])), /^equal: b is an array of 1; give a tensor/],
    ['an array to allclose', () => allclose(anything([1]), x), /^allclose: a is an array of 1; give a/],
    ['an array to change', () => sub_(anything([1]), 1), /^sub_: target is an array of 1; give a tensor/],
    ['an array to add in place', () => add_(x, anything([1])), /^add_: source is an array of 1; give a/],
    ['an array as a bound', () => clamp_(x, { min: anything([1]) }), /^clamp_: min is an array of 1; give/],
    [
      'a tensor of positions to slice',
      () => slice(x, [anything(x)]),
      /indices\[0\] is a tensor; .*index\(\)/,
    ],
    ['an axis of a number', () => unflatten(tensor(1), 0, [1]), /has no axes .*reshape/],
    [
      'a tensor of tensors',
      () => tensor(anything([x, x])),
      /there is a Tensor; stack or cat makes one tensor/,
    ],
    ['64-bit integers', () => tensor(anything(new BigInt64Array(2))), /Int32Array\.from\(data, Number\)/],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(AdjointError);
    expect(call).toThrow(message);
  });

  it.each([
    ['cuda', /Tensors live on the CPU/],
    ['double', /'float64'/],
    ['int64', /no 64-bit integer; use 'int32'/],
  ])('to(%s)', (dtype, message) => {
    expect(() => cast(x, anything(dtype))).toThrow(DTypeError);
    expect(() => cast(x, anything(dtype))).toThrow(message);
  });
});

it('a derivative rule that gives no tensor is named', () => {
  const op = defineOp({
    name: 'forgetful',
    operands: ['x'],
    infer: ([{ shape, dtype }]) => ({ shape, dtype }),
    forward: () => {},
    vjps: [vjpRule(() => anything(undefined))],
    forwardMode: 'linear',
  });
  const y = apply(op, [randn([2], { requiresGrad: true })], undefined).sum();
  expect(() => y.backward()).toThrow(
    /^forgetful: what the derivative rule of operand 'x' gave is undefined; give/,
  );
});

it('requireTensor lets tensors pass', () => {
  expect(() => requireTensor('mine', 'x', x)).not.toThrow();
  expect(() => requireTensor('mine', 'x', [1])).toThrow('mine: x is an array of 1; give a tensor');
});

describe('what was passed over in silence', () => {
  it.each<[string, () => unknown, string]>([
    [
      'positions in a row',
      () => x.slice(anything(1)),
      'slice: indices is 1; give a list with an entry per axis',
    ],
    [
      "Python's text",
      () => x.slice(['1:3' as never]),
      'slice: indices[0] is "1:3"; give a position, a range',
    ],
    ['a list of positions', () => x.index([[1] as never]), 'indices[0] is an array; give a position'],
    [
      'end for stop',
      () => x.slice([{ start: 0, end: 1 } as never]),
      "slice: there is no option 'end'; it takes start, stop",
    ],
    ['one index', () => x.index(anything(0)), 'index: indices is 0; give a list'],
    ['repeats in a row', () => x.repeat(anything(2)), 'repeat: repeats is 2; give an array of numbers'],
    ['one repeat', () => x.tile(anything(2)), 'tile: repeats is 2; give an array of numbers'],
    ['one amount', () => x.pad(anything(1)), 'pad: amounts is 1; give an array of numbers'],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(AdjointError);
    expect(call).toThrow(message);
  });

  it('what a hook returns', () => {
    const leaf = randn([2], { requiresGrad: true });
    leaf.registerHook(() => anything(5));
    expect(() => leaf.sum().backward()).toThrow('registerHook: what a hook returned is 5; give a tensor');
  });
});

describe('typed arrays', () => {
  it('are the last axis of a tensor, of their own type', () => {
    const rows = tensor([Float64Array.of(1, 2), Float64Array.of(3, 4)]);
    expect([rows.dtype, rows.toArray()]).toEqual([
      'float64',
      [
        [1, 2],
        [3, 4],
      ],
    ]);
    expect(tensor([[Int32Array.of(1)], [Int32Array.of(2)]]).shape).toEqual([2, 1, 1]);
    expect(tensor([Float64Array.of(1), [2]]).dtype).toBe('float32');
    expect(() => tensor([Float64Array.of(1, 2), Float64Array.of(3)])).toThrow(/ragged.*an array of 1/);
    expect(tensor([new Float64Array(0)]).shape).toEqual([1, 0]);
  });

  it('of the pixels of a canvas are uint8', () => {
    const pixels = tensor(Uint8ClampedArray.of(0, 255), { shape: [1, 2] });
    expect([pixels.dtype, pixels.toArray()]).toEqual(['uint8', [[0, 255]]]);
  });
});
