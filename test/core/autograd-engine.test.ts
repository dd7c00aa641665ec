// What the engine promises: chains of any length, exact bookkeeping of memory and versions, derivatives of every order,
// cotangents in the operand's shape, and passes within passes.

import {
  add,
  apply,
  backward,
  clone,
  copy_,
  cos,
  defineOp,
  div,
  enableGrad,
  exp,
  GradientError,
  grad,
  MutationError,
  matmul,
  mul,
  noGrad,
  ones,
  registerHook,
  relu,
  reshape,
  sin,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  vjpRule,
  zeros,
} from '@adjoint/core';
import { assertGradcheck } from '@adjoint/core/check';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const float64 = (data: Parameters<typeof tensor>[0]) => tensor(data, { dtype: 'float64' });
const variable = (data: Parameters<typeof tensor>[0]) =>
  tensor(data, { dtype: 'float64', requiresGrad: true });

describe('size and order', () => {
  test('a chain of a million ops runs forward and backward', () => {
    const x = variable(1);
    let y: Tensor = x;
    for (let i = 0; i < 1_000_000; i++) y = add(y, i % 2 === 0 ? x : -1);
    backward(y);
    expect(x.grad!.item()).toBe(500_001);
  });

  test('a diamond of diamonds costs one visit per node: 2^64 paths', () => {
    const x = variable(1);
    let y: Tensor = x;
    let visits = 0;
    for (let i = 0; i < 64; i++) {
      y = add(y, y);
      registerHook(y, () => {
        visits++;
        return undefined;
      });
    }
    expect(grad(y, x).item()).toBe(2 ** 64);
    expect(visits).toBe(64);
  });

  test('a node waits for all its users, however they interleave', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), fc.nat(), fc.boolean()), { minLength: 1, maxLength: 25 }),
        (steps) => {
          const x = variable(0.9);
          const y = variable(-1.1);
          // Forward mode by hand beside it: value, d/dx and d/dy of every intermediate result.
          const all: [Tensor, number, number, number][] = [
            [x, 0.9, 1, 0],
            [y, -1.1, 0, 1],
          ];
          for (const [i, j, isSum] of steps) {
            const [a, va, ax, ay] = all[i % all.length];
            const [b, vb, bx, by] = all[j % all.length];
            if (isSum) all.push([sub(a, b), va - vb, ax - bx, ay - by]);
            else
              all.push([
                sin(mul(a, b)),
                Math.sin(va * vb),
                Math.cos(va * vb) * (ax * vb + va * bx),
                Math.cos(va * vb) * (ay * vb + va * by),
              ]);
          }
          const [last, , dx, dy] = all[all.length - 1];
          const [gx, gy] = grad(last, [x, y], { unused: 'zeros' });
          expect(gx.item()).toBeCloseTo(dx, 9);
          expect(gy.item()).toBeCloseTo(dy, 9);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('derivatives of exp(sin x) to the sixth order', () => {
    const at = 0.4;
    const x = variable(at);
    let y = exp(sin(x));
    const found: number[] = [];
    for (let order = 0; order < 6; order++) {
      y = grad(y, x, { createGraph: true });
      found.push(y.item());
    }
    // Closed forms: derivative n is exp(sin x) p_n(sin x, cos x); p_n as a table of coefficients of s^i c^j.
    let p = new Map([['0,0', 1]]);
    const expected: number[] = [];
    for (let order = 0; order < 6; order++) {
      const next = new Map<string, number>();
      const put = (i: number, j: number, value: number) => {
        if (value !== 0) next.set(`${i},${j}`, (next.get(`${i},${j}`) ?? 0) + value);
      };
      for (const [key, value] of p) {
        const [i, j] = key.split(',').map(Number);
        put(i, j + 1, value);
        if (i > 0) put(i - 1, j + 1, i * value);
        if (j > 0) put(i + 1, j - 1, -j * value);
      }
      p = next;
      const [s, c] = [Math.sin(at), Math.cos(at)];
      expected.push(
        Math.exp(s) *
          [...p].reduce((total, [key, value]) => {
            const [i, j] = key.split(',').map(Number);
            return total + value * s ** i * c ** j;
          }, 0),
      );
    }
    found.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 10);
    });
  });
});

describe('memory', () => {
  test('saved tensors are let go of after backward, and kept with retainGraph', () => {
    const x = variable([1, 2]);
    const y = mul(x, x);
    const loss = sum(y);
    expect(y.node!.savedTensors).toEqual([x, x]);
    backward(loss, { retainGraph: true });
    expect(y.node!.savedTensors).toEqual([x, x]);
    backward(loss);
    expect(y.node!.savedTensors).toEqual([]);
    expect(x.grad!.toArray()).toEqual([4, 8]);
  });

  test('a second pass names the op that lost its tensors, and the way out; nothing is half done', () => {
    const x = variable([1, 2]);
    const w = variable([3, 4]);
    const inner = mul(x, x);
    backward(sum(inner));
    const before = x.grad!.toArray();
    const second = () => backward(sum(mul(inner, w)));
    expect(second).toThrow(GradientError);
    expect(second).toThrow(/'mul' saved were freed by an earlier backward pass.*retainGraph: true/);
    expect(x.grad!.toArray()).toEqual(before);
    expect(w.grad).toBeNull();
  });

  test('a node saves only what the rules that will run read', () => {
    const [a, b] = [variable([1, 2]), float64([3, 4])];
    expect(mul(a, b).node!.savedTensors).toEqual([b]);
    expect(add(a, b).node!.savedTensors).toEqual([]);
    const root = exp(a);
    expect(root.node!.savedTensors).toEqual([root]);
    expect(exp(b).node).toBeNull();
  });

  test('createGraph keeps the graph, its results can be differentiated, and retainGraph: false still frees it', () => {
    const x = variable(2);
    const y = mul(mul(x, x), x);
    const first = grad(y, x, { createGraph: true });
    expect(grad(first, x).item()).toBe(12);
    const z = mul(x, x);
    grad(z, x, { createGraph: true, retainGraph: false });
    expect(() => grad(z, x)).toThrow(/freed/);
  });
});

describe('accumulation', () => {
  test('backward adds to grad; grad leaves it alone', () => {
    const x = variable([1, 2]);
    backward(sum(mul(x, 3)));
    backward(sum(mul(x, x)));
    expect(x.grad!.toArray()).toEqual([5, 7]);
    grad(sum(mul(x, x)), x);
    expect(x.grad!.toArray()).toEqual([5, 7]);
    x.grad = null;
    backward(sum(x));
    expect(x.grad!.toArray()).toEqual([1, 1]);
  });

  test('a gradient is a tensor of its own: writing to it changes nothing else', () => {
    const x = variable([1, 2]);
    const y = variable([1, 2]);
    const seed = float64([1, 1]);
    backward(add(x, y), { gradOutput: seed });
    noGrad(() => copy_(x.grad!, float64([9, 9])));
    expect(y.grad!.toArray()).toEqual([1, 1]);
    expect(seed.toArray()).toEqual([1, 1]);
  });

  test('only leaves collect gradients, and only those that require them', () => {
    const [x, frozen] = [variable([1, 2]), float64([3, 4])];
    const y = mul(x, frozen);
    backward(sum(y));
    expect([y.grad, frozen.grad]).toEqual([null, null]);
  });
});

describe('modes', () => {
  test('noGrad and enableGrad nest, and are undone when a function throws', () => {
    const x = variable(1);
    noGrad(() => {
      expect(mul(x, 2).requiresGrad).toBe(false);
      enableGrad(() => expect(mul(x, 2).requiresGrad).toBe(true));
      expect(mul(x, 2).requiresGrad).toBe(false);
    });
    expect(() =>
      noGrad(() => {
        throw new RangeError('mine');
      }),
    ).toThrow(RangeError);
    expect(mul(x, 2).requiresGrad).toBe(true);
  });

  test('an asynchronous function is refused, and leaves no mode behind', () => {
    const x = variable(1);
    expect(() => noGrad(async () => x)).toThrow(/noGrad: the function returned a promise/);
    expect(() => enableGrad(() => Promise.reject(new Error('late')))).toThrow(/enableGrad/);
    expect(mul(x, 2).requiresGrad).toBe(true);
  });

  test('a pass without createGraph records nothing', () => {
    const x = variable(2);
    expect(grad(mul(x, x), x).requiresGrad).toBe(false);
    expect(grad(mul(x, x), x, { createGraph: true }).requiresGrad).toBe(true);
  });
});

describe('versions', () => {
  test('a saved tensor that was changed names the op that saved it, the one that changed it, and the way out', () => {
    const x = variable([1, 2]);
    const w = float64([3, 4]);
    const y = sum(mul(x, w));
    copy_(w, float64([0, 0]));
    const pass = () => backward(y);
    expect(pass).toThrow(MutationError);
    expect(pass).toThrow(
      /'mul' saved its operand 'b' for backward at version 0, and 'copy_' has since changed it/,
    );
    expect(pass).toThrow(/run backward before the change, or change a copy/);
    expect(x.grad).toBeNull();
  });

  test('a change through a view counts; a change of what no rule reads does not', () => {
    const x = variable([1, 2, 3, 4]);
    const w = float64([1, 2, 3, 4]);
    const y = sum(mul(x, w));
    copy_(reshape(w, [2, 2]), zeros([2, 2], { dtype: 'float64' }));
    expect(() => backward(y)).toThrow(MutationError);
    const z = sum(add(x, w));
    copy_(w, float64([9, 9, 9, 9]));
    backward(z);
    expect(x.grad!.toArray()).toEqual([1, 1, 1, 1]);
  });

  test('an optimiser step between forward and backward is found', () => {
    const w = variable([1, 2]);
    const y = sum(mul(mul(w, w), float64([1, 2])));
    noGrad(() => copy_(w, float64([5, 5])));
    expect(() => backward(y)).toThrow(/'mul' saved its operand '[ab]'/);
  });
});

describe('shapes and types of cotangents', () => {
  const shapes = fc.tuple(
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 3 }),
  );

  test('broadcasting is undone: the gradient has the shape of its operand', () => {
    fc.assert(
      fc.property(
        shapes,
        fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
        fc.integer({ min: 0, max: 3 }),
        (full, ones, drop) => {
          const small = full.map((size, i) => (ones[i] ? 1 : size)).slice(drop);
          const values = (shape: readonly number[], f: (i: number) => number) =>
            tensor(
              Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => f(i)),
              { shape: [...shape], requiresGrad: true },
            );
          const a = values(full, (i) => Math.sin(i + 1));
          const b = values(small, (i) => 2 + Math.cos(i + 1));
          const loss = sum(div(mul(sub(a, b), add(b, a)), b));
          const [ga, gb] = grad(loss, [a, b], { retainGraph: true });
          expect(ga.shape).toEqual(full);
          expect(gb.shape).toEqual(small);
          // The same with the operand expanded by hand: its gradient summed by hand.
          const spread = clone(b.detach().expand(full)).requiresGrad_();
          const whole = grad(sum(div(mul(sub(a, spread), add(spread, a)), spread)), spread);
          let total = whole;
          const lead = full.length - small.length;
          for (let axis = 0; axis < full.length; axis++) {
            if (axis < lead || small[axis - lead] === 1) total = sum(total, { axes: axis, keepdim: true });
          }
          const expected = total.reshape(small).toTypedArray();
          gb.toTypedArray().forEach((value, i) => {
            expect(value).toBeCloseTo(expected[i], 10);
          });
        },
      ),
      { numRuns: 100 },
    );
  });

  test('promotion is undone: the gradient has the type of its operand', () => {
    const half = tensor([1, 2], { dtype: 'float16', requiresGrad: true });
    const single = tensor([3, 4], { requiresGrad: true });
    const double = variable([5, 6]);
    const loss = sum(mul(mul(half, single), double));
    expect(loss.dtype).toBe('float64');
    const grads = grad(loss, [half, single, double]);
    expect(grads.map(({ dtype }) => dtype)).toEqual(['float16', 'float32', 'float64']);
    expect(grads.map((g) => g.toArray())).toEqual([
      [15, 24],
      [5, 12],
      [3, 8],
    ]);
  });
});

describe('what one rule leaves for the next', () => {
  // The second rule says what it found: 1 for what the first one left, and 1000 for nothing.
  const leavingOp = defineOp<readonly ['a', 'b'], { failing: boolean }>({
    name: 'leaving',
    operands: ['a', 'b'],
    infer: ([a]) => ({ shape: a.shape, dtype: a.dtype }),
    forward: ([a, b], out) => {
      for (let i = 0; i < out.length; i++) out[i] = a.data[i] * b.data[i];
    },
    vjps: [
      vjpRule((g, context) => {
        context.byproducts = [ones(g.shape, { dtype: g.dtype })];
        return g;
      }),
      vjpRule((g, { attrs, byproducts }) => {
        if (attrs.failing) throw new RangeError('no');
        return byproducts?.[0] ?? mul(ones(g.shape, { dtype: g.dtype }), 1000);
      }),
    ],
    forwardMode: 'multilinear',
    recycles: true,
  });

  test('is there in the same visit alone, and only if that rule ran', () => {
    const attrs = { failing: false };
    const [a, b] = [variable([2, 3]), variable([4, 5])];
    const y = apply(leavingOp, [a, b], attrs);
    const root = sum(y);
    const found = (inputs: Tensor[]): unknown => grad(root, inputs, { retainGraph: true }).at(-1)!.toArray();
    expect(found([a, b])).toEqual([1, 1]);
    expect(found([b])).toEqual([1000, 1000]);
    attrs.failing = true;
    expect(() => found([a, b])).toThrow(RangeError);
    attrs.failing = false;
    expect(found([b])).toEqual([1000, 1000]);
    expect(found([a, b])).toEqual([1, 1]);
  });
});

describe('hooks', () => {
  test('see the complete gradient once, in order, and may replace it', () => {
    const x = variable([1, 2]);
    const y = mul(x, 2);
    const seen: unknown[] = [];
    registerHook(y, (g) => {
      seen.push(g.toArray());
      return mul(g, 10);
    });
    registerHook(y, (g) => {
      seen.push(g.toArray());
      return undefined;
    });
    backward(add(sum(y), sum(mul(y, y))));
    expect(seen).toEqual([
      [5, 9],
      [50, 90],
    ]);
    expect(x.grad!.toArray()).toEqual([100, 180]);
  });

  test('on leaves run before the gradient is collected; removal is final, and harmless when repeated', () => {
    const x = variable([1, 2]);
    const handle = x.registerHook((g) => mul(g, -1));
    backward(sum(x));
    expect(x.grad!.toArray()).toEqual([-1, -1]);
    handle.remove();
    handle.remove();
    x.grad = null;
    backward(sum(x));
    expect(x.grad!.toArray()).toEqual([1, 1]);
  });

  test('a replacement that does not fit, or a tensor without gradient, is refused', () => {
    const x = variable([1, 2]);
    const handle = registerHook(x, () => float64([1]));
    expect(() => backward(sum(x))).toThrow(/hook returned shape \(1,\) for a gradient of shape \(2,\)/);
    handle.remove();
    registerHook(x, (g) => g.to('float32'));
    expect(() => backward(sum(x))).toThrow(/hook returned float32 for a gradient of float64/);
    expect(x.grad).toBeNull();
    expect(() => registerHook(float64([1]), () => undefined)).toThrow(/requires no gradient/);
  });

  test('a pass within a pass, over the same nodes, disturbs neither', () => {
    const nested: unknown[] = [];
    // The nested pass comes by the hook as well, and would nest forever.
    let depth = 0;
    const deep = variable([1, 2]);
    const square = mul(deep, deep);
    const cube = mul(square, deep);
    registerHook(square, () => {
      // Hooks run in the mode of the pass, which records nothing.
      if (depth++ > 0) return undefined;
      nested.push(
        grad(
          enableGrad(() => sum(cube)),
          deep,
          { retainGraph: true },
        ).toArray(),
      );
      return undefined;
    });
    backward(sum(cube), { retainGraph: true });
    expect(nested).toEqual([[3, 12]]);
    expect(deep.grad!.toArray()).toEqual([3, 12]);
  });

  test('a penalty on the gradient, computed in a hook, is differentiated with createGraph', () => {
    const x = variable(3);
    let penalty: Tensor | undefined;
    registerHook(x, (g) => {
      penalty = mul(g, g);
      return undefined;
    });
    grad(mul(mul(x, x), x), x, { createGraph: true });
    expect(grad(penalty!, x).item()).toBe(2 * 27 * 18);
  });
});

describe('errors', () => {
  test('name what has no gradient, and the way out', () => {
    const x = variable([1, 2]);
    expect(() => backward(mul(x, 2))).toThrow(/has 2 elements; reduce it to one .* or pass \{ gradOutput \}/);
    expect(() => backward(sum(float64([1])))).toThrow(/requires no gradient/);
    expect(() => grad(sum(x), float64([1]))).toThrow(/input 0 .* requires no gradient/);
    expect(() => grad(sum(x), [x, variable([1])])).toThrow(/input 1 .* not part of the graph/);
    expect(grad(sum(x), [x, variable([1])], { unused: 'zeros' }).map((g) => g.toArray())).toEqual([
      [1, 1],
      [0],
    ]);
    expect(() => backward(mul(x, 2), { gradOutput: float64([1]) })).toThrow(/gradOutput has shape \(1,\)/);
    expect(() => backward(mul(x, 2), { gradOutput: tensor([1, 1]) })).toThrow(/gradOutput is float32/);
  });
});

test('gradients of inputs that are intermediate results, or the output itself', () => {
  const x = variable([1, 2]);
  const y = mul(x, x);
  const z = sum(relu(y));
  expect(grad(z, [y, x], { retainGraph: true }).map((g) => g.toArray())).toEqual([
    [1, 1],
    [2, 4],
  ]);
  expect(grad(z, z).item()).toBe(1);
});

test('views: gradients pass through every layout', () => {
  const fn = (x: Tensor) =>
    matmul(transpose(x), cos(clone(x).reshape([2, 3]).permute([1, 0]).reshape([3, 2])));
  assertGradcheck(
    fn,
    transpose(
      float64([
        [1, 2, 3],
        [4, 5, 6],
      ]),
    ),
  );
});
