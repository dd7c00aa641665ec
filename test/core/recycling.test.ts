// Backward uses arrays again that only it has seen. What anybody else can hold is never among them.

import {
  add,
  apply,
  backward,
  checkpoint,
  type DType,
  defineOp,
  detectAnomaly,
  enableGrad,
  exp,
  grad,
  matmul,
  mul,
  ones,
  relu,
  square,
  sum,
  type Tensor,
  tanh,
  tensor,
  transpose,
  vjpRule,
} from '@adjoint/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits, stock } from '../../packages/core/src/tape/recycling.ts';

const SIDE = 24;
const usual = { ...limits };

// Nothing lies ready at first: what an earlier test left is given up.
beforeEach(() => {
  for (let i = 0; i < 64; i++) backward(tensor(1, { requiresGrad: true }));
  expect(stock()).toHaveLength(0);
});
afterEach(() => {
  Object.assign(limits, usual);
});

function matrix(seed: number, dtype: DType = 'float32'): Tensor {
  const values = Float64Array.from({ length: SIDE * SIDE }, (_, i) => Math.sin(seed + 1.7 * i));
  return tensor(values, { shape: [SIDE, SIDE], dtype });
}

const leaf = (seed: number, dtype?: DType): Tensor => matrix(seed, dtype).requiresGrad_();

/** Every intermediate result of a function with shared parts, and its output last. */
function network(x: Tensor, w: Tensor): Tensor[] {
  const product = matmul(x, transpose(w));
  const bent = tanh(product);
  const both = add(mul(bent, product), relu(bent));
  const again = matmul(both, w);
  const sums = add(add(again, both), mul(both, x));
  return [product, bent, both, again, sums, sum(square(sums))];
}

const copyOf = (x: Tensor): number[] => [...x.toTypedArray()];
const isReady = ({ data }: Tensor): boolean => stock().includes(data);

function poison(): void {
  for (const array of stock()) array.fill(Number.NaN);
}

/** Gradients of x and w by a pass that records itself, and so uses nothing again. */
function reference(dtype?: DType): number[][] {
  const [x, w] = [leaf(1, dtype), leaf(2, dtype)];
  return grad(network(x, w).at(-1)!, [x, w], { createGraph: true }).map(copyOf);
}

function expectGradients(x: Tensor, w: Tensor): void {
  expect([x, w].map(({ grad }) => copyOf(grad!))).toEqual(reference(x.dtype));
}

describe('arrays that only backward saw', () => {
  it('are used by the next pass, in which nothing of their length is made anew', () => {
    const pass = (): Tensor[] => {
      const [x, w] = [leaf(1), leaf(2)];
      backward(network(x, w).at(-1)!);
      return [x, w];
    };
    for (let i = 0; i < 3; i++) pass();
    const before = stock();
    expect(before.length).toBeGreaterThan(0);
    poison();
    const [x, w] = pass();
    expectGradients(x, w);
    // The two gradients went to whoever holds x and w; the rest of the stock is what it was.
    const after = new Set(stock());
    const gone = before.filter((array) => !after.has(array));
    expect(new Set(gone)).toEqual(new Set([x.grad!.data, w.grad!.data].filter((d) => before.includes(d))));
    expect(after.size).toBe(before.length);
  });

  it.each(['float32', 'float64', 'float16', 'bfloat16'] as const)(
    'give the bits of new ones in %s',
    (dtype) => {
      for (let round = 0; round < 3; round++) {
        const [x, w] = [leaf(1, dtype), leaf(2, dtype)];
        poison();
        backward(network(x, w).at(-1)!);
        expectGradients(x, w);
      }
    },
  );

  it('are no more than the limit', () => {
    limits.capacity = 2 * SIDE * SIDE * 4;
    backward(network(leaf(1), leaf(2)).at(-1)!);
    expect(stock().reduce((total, { byteLength }) => total + byteLength, 0)).toBeLessThanOrEqual(
      limits.capacity,
    );
    expect(stock().length).toBeGreaterThan(0);
  });

  it.each([1, 3, 24])('are those of %i elements as well', (size) => {
    const pass = (): Tensor => {
      const x = ones([size], { requiresGrad: true });
      backward(sum(tanh(exp(square(x)))));
      return x;
    };
    const wanted = copyOf(pass().grad!);
    const before = stock();
    expect(before.some(({ length }) => length === size)).toBe(true);
    poison();
    expect(copyOf(pass().grad!)).toEqual(wanted);
    expect(new Set(stock())).toEqual(new Set(before));
  });
});

describe('what is never used again', () => {
  it('gradients that hooks see', () => {
    const [x, w] = [leaf(1), leaf(2)];
    const results = network(x, w);
    const seen: [Tensor, number[]][] = [];
    for (const result of [x, w, ...results]) {
      result.registerHook((gradient) => {
        seen.push([gradient, copyOf(gradient)]);
        return undefined;
      });
    }
    backward(results.at(-1)!);
    poison();
    backward(network(leaf(3), leaf(4)).at(-1)!);
    poison();
    expect(seen).toHaveLength(8);
    for (const [gradient, values] of seen) {
      expect(copyOf(gradient)).toEqual(values);
      expect(isReady(gradient)).toBe(false);
    }
    expectGradients(x, w);
  });

  it('what a hook puts in the place of a gradient', () => {
    const [x, w] = [leaf(1), leaf(2)];
    const results = network(x, w);
    const given = matrix(5);
    const values = copyOf(given);
    results[2].registerHook(() => given);
    backward(results.at(-1)!);
    poison();
    expect(copyOf(given)).toEqual(values);
    expect(isReady(given)).toBe(false);
  });

  it('cotangents and results of rules that may keep them', () => {
    const kept: [Tensor, number[]][] = [];
    const keep = (x: Tensor): Tensor => {
      kept.push([x, copyOf(x)]);
      return x;
    };
    const keeperOp = defineOp({
      name: 'keeper',
      operands: ['x'],
      infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
      forward: ([x], out) => out.set(x.data),
      vjps: [vjpRule((g) => keep(transpose(transpose(keep(mul(keep(g), 1))))))],
      forwardMode: 'linear',
    });
    const [x, w] = [leaf(1), leaf(2)];
    const through = apply(keeperOp, [tanh(matmul(x, w))], undefined);
    backward(sum(square(mul(through, add(through, x)))));
    poison();
    backward(network(leaf(3), leaf(4)).at(-1)!);
    poison();
    expect(kept).toHaveLength(3);
    for (const [tensor, values] of kept) {
      expect(copyOf(tensor)).toEqual(values);
      expect(isReady(tensor)).toBe(false);
    }
  });

  it('results of grad, of inner tensors too, and views of one another', () => {
    const [x, w] = [leaf(1), leaf(2)];
    const results = network(x, w);
    const inner = [x, w, ...results.slice(0, -1)];
    const found = grad(results.at(-1)!, inner, { retainGraph: true });
    const values = found.map(copyOf);
    poison();
    expect(grad(results.at(-1)!, inner, { retainGraph: true }).map(copyOf)).toEqual(values);
    expect(grad(results.at(-1)!, inner, { createGraph: true }).map(copyOf)).toEqual(values);
    poison();
    expect(found.map(copyOf)).toEqual(values);
    expect(found.some(isReady)).toBe(false);
  });

  it('a .grad: it stays what it was when another pass adds to it', () => {
    const [x, w] = [leaf(1), leaf(2)];
    const loss = network(x, w).at(-1)!;
    backward(loss, { retainGraph: true });
    const first = x.grad!;
    const view = transpose(first);
    const values = [copyOf(first), copyOf(view)];
    backward(loss, { retainGraph: true });
    poison();
    expect([copyOf(first), copyOf(view)]).toEqual(values);
    expect(copyOf(x.grad!)).toEqual(values[0].map((value) => 2 * value));
    backward(loss);
    poison();
    expect(copyOf(x.grad!)).toEqual(values[0].map((value) => Math.fround(Math.fround(2 * value) + value)));
    expect([copyOf(first), copyOf(view)]).toEqual(values);
  });

  it('a gradient that two leaves have in common', () => {
    const [x, w] = [leaf(1), leaf(2)];
    backward(sum(square(add(x, w))));
    expect(x.grad!.data).not.toBe(w.grad!.data);
    poison();
    expect(copyOf(x.grad!)).toEqual(copyOf(w.grad!));
    expect(copyOf(x.grad!)).toEqual(copyOf(add(x, w)).map((value) => 2 * value));
  });

  it('a .grad that is the gradOutput of the next pass', () => {
    const x = leaf(1);
    backward(sum(square(mul(x, 1))));
    const first = x.grad!;
    const values = copyOf(first);
    const y = leaf(2);
    // Its cotangent is the gradOutput first, to which another part is added.
    const bent = tanh(y);
    backward(add(square(bent), bent), { gradOutput: first });
    poison();
    expect(copyOf(first)).toEqual(values);
    expect(isReady(first)).toBe(false);
  });

  it('a cotangent that several operands have in common, before it is done with', () => {
    const gradient = (createGraph: boolean): number[] => {
      const x = leaf(1);
      const [bent, grown] = [tanh(x), exp(x)];
      const squared = square(bent);
      // Visited first, it hands one and the same tensor to both of its operands; square then adds to one of them.
      const both = add(bent, grown);
      return copyOf(grad(sum(square(add(squared, both))), x, { createGraph }));
    };
    expect(gradient(false)).toEqual(gradient(true));
  });

  it('values, saved tensors and a gradOutput, whether or not the graph is kept', () => {
    const [x, w] = [leaf(1), leaf(2)];
    const results = network(x, w);
    const output = results[4];
    const gradOutput = matrix(7);
    const values = [...results, gradOutput].map(copyOf);
    backward(output, { gradOutput, retainGraph: true });
    backward(output, { gradOutput });
    poison();
    expect([...results, gradOutput].map(copyOf)).toEqual(values);
    expect([x, w, gradOutput, ...results].some(isReady)).toBe(false);
  });

  it('what a checkpointed function makes when it runs again', () => {
    const made: [Tensor, number[]][] = [];
    const block = checkpoint((x: Tensor) => {
      const y = tanh(mul(x, 2));
      made.push([y, copyOf(y)]);
      return exp(y);
    });
    backward(sum(square(block(mul(leaf(1), 1)))));
    poison();
    expect(made).toHaveLength(2);
    for (const [y, values] of made) expect(copyOf(y)).toEqual(values);
  });

  it('what a hook computes in a pass of its own', () => {
    const [x, w] = [leaf(1), leaf(2)];
    const results = network(x, w);
    let inner: Tensor | null = null;
    results[2].registerHook((gradient) => {
      const y = leaf(6);
      enableGrad(() => backward(network(y, matrix(8)).at(-1)!));
      inner = add(gradient, y.grad!);
      return undefined;
    });
    backward(results.at(-1)!);
    const values = copyOf(inner!);
    poison();
    backward(network(leaf(3), leaf(4)).at(-1)!);
    poison();
    expect(copyOf(inner!)).toEqual(values);
    expectGradients(x, w);
  });

  it('anything, while somebody watches', () => {
    const [x, w] = [leaf(1), leaf(2)];
    detectAnomaly(() => backward(network(x, w).at(-1)!));
    expect(stock()).toHaveLength(0);
    expectGradients(x, w);
  });
});

it('a pass that fails leaves no trace in the next', () => {
  const failingOp = defineOp({
    name: 'failing',
    operands: ['x'],
    infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
    forward: ([x], out) => out.set(x.data),
    vjps: [
      vjpRule(() => {
        throw new RangeError('no');
      }),
    ],
    forwardMode: 'linear',
    recycles: true,
  });
  const [x, w] = [leaf(1), leaf(2)];
  const bad = apply(failingOp, [tanh(x)], undefined);
  expect(() => backward(network(bad, w).at(-1)!)).toThrow(RangeError);
  expect(x.grad).toBeNull();
  const y = mul(x, 1);
  backward(network(y, w).at(-1)!);
  poison();
  expect(isReady(y)).toBe(false);
  expectGradients(x, w);
});

describe('passes within a rule that promised to keep nothing', () => {
  const ruledBy = (rule: (g: Tensor, x: Tensor) => Tensor) =>
    defineOp({
      name: 'nesting',
      operands: ['x'],
      infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
      forward: ([x], out) => out.set(x.data),
      vjps: [vjpRule('x', rule)],
      forwardMode: 'linear',
      recycles: true,
    });

  it('may nest again, in a hook', () => {
    const other = leaf(5);
    const op = ruledBy((g, x) => {
      const made = mul(g, 2);
      const inner = enableGrad(() => {
        const z = x.detach().requiresGrad_();
        const y = mul(z, z);
        y.registerHook(() => {
          enableGrad(() => backward(sum(mul(other, 3))));
          return undefined;
        });
        return grad(sum(y), z);
      });
      return mul(made, inner);
    });
    const x = leaf(1);
    backward(sum(apply(op, [mul(x, 1)], undefined)));
    expect(copyOf(x.grad!)).toEqual(copyOf(mul(x, 4)));
    expect(copyOf(other.grad!)).toEqual(copyOf(mul(ones(other.shape, { dtype: other.dtype }), 3)));
  });

  it('leave gradients that are the leaf’s', () => {
    const other = leaf(5);
    const op = ruledBy((g) => {
      enableGrad(() => backward(sum(other)));
      enableGrad(() => backward(sum(other)));
      return mul(g, 1);
    });
    backward(sum(mul(apply(op, [mul(leaf(1), 1)], undefined), 5)));
    const gradient = other.grad!;
    const values = copyOf(gradient);
    for (let pass = 0; pass < 5; pass++) backward(network(leaf(3), leaf(4)).at(-1)!);
    poison();
    expect(copyOf(gradient)).toEqual(values);
  });
});
