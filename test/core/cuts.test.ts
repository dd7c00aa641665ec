// Cotangents of parts of one tensor are added up in one array of the engine's, each in its place. Whoever looks on sees what a pass
// that adds whole tensors gives, to the last bit; but that a negative zero stays one where nothing is added to it.

import {
  add,
  backward,
  cat,
  chunk,
  type DType,
  detectAnomaly,
  diagonal,
  exp,
  grad,
  mul,
  narrow,
  noGrad,
  ones,
  permute,
  select,
  slice,
  square,
  stack,
  sum,
  type Tensor,
  tanh,
  tensor,
  unbind,
} from '@adjoint/core';
import { kernels } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { stock } from '../../packages/core/src/tape/recycling.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

// Zeros have no sign here.
const valuesOf = (x: Tensor): number[] => Array.from(x.toTypedArray(), (value) => value + 0);

function poison(): void {
  for (const array of stock()) array.fill(Number.NaN);
}

function cube(seed: number, dtype: DType): Tensor {
  const values = Float64Array.from({ length: 4 * 5 * 6 }, (_, i) => Math.sin(seed + 1.7 * i));
  return tensor(values, { shape: [4, 5, 6], dtype, requiresGrad: true });
}

/** A way to make another tensor of what there is; numbers choose. */
type Step = (all: readonly Tensor[], pick: number, at: number) => Tensor;

const axisOf = (x: Tensor, at: number): number => at % x.ndim;
const cut: Step = (all, pick, at) => {
  const x = all[pick % all.length];
  const axis = axisOf(x, at);
  const start = at % x.shape[axis];
  return narrow(x, axis, start, Math.max(1, (x.shape[axis] - start) >> 1));
};
const steps: Readonly<Record<string, Step>> = {
  cut,
  cutAgain: cut,
  stepped: (all, pick, at) => {
    const x = all[pick % all.length];
    return slice(
      x,
      x.shape.map((_, axis) => ({ start: (at >> axis) % 2, step: 1 + ((at + axis) % 3) })),
    );
  },
  select: (all, pick, at) => {
    const x = all[pick % all.length];
    const axis = axisOf(x, at);
    return x.ndim < 2 ? tanh(x) : select(x, axis, at % x.shape[axis]);
  },
  diagonal: (all, pick, at) => {
    const x = all[pick % all.length];
    return x.ndim < 2 ? exp(mul(x, 0.1)) : diagonal(x, { axis1: at % x.ndim, axis2: (at + 1) % x.ndim });
  },
  chunks: (all, pick, at) => {
    const x = all[pick % all.length];
    const pieces = chunk(x, 1 + (at % 3), { axis: axisOf(x, at) });
    return cat([...pieces].reverse(), { axis: axisOf(x, at) });
  },
  rows: (all, pick, at) => {
    const x = all[pick % all.length];
    return stack(unbind(x, { axis: axisOf(x, at) }).map((row, i) => mul(row, 1 + 0.3 * i)));
  },
  turned: (all, pick) => {
    const x = all[pick % all.length];
    return permute(x, [...x.shape.keys()].reverse());
  },
  bent: (all, pick) => tanh(all[pick % all.length]),
  whole: (all, pick) => {
    const x = all[pick % all.length];
    return add(x, mul(x, x));
  },
};

const programs = fc.array(
  fc.record({ step: fc.constantFrom(...Object.keys(steps)), pick: fc.nat(50), at: fc.nat(50) }),
  { minLength: 1, maxLength: 14 },
);
type Program = typeof programs extends fc.Arbitrary<infer P> ? P : never;

/** Every tensor of the program without elements left out; the sum of all is its output. */
function results(x: Tensor, program: Program): Tensor[] {
  const all = [x];
  for (const { step, pick, at } of program) {
    const next = steps[step](all, pick, at);
    if (next.size > 0) all.push(next);
  }
  return all;
}

const outputOf = (all: readonly Tensor[]): Tensor =>
  all.map((part, i) => sum(mul(square(part), 1 + 0.1 * i))).reduce((total, part) => add(total, part));

describe('random graphs of parts', () => {
  const dtypes = fc.constantFrom('float32', 'float64', 'float16', 'bfloat16') as fc.Arbitrary<DType>;

  it('give the gradients that a pass of whole tensors gives', () => {
    fc.assert(
      fc.property(programs, dtypes, (program, dtype) => {
        const whole = results(cube(1, dtype), program);
        const wanted = grad(outputOf(whole), whole, { createGraph: true }).map(valuesOf);
        const all = results(cube(1, dtype), program);
        const output = outputOf(all);
        poison();
        // Of inner tensors, too: what somebody holds is not added to afterwards.
        const found = grad(output, all, { retainGraph: true });
        poison();
        expect(found.map(valuesOf)).toEqual(wanted);
        backward(output, { retainGraph: true });
        const first = all[0].grad!;
        backward(output);
        poison();
        expect(found.map(valuesOf)).toEqual(wanted);
        expect(valuesOf(first)).toEqual(wanted[0]);
        const doubled = noGrad(() => add(first, first));
        expect(valuesOf(all[0].grad!)).toEqual(valuesOf(doubled));
      }),
      { numRuns: 80 },
    );
  });

  it('show hooks complete gradients that stay as they are, and use what hooks give in their place', () => {
    fc.assert(
      fc.property(programs, fc.nat(20), (program, replaced) => {
        const all = results(cube(2, 'float32'), program);
        const seen = new Map<number, Tensor>();
        all.forEach((x, i) => {
          x.registerHook((gradient) => {
            seen.set(i, gradient);
            return i === replaced % all.length ? mul(gradient, -1.5) : undefined;
          });
        });
        const run = (createGraph: boolean): [number[], Map<number, Tensor>, Map<number, number[]>] => {
          seen.clear();
          const [gradient] = grad(outputOf(all), [all[0]], { createGraph });
          const tensors = new Map(seen);
          const values = new Map([...seen].map(([i, g]) => [i, valuesOf(g)] as const));
          return [valuesOf(gradient), tensors, values];
        };
        const [wanted, , wantedSeen] = run(true);
        const [found, tensors, foundSeen] = run(false);
        expect(found).toEqual(wanted);
        poison();
        backward(outputOf(results(cube(3, 'float32'), program)));
        poison();
        expect(foundSeen).toEqual(wantedSeen);
        for (const [i, gradient] of tensors) expect(valuesOf(gradient)).toEqual(wantedSeen.get(i));
      }),
      { numRuns: 60 },
    );
  });

  it('have second derivatives, of the same bits however the last pass adds', () => {
    fc.assert(
      fc.property(programs, (program) => {
        const slopes = (createGraph: boolean): number[] => {
          const all = results(cube(4, 'float64'), program);
          const first = grad(outputOf(all), all[0], { createGraph: true });
          return valuesOf(grad(sum(square(first)), all[0], { createGraph }));
        };
        expect(slopes(false)).toEqual(slopes(true));
      }),
      { numRuns: 40 },
    );
  });
});

describe('steps of a sequence', () => {
  const [LENGTH, STEP] = [40, 3 * 7];
  const sequence = (): Tensor => ones([LENGTH, 3, 7], { requiresGrad: true });
  const loss = (x: Tensor): Tensor => {
    const state = unbind(mul(x, 1)).reduce((before, step, t) => add(mul(before, 0.9), mul(step, t)));
    return sum(square(state));
  };

  it('cost what they hold, not the sequence each', () => {
    const touched: number[] = [];
    for (const name of ['add', 'addTo', 'assign'] as const) {
      const kernel = kernels[name] as (...args: unknown[]) => void;
      vi.spyOn(kernels, name).mockImplementation((...args: unknown[]) => {
        const { shape } = args[name === 'add' ? 3 : 1] as { shape: number[] } & number[];
        touched.push((shape ?? (args[3] as number[])).reduce((product, extent) => product * extent, 1));
        kernel(...args);
      });
    }
    const x = sequence();
    const value = loss(x);
    touched.length = 0;
    backward(value);
    expect(touched.length).toBeGreaterThanOrEqual(LENGTH);
    expect(Math.max(...touched)).toBe(STEP);
  });

  it('are added whole where somebody watches, and the sum is the same', () => {
    const addTo = vi.spyOn(kernels, 'addTo');
    const [plain, watched] = [sequence(), sequence()];
    detectAnomaly(() => backward(loss(watched)));
    expect(addTo).not.toHaveBeenCalled();
    backward(loss(plain));
    expect(addTo).toHaveBeenCalledTimes(LENGTH - 1);
    expect(valuesOf(plain.grad!)).toEqual(valuesOf(watched.grad!));
  });

  it('leave a cotangent alone that another tensor has in common with the whole', () => {
    const x = ones([4, 3], { requiresGrad: true });
    const [whole, other] = [mul(x, 2), mul(x, 3)];
    const row = select(whole, 0, 1);
    // Visited before the cut, it hands one and the same tensor to both.
    backward(add(sum(square(add(whole, other))), sum(mul(row, 7))));
    expect(x.grad!.toArray()).toEqual([
      [50, 50, 50],
      [64, 64, 64],
      [50, 50, 50],
      [50, 50, 50],
    ]);
  });

  it('leave a gradient alone that came to the whole and is somebody else’s', () => {
    const x = ones([4, 3], { requiresGrad: true });
    const whole = mul(x, 2);
    const gradOutput = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], { shape: [4, 3] });
    // The cut is the older node, so that the cotangent of the whole comes first: the very tensor that the caller gave.
    const row = select(whole, 0, 1);
    backward(add(add(whole, 0), row), { gradOutput });
    expect(gradOutput.toArray()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
      [10, 11, 12],
    ]);
    expect(x.grad!.toArray()).toEqual([
      [2, 4, 6],
      [2 * (4 + 22), 2 * (5 + 26), 2 * (6 + 30)],
      [14, 16, 18],
      [20, 22, 24],
    ]);
  });
});
