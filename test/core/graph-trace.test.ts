// Laws of tracing: nothing is computed while a graph is traced, and when it runs it does what the function does.

import {
  AdjointError,
  add,
  add_,
  apply,
  backward,
  checkpoint,
  conv2d,
  copy_,
  defineOp,
  dropout,
  exp,
  grad,
  hessian,
  jvp,
  MutationError,
  manualSeed,
  matmul,
  mean,
  modify_,
  mul,
  mul_,
  noGrad,
  ones,
  rand,
  randn,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  TraceError,
  tensor,
  transpose,
  triu,
  vjpRule,
  zeros,
} from '@adjoint/core';
import { type Graph, trace } from '@adjoint/core/graph';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { programs, purePrograms, runProgram, shape, values } from './graph-programs.ts';

const bits = (t: Tensor) => ({ dtype: t.dtype, shape: t.shape, values: t.toTypedArray() });
const f64 = (data: number[][], requiresGrad = false) => tensor(data, { dtype: 'float64', requiresGrad });
const spec = { shape, dtype: 'float64' } as const;

describe('a graph', () => {
  it('of any program has its shapes and gives its bits, values and gradients', () => {
    fc.assert(
      fc.property(programs, values, values, fc.nat(), (program, x, w, seed) => {
        const input = f64(x);
        const weight = f64(w, true);
        const fn = (given: Tensor) => runProgram(program, [given, weight]);
        const graph = trace(fn, spec);
        const results = [fn, (given: Tensor) => graph.run(given)].map((run) => {
          manualSeed(seed);
          const outputs = run(input);
          const flowing = outputs.filter((output) => output.requiresGrad);
          const loss = flowing.reduce((total, output) => add(total, sum(output)), sum(weight));
          return { outputs: outputs.map(bits), flows: flowing.length, slope: bits(grad(loss, weight)) };
        });
        expect(results[1]).toEqual(results[0]);
        expect(graph.outputs.map(({ shape: traced }) => traced)).toEqual(
          results[0].outputs.map(({ shape: eager }) => eager),
        );
      }),
      { numRuns: 400 },
    );
  });

  it('takes inputs of any strides, through which gradients flow', () => {
    fc.assert(
      fc.property(purePrograms, values, fc.nat(), (program, x, seed) => {
        const leaf = tensor(transpose(f64(x)).toArray(), { dtype: 'float64', requiresGrad: true });
        const fn = (given: Tensor) => runProgram([{ move: 1, a: 0, b: 0 }, ...program], [given]);
        const graph = trace(fn, spec);
        const slopes = [fn, (given: Tensor) => graph.run(given)].map((run) => {
          manualSeed(seed);
          const terms = run(transpose(leaf)).map((output) => sum(output));
          return grad(terms.reduce(add), leaf, { unused: 'zeros' }).toArray();
        });
        expect(slopes[1]).toEqual(slopes[0]);
      }),
    );
  });

  it('holds derivatives of any kind as the ops they are made of', () => {
    const cube = (x: Tensor) => sum(mul(mul(x, x), x));
    const x = tensor([1, 2, 3], { dtype: 'float64' });
    const like = { shape: [3], dtype: 'float64' } as const;
    const slope = (t: Tensor) => grad(cube(t), t, { createGraph: true });
    const first = trace(slope, { ...like, requiresGrad: true });
    expect(first.run(x).toArray()).toEqual([3, 12, 27]);
    const second = trace((t) => grad(sum(slope(t)), t), { ...like, requiresGrad: true });
    expect(second.run(x).toArray()).toEqual([6, 12, 18]);
    expect(
      trace((t) => hessian(cube, t), like)
        .run(x)
        .toArray(),
    ).toEqual([
      [6, 0, 0],
      [0, 12, 0],
      [0, 0, 18],
    ]);
    const ones3 = ones([3], { dtype: 'float64' });
    const forward = trace((t) => jvp(cube, t, ones3), like).run(x);
    expect(forward.map((t) => t.item())).toEqual([36, 42]);
  });

  it('holds a checkpointed function, with its random draws and its gradient', () => {
    const w = f64(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      true,
    );
    const block = checkpoint((x: Tensor) => dropout(mul(x, w)));
    const step = (x: Tensor) => grad(sum(square(block(x))), w);
    const x = ones(shape, { dtype: 'float64' });
    const graph = trace(step, spec);
    manualSeed(7);
    const eager = step(x).toArray();
    manualSeed(7);
    expect(graph.run(x).toArray()).toEqual(eager);
  });

  it('gives back what the function gives: arrays, objects, inputs, tensors from outside', () => {
    const outside = tensor([5]);
    const graph = trace((x) => ({ x, parts: [add(x, 1), { outside }] as const }), { shape: [1] });
    const x = tensor([2]);
    const result = graph.run(x);
    expect(result.x).toBe(x);
    expect(result.parts[0].toArray()).toEqual([3]);
    expect(result.parts[1].outside).toBe(outside);
    expect(graph.outputs.map(({ name }) => name)).toEqual(['x', 'parts[0]', 'parts[1].outside']);
  });

  it('holds tensors from outside by reference, and nothing of its runs', () => {
    const w = tensor([1, 2], { requiresGrad: true });
    const graph = trace((x) => mul(x, w), { shape: [2] });
    const x = tensor([10, 10]);
    backward(sum(graph.run(x)));
    backward(sum(graph.run(x)));
    expect(w.grad!.toArray()).toEqual([20, 20]);
    noGrad(() => mul_(w, 3));
    expect(graph.run(x).toArray()).toEqual([30, 60]);
  });

  it('makes leaves where the function does', () => {
    const fn = (x: Tensor) => {
      const made = zeros([2], { requiresGrad: true });
      const cut = x.detach().requiresGrad_();
      return { made, cut, sum: add(mul(cut, 2), made) };
    };
    const { made, cut, sum: total } = trace(fn, { shape: [2] }).run(tensor([1, 2]));
    expect([made.isLeaf, cut.isLeaf, total.isLeaf]).toEqual([true, true, false]);
    expect(grad(sum(total), [made, cut]).map((g) => g.toArray())).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  it('draws anew in each run, and does not draw while it is traced', () => {
    manualSeed(1);
    const graph = trace((x) => dropout(add(x, rand([4]))), { shape: [4] });
    const runs = [0, 1].map(() => graph.run(zeros([4])).toArray());
    expect(runs[0]).not.toEqual(runs[1]);
    manualSeed(1);
    expect([0, 1].map(() => dropout(add(zeros([4]), rand([4]))).toArray())).toEqual(runs);
  });

  it('changes in each run what the function changes, and nothing while it is traced', () => {
    const running = tensor([0, 0]);
    const graph = trace(
      (x) => {
        noGrad(() => copy_(running, add(mul(running, 0.5), mean(x, { axes: 0 }))));
        return sub(x, running);
      },
      { shape: [2, 2] },
    );
    expect(running.toArray()).toEqual([0, 0]);
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(graph.run(x).toArray()).toEqual([
      [-1, -1],
      [1, 1],
    ]);
    expect(graph.run(x).toArray()).toEqual([
      [-2, -2.5],
      [0, -0.5],
    ]);
    expect(running.toArray()).toEqual([3, 4.5]);
  });

  it('runs inside another trace, and becomes part of that graph', () => {
    const inner = trace((x) => square(x), { shape: [2] });
    const outer = trace((x) => inner.run(add(x, 1)), { shape: [2] });
    expect(outer.nodes.map(({ label }) => label)).toEqual(['input', 'add', 'square']);
    expect(outer.run(tensor([1, 2])).toArray()).toEqual([4, 9]);
    const nested = trace((x) => sub(x, trace((y) => mul(y, y), x).run(x)), { shape: [2] });
    expect(nested.run(tensor([2, 3])).toArray()).toEqual([-2, -6]);
  });

  it('is silent towards observers around the trace', () => {
    const x = tensor([1, 2], { dtype: 'float64' });
    let graph: Graph<Tensor, readonly Tensor[]> | null = null;
    const value = jvp(
      (t: Tensor) => {
        graph = trace((inner) => exp(inner), { shape: [2], dtype: 'float64' });
        return graph.run(t);
      },
      x,
      x,
    );
    expect(value.map(bits)).toEqual(jvp((t: Tensor) => exp(t), x, x).map(bits));
  });

  it('keeps what an op kept for its derivative rules, if the shape rule says what that is', () => {
    const make = (says: boolean) =>
      defineOp<readonly ['x'], undefined>({
        name: 'squareKeeping',
        operands: ['x'],
        keeps: ['double'],
        infer: ([x]) => ({
          shape: x.shape,
          dtype: x.dtype,
          ...(says ? { kept: [{ shape: x.shape, dtype: x.dtype }] } : {}),
        }),
        forward: ([x], out, _attrs, _shape, kept) => {
          for (let i = 0; i < out.length; i++) out[i] = x.data[i] ** 2;
          kept?.[0].set(Array.from(x.data, (value) => 2 * value));
        },
        vjps: [vjpRule('double', (g, double) => mul(g, double))],
        forwardMode: 'elementwise',
      });
    const op = make(true);
    const step = (x: Tensor) => grad(sum(apply(op, [x], undefined)), x);
    const graph = trace(step, { ...spec, requiresGrad: true });
    const x = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    expect(graph.run(f64(x)).toArray()).toEqual(step(f64(x, true)).toArray());
    expect(graph.summary().totals.bytesSaved).toBe(48);
    expect(() => trace((t) => apply(make(false), [t], undefined), spec)).toThrow(AdjointError);
    expect(() => apply(make(false), [f64(x, true)], undefined)).toThrow(AdjointError);
  });
});

describe('while a graph is traced', () => {
  it('nothing of the size of a tensor is allocated', () => {
    const size = 1e5;
    const matrix = { shape: [size, size], name: 'a' };
    const graph = trace((a, b) => mul(matmul(a, b), 2), matrix, { ...matrix, name: 'b' });
    expect(graph.outputs[0].shape).toEqual([size, size]);
    expect(graph.summary().totals.flops).toBe(2 * size ** 3 + size ** 2);

    const { arrayBuffers } = process.memoryUsage();
    trace(
      (x, w) => {
        const made = add(triu(matmul(x, w)), rand([8000, 8000]));
        const image = conv2d(ones([100, 1, 1000, 1000]), zeros([1, 1, 3, 3]), { padding: 1 });
        return [made, image, grad(sum(square(made)), [x, w])];
      },
      { shape: [8000, 8000], requiresGrad: true },
      { shape: [8000, 8000], requiresGrad: true },
    );
    expect(process.memoryUsage().arrayBuffers - arrayBuffers).toBeLessThan(1e6);
  });

  it('reading a value is an error that says who read and what to do', () => {
    const readers: Record<string, (x: Tensor) => unknown> = {
      item: (x) => sum(x).item(),
      toArray: (x) => x.toArray(),
      toTypedArray: (x) => x.toTypedArray(),
    };
    for (const [op, read] of Object.entries(readers)) {
      const fn = (x: Tensor) => {
        read(x);
        return x;
      };
      expect(() => trace(fn, { shape: [2] }), op).toThrow(TraceError);
      expect(() => trace(fn, { shape: [2] }), op).toThrow(
        expect.objectContaining({ op, message: expect.stringContaining('Compute with ops instead') }),
      );
    }
    expect(() => trace((x) => tensor(x.data as Float32Array), { shape: [2] })).toThrow(TraceError);
    // A tensor from outside has values; what ops make of it has none.
    const outside = tensor([2]);
    expect(
      trace((x) => mul(x, outside.item()), { shape: [1] })
        .run(tensor([3]))
        .toArray(),
    ).toEqual([6]);
    expect(() => trace((x) => mul(x, exp(outside).item()), { shape: [1] })).toThrow(TraceError);
  });

  it('a tensor prints without its values', () => {
    let printed = '';
    trace(
      (x) => {
        printed = String(add(x, 1));
        return x;
      },
      { shape: [2, 3], dtype: 'float64' },
    );
    expect(printed).toBe('tensor(traced, shape=(2, 3), dtype=float64)');
  });

  it('what no graph can repeat is refused, and nothing is changed', () => {
    const w = tensor([1, 2], { requiresGrad: true });
    expect(() =>
      trace(
        (x) => {
          backward(sum(mul(x, w)));
          return x;
        },
        { shape: [2] },
      ),
    ).toThrow(expect.objectContaining({ name: 'TraceError', op: 'backward' }));
    expect(w.grad).toBeNull();
    expect(() =>
      trace(
        (x) => {
          noGrad(() => modify_(w, 'halve', (data) => data.fill(0)));
          return x;
        },
        { shape: [2] },
      ),
    ).toThrow(expect.objectContaining({ name: 'TraceError', op: 'halve' }));
    expect(w.toArray()).toEqual([1, 2]);
  });

  it('values of a tensor that the function changes are not to be read, before or after', () => {
    const count = tensor(3);
    const change = () => noGrad(() => add_(count, 1));
    expect(() => trace((x) => [change(), mul(x, count.item())], { shape: [1] })).toThrow(TraceError);
    expect(() => trace((x) => [mul(x, count.item()), change()], { shape: [1] })).toThrow(TraceError);
    expect(count.item()).toBe(3);
  });

  it('a saved tensor that is changed before its gradient is asked for is noticed, as it is outside', () => {
    const step = (x: Tensor) => {
      const y = square(x);
      noGrad(() => add_(x, 1));
      return grad(sum(y), x);
    };
    expect(() => step(f64([[1, 2, 3]], true))).toThrow(MutationError);
    expect(() => trace(step, { ...spec, requiresGrad: true })).toThrow(MutationError);
  });

  it('an eager graph that the function captures is not used up', () => {
    const w = tensor([2, 3], { requiresGrad: true });
    const squared = square(w);
    trace(() => grad(sum(squared), w));
    expect(grad(sum(squared), w).toArray()).toEqual([4, 6]);
  });

  it('a tensor of another trace is refused, and so is one that outlived its own', () => {
    let left: Tensor | null = null;
    trace(
      (x) => {
        left = add(x, 1);
        return x;
      },
      { shape: [2] },
    );
    expect(() => trace((x) => add(x, left!), { shape: [2] })).toThrow(
      expect.objectContaining({ name: 'TraceError', op: 'add', operand: "'b'" }),
    );
    expect(() => add(left!, 1)).toThrow(TraceError);
    expect(() => left!.toArray()).toThrow(TraceError);
    expect(() => trace((x) => trace((y) => add(x, y), x).run(x), { shape: [2] })).toThrow(TraceError);
  });

  it('the trace ends with the function, also if that fails', () => {
    expect(() =>
      trace(
        () => {
          throw new RangeError('mine');
        },
        { shape: [2] },
      ),
    ).toThrow('mine');
    expect(add(tensor([1]), 1).toArray()).toEqual([2]);
    expect(() => trace((x, y) => matmul(x, y), { shape: [2, 3] }, { shape: [2, 3] })).toThrow(
      expect.objectContaining({ name: 'ShapeError', op: 'matmul' }),
    );
  });
});

describe('illegal calls', () => {
  it('of trace name the spec or what was returned', () => {
    expect(() => trace((x) => x, { shape: [2, -1] })).toThrow(
      expect.objectContaining({ name: 'ShapeError', operand: 'specs[0]' }),
    );
    expect(() => trace((x) => x, { shape: [2], dtype: 'float' as 'float32' })).toThrow(
      expect.objectContaining({ name: 'DTypeError', op: 'trace' }),
    );
    expect(() => trace((x) => x, [2, 3] as unknown as { shape: number[] })).toThrow(
      expect.objectContaining({ name: 'ArgumentError', operand: 'specs[0]' }),
    );
    expect(() => trace((x) => x, { shape: [2], dtype: 'int32', requiresGrad: true })).toThrow(
      expect.objectContaining({ name: 'DTypeError' }),
    );
    for (const returned of [3, null, undefined, Promise.resolve(1), [{ a: 'text' }], new Map()]) {
      expect(() => trace(() => returned, { shape: [2] })).toThrow(
        expect.objectContaining({ name: 'ArgumentError', op: 'trace', operand: 'fn' }),
      );
    }
    expect(() => trace((x) => [{ a: x }, { b: 1 }], { shape: [2] })).toThrow('at [1].b');
  });

  it('of run name the input, before any work', () => {
    const counter = tensor([0]);
    const graph = trace(
      (x) => {
        noGrad(() => add_(counter, 1));
        return add(x, counter);
      },
      { shape: [2, 1], name: 'x' },
    );
    const run = graph.run as (...inputs: Tensor[]) => Tensor;
    const call = (...inputs: Tensor[]) => run.apply(graph, inputs);
    expect(() => call()).toThrow(expect.objectContaining({ name: 'ArgumentError', op: 'run' }));
    expect(() => call(ones([2]))).toThrow(expect.objectContaining({ name: 'ShapeError', operand: 'x' }));
    expect(() => call(ones([2, 1], { dtype: 'float64' }))).toThrow(
      expect.objectContaining({ name: 'DTypeError', operand: 'x' }),
    );
    const view = slice(ones([2, 2]), [null, { stop: 1 }]);
    expect(() => call(view)).toThrow(expect.objectContaining({ name: 'ArgumentError', operand: 'x' }));
    expect(counter.toArray()).toEqual([0]);
    expect(call(randn([2, 1])).shape).toEqual([2, 1]);
    expect(counter.toArray()).toEqual([1]);
  });
});
