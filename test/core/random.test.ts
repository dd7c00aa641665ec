// Random numbers: published known answers, the distribution functions' closed forms, and the laws of seeds and states.

import {
  ArgumentError,
  bernoulli,
  DTypeError,
  defaultGenerator,
  expand,
  Generator,
  type GeneratorState,
  manualSeed,
  multinomial,
  rand,
  randint,
  randn,
  randperm,
  tensor,
  truncatedNormal,
} from '@adjoint/core';
import { normalQuantile, portableLog } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalProbability } from '../../packages/core/src/random/normal.ts';
import { philox } from '../../packages/kernels-cpu/src/reference/philox.ts';

const seeds = fc.maxSafeNat();

describe('Philox4x32-10', () => {
  // The three lines "philox4x32 10" of kat_vectors, Random123.
  test.each([
    ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ])('counter %s, key %s', (counter, key, expected) => {
    const hex = (text: string): number[] => text.split(' ').map((word) => Number.parseInt(word, 16));
    const [c0, c1, c2, c3] = hex(counter);
    const [k0, k1] = hex(key);
    const out = new Uint32Array(4);
    philox([c0, c1], [c2, c3], [k0, k1], out);
    expect([...out]).toEqual(hex(expected));
  });

  test('agrees with the definition in whole numbers for any counter and key', () => {
    const word = fc.nat({ max: 2 ** 32 - 1 });
    fc.assert(
      fc.property(fc.tuple(word, word, word, word), fc.tuple(word, word), ([c0, c1, c2, c3], [k0, k1]) => {
        let counter = [c0, c1, c2, c3].map(BigInt);
        let key = [k0, k1].map(BigInt);
        const low = (x: bigint): bigint => x & 0xffffffffn;
        for (let round = 0; round < 10; round++) {
          const p0 = 0xd2511f53n * counter[0];
          const p1 = 0xcd9e8d57n * counter[2];
          counter = [(p1 >> 32n) ^ counter[1] ^ key[0], low(p1), (p0 >> 32n) ^ counter[3] ^ key[1], low(p0)];
          key = [low(key[0] + 0x9e3779b9n), low(key[1] + 0xbb67ae85n)];
        }
        const out = new Uint32Array(4);
        philox([c0, c1], [c2, c3], [k0, k1], out);
        expect([...out].map(BigInt)).toEqual(counter);
      }),
    );
  });

  test('a generator of seed 0 gives the known answer of counter 0, then of counter 1', () => {
    const generator = new Generator(0);
    const drawn = Array.from({ length: 5 }, () => generator.nextWord());
    expect(drawn.slice(0, 4)).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
    const next = new Uint32Array(4);
    philox([1, 0], [0, 0], [0, 0], next);
    expect(drawn[4]).toBe(next[0]);
  });
});

describe('normal quantile', () => {
  // Computed with mpmath at 60 digits.
  test.each([
    [1e-16, -8.222082216130435],
    [1e-10, -6.361340902404057],
    [1e-5, -4.264890793922825],
    [0.02, -2.053748910631823],
    [0.07, -1.4757910281791706],
    [0.075, -1.439531470938456],
    [0.2, -0.8416212335729142],
    [0.4999, -0.00025066283008800747],
    [0.7, 0.5244005127080407],
    [0.925, 1.4395314709384561],
    [0.93, 1.475791028179171],
    [0.99999, 4.264890793923841],
  ])('of %d', (p, expected) => {
    expect(Math.abs(normalQuantile(p) / expected - 1)).toBeLessThan(2e-14);
  });

  test.each([
    [8.673617379884035e-19, -41.58883083359672],
    [1e-12, -27.631021115928547],
    [0.03, -3.506557897319982],
    [0.3, -1.2039728043259361],
    [0.5, -Math.LN2],
    [0.7072, -0.3464417676587033],
    [0.9, -0.10536051565782628],
    [0.999, -0.0010005003335835344],
  ])('logarithm of %d', (x, expected) => {
    expect(Math.abs(portableLog(x) - expected)).toBeLessThan(1e-15 * Math.max(1, Math.abs(expected)));
  });

  test('takes its bits from no function of the engine that may differ', () => {
    const calls: string[] = [];
    const exact = new Set(['sqrt', 'abs', 'floor', 'imul', 'max', 'min']);
    const originals = Object.getOwnPropertyNames(Math)
      .filter((name) => typeof Math[name as keyof Math] === 'function' && !exact.has(name))
      .map((name) => [name, Object.getOwnPropertyDescriptor(Math, name)!] as const);
    for (const [name, { value }] of originals) {
      Object.defineProperty(Math, name, {
        configurable: true,
        value: (...args: number[]) => {
          calls.push(name);
          return (value as (...args: number[]) => number)(...args);
        },
      });
    }
    try {
      const generator = new Generator(1);
      randn([2000], { generator, dtype: 'float64' });
      multinomial(tensor([1, 2, 3]), 2, { generator });
    } finally {
      for (const [name, descriptor] of originals) Object.defineProperty(Math, name, descriptor);
    }
    expect(calls).toEqual([]);
  });
});

describe('distributions', () => {
  // Kolmogorov's statistic of n draws stays below 2/sqrt(n) but for one sample in 3000; seeds are fixed.
  const kolmogorov = (draws: number[], cdf: (x: number) => number): number => {
    const sorted = [...draws].sort((a, b) => a - b);
    return Math.max(
      ...sorted.map((x, i) =>
        Math.max(Math.abs(cdf(x) - i / sorted.length), Math.abs(cdf(x) - (i + 1) / sorted.length)),
      ),
    );
  };

  test.each(['float32', 'float64'] as const)('rand is uniform on [0, 1) in %s', (dtype) => {
    const draws = rand([20000], { dtype, generator: new Generator(3) }).toArray() as number[];
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...draws)).toBeLessThan(1);
    expect(kolmogorov(draws, (x) => x)).toBeLessThan(2 / Math.sqrt(20000));
  });

  test('16-bit uniform numbers stay below 1', () => {
    for (const dtype of ['float16', 'bfloat16'] as const) {
      const draws = rand([5000], { dtype, generator: new Generator(4) }).toArray() as number[];
      expect(Math.max(...draws)).toBeLessThan(1);
      expect(Math.max(...draws)).toBeGreaterThan(0.99);
    }
  });

  test.each(['float32', 'float64'] as const)('randn is standard normal in %s', (dtype) => {
    const draws = randn([20000], { dtype, generator: new Generator(5) }).toArray() as number[];
    // erf by its Maclaurin series, which converges for every x; enough terms for |x| < 4.5.
    const cdf = (x: number): number => {
      if (Math.abs(x) > 4.5) return x > 0 ? 1 : 0;
      let term = x;
      let sum = x;
      for (let k = 1; k < 120; k++) {
        term *= (x * x) / (2 * k + 1);
        sum += term;
      }
      return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
    };
    expect(kolmogorov(draws, cdf)).toBeLessThan(2 / Math.sqrt(20000));
  });

  // erf by its Maclaurin series, as above; a truncated variable has the distribution function (Φ(x) − Φ(a)) / (Φ(b) − Φ(a)).
  test.each([
    [-2, 2],
    [-0.5, 3],
    [1, Infinity],
    [-3, -1],
    [2, 2.5],
  ])('truncatedNormal is normal within [%d, %d]', (a, b) => {
    const phi = (x: number): number => {
      if (Math.abs(x) > 6) return x > 0 ? 1 : 0;
      let [term, total] = [x, x];
      for (let k = 1; k < 150; k++) {
        term *= (x * x) / (2 * k + 1);
        total += term;
      }
      return 0.5 + (total * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
    };
    const options = { dtype: 'float64', generator: new Generator(12) } as const;
    const draws = truncatedNormal(a, b, [20000], options).toArray() as number[];
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(a);
    expect(Math.max(...draws)).toBeLessThanOrEqual(b);
    const inside = (x: number): number => (phi(x) - phi(a)) / (phi(b) - phi(a));
    expect(kolmogorov(draws, inside)).toBeLessThan(2 / Math.sqrt(20000));
  });

  test('the probability below a number is the inverse of the quantile', () => {
    for (const p of [1e-300, 1e-20, 1e-5, 0.01, 0.3, 0.5, 0.8, 0.999])
      expect(Math.abs(normalProbability(normalQuantile(p)) / p - 1)).toBeLessThan(1e-12);
    expect([normalProbability(-Infinity), normalProbability(Infinity)]).toEqual([0, 1]);
  });

  test('randint reaches every value equally often', () => {
    const counts = new Array<number>(7).fill(0);
    for (const value of randint(-3, 4, [14000], { generator: new Generator(6) }).toArray() as number[])
      counts[value + 3]++;
    const chi = counts.reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0);
    expect(chi).toBeLessThan(24.1); // one sample in 2000 with 6 degrees of freedom
  });

  test('randperm gives each order of three equally often', () => {
    const generator = new Generator(8);
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = String(randperm(3, { generator }).toArray());
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    const chi = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chi).toBeLessThan(22.1); // one sample in 2000 with 5 degrees of freedom
  });

  test('multinomial draws in proportion, with replacement and without', () => {
    const generator = new Generator(9);
    const weights = tensor([0, 1, 2, 0, 5], { dtype: 'float64' });
    const counts = new Array<number>(5).fill(0);
    for (const index of multinomial(weights, 16000, { replacement: true, generator }).toArray() as number[])
      counts[index]++;
    expect([counts[0], counts[3]]).toEqual([0, 0]);
    const chi = [1, 2, 4].reduce((sum, i) => {
      const expected = (16000 * [0, 1, 2, 0, 5][i]) / 8;
      return sum + (counts[i] - expected) ** 2 / expected;
    }, 0);
    expect(chi).toBeLessThan(15.3); // one sample in 2000 with 2 degrees of freedom
    // Without replacement, P(first = a, second = b) = w_a / W · w_b / (W - w_a).
    const pairs = new Map<string, number>();
    for (let i = 0; i < 8000; i++) {
      const pair = multinomial(weights, 2, { generator }).toArray() as number[];
      pairs.set(String(pair), (pairs.get(String(pair)) ?? 0) + 1);
    }
    const w: Record<number, number> = { 1: 1, 2: 2, 4: 5 };
    let chiPairs = 0;
    for (const a of [1, 2, 4])
      for (const b of [1, 2, 4])
        if (a !== b) {
          const expected = ((8000 * w[a]) / 8) * (w[b] / (8 - w[a]));
          chiPairs += ((pairs.get(`${a},${b}`) ?? 0) - expected) ** 2 / expected;
        }
    expect(chiPairs).toBeLessThan(22.1);
    expect([...pairs.values()].reduce((a, b) => a + b)).toBe(8000);
  });

  test('bernoulli says yes as often as its probability, always at 1 and never at 0', () => {
    const generator = new Generator(10);
    const draws = bernoulli(expand(tensor([[0], [0.25], [1]], { dtype: 'float64' }), [3, 8000]), {
      generator,
    }).toArray() as number[][];
    const share = draws.map((row) => row.reduce((a, b) => a + b) / 8000);
    expect(share[0]).toBe(0);
    expect(share[2]).toBe(1);
    expect(Math.abs(share[1] - 0.25)).toBeLessThan(3.5 * Math.sqrt((0.25 * 0.75) / 8000));
  });
});

describe('laws', () => {
  test('the same seed gives the same numbers, another seed or stream other ones', () => {
    fc.assert(
      fc.property(seeds, seeds, fc.nat(), (seed, other, stream) => {
        const draw = (generator: Generator): string => String(rand([6], { generator, dtype: 'float64' }));
        const first = draw(new Generator(seed));
        expect(draw(new Generator(seed))).toBe(first);
        if (other !== seed) expect(draw(new Generator(other))).not.toBe(first);
        if (stream !== 0) expect(draw(new Generator(seed, { stream }))).not.toBe(first);
      }),
    );
  });

  test('a state that went through JSON continues the sequence, from any position', () => {
    fc.assert(
      fc.property(seeds, fc.nat({ max: 20 }), (seed, drawn) => {
        const generator = new Generator(seed, { stream: 5 });
        for (let i = 0; i < drawn; i++) generator.nextWord();
        const state = JSON.parse(JSON.stringify(generator.getState())) as GeneratorState;
        const expected = Array.from({ length: 9 }, () => generator.nextWord());
        const restored = new Generator(0);
        restored.setState(state);
        expect(Array.from({ length: 9 }, () => restored.nextWord())).toEqual(expected);
      }),
    );
  });

  test('another seed or state counts at once, in the middle of what was drawn ahead', () => {
    const generator = new Generator(1);
    generator.nextWord();
    const first = new Generator(2).nextWord();
    expect(generator.manualSeed(2).nextWord()).toBe(first);
    generator.manualSeed(3).nextWord();
    generator.setState(new Generator(2).getState());
    expect(generator.nextWord()).toBe(first);
  });

  test('integers below a limit are equally likely, where words do not divide evenly among them', () => {
    const generator = new Generator(4);
    const limit = 3 * 2 ** 30;
    const low = Array.from({ length: 9000 }, () => generator.nextBelow(limit)).filter((i) => i < limit / 3);
    // A third of them, of a standard deviation of 45; what is left of the words after the limit would make it a half.
    expect(Math.abs(low.length - 3000)).toBeLessThan(6 * 45);
  });

  test('positions beyond 2^32 blocks go on counting in the second word', () => {
    const generator = new Generator(0);
    generator.setState({ algorithm: 'philox4x32-10', seed: 0, stream: 0, position: 4 * (2 ** 32 + 3) });
    const out = new Uint32Array(4);
    philox([3, 1], [0, 0], [0, 0], out);
    expect(generator.nextWord()).toBe(out[0]);
  });

  test('a run of blocks is one block after another, across the carry too', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 32 - 1 }), fc.constantFrom(0, 1, 2 ** 32 - 1, 2 ** 32 - 2), (c1, c0) => {
        const run = new Uint32Array(16);
        philox([c0, c1], [5, 6], [7, 8], run);
        for (let i = 0; i < 4; i++) {
          const at = (BigInt(c1) << 32n) + BigInt(c0) + BigInt(i);
          const single = new Uint32Array(4);
          philox([Number(at & 0xffffffffn), Number((at >> 32n) & 0xffffffffn)], [5, 6], [7, 8], single);
          expect([...run.subarray(4 * i, 4 * i + 4)]).toEqual([...single]);
        }
      }),
    );
  });

  test('randperm is a permutation', () => {
    fc.assert(
      fc.property(seeds, fc.nat({ max: 50 }), (seed, count) => {
        const order = randperm(count, { generator: new Generator(seed) }).toArray() as number[];
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      }),
    );
  });

  test('manualSeed makes the default generator repeat itself', () => {
    manualSeed(11);
    const first = [randn([3]), randint(0, 100, [3]), randperm(5)].map(String);
    manualSeed(11);
    expect([randn([3]), randint(0, 100, [3]), randperm(5)].map(String)).toEqual(first);
    expect(defaultGenerator.seed).toBe(11);
  });

  test('dtype and requiresGrad are those asked for; shapes may be empty or have no axes', () => {
    const x = randn([], { dtype: 'float64', requiresGrad: true });
    expect([x.dtype, x.requiresGrad, x.shape]).toEqual(['float64', true, []]);
    expect(rand([0, 3]).shape).toEqual([0, 3]);
    expect(randint(0, 5, [2], { dtype: 'uint8' }).dtype).toBe('uint8');
    expect(randn([2], { dtype: 'bfloat16' }).dtype).toBe('bfloat16');
  });
});

describe('what is refused', () => {
  test.each([-1, 0.5, Number.NaN, 2 ** 53, '1'])('seed %s', (seed) => {
    expect(() => new Generator(seed as number)).toThrow(ArgumentError);
    expect(() => manualSeed(seed as number)).toThrow(/seed/);
  });

  test('a state that is none leaves the generator as it was', () => {
    const generator = new Generator(1);
    generator.nextWord();
    const before = generator.getState();
    for (const state of [null, {}, { ...before, position: -1 }, { ...before, algorithm: 'mt19937' }]) {
      expect(() => generator.setState(state as GeneratorState)).toThrow(ArgumentError);
    }
    expect(generator.getState()).toEqual(before);
  });

  test('types and intervals that do not hold the numbers', () => {
    expect(() => rand([2], { dtype: 'int32' as 'float32' })).toThrow(DTypeError);
    expect(() => randint(3, 3, [2])).toThrow(ArgumentError);
    expect(() => randint(0, 1.5, [2])).toThrow(ArgumentError);
    expect(() => randint(-1, 3, [2], { dtype: 'uint8' })).toThrow(DTypeError);
    expect(() => randint(0, 2 ** 32, [2])).toThrow(DTypeError);
    expect(() => randperm(300, { dtype: 'uint8' })).toThrow(DTypeError);
    expect(() => randperm(-1)).toThrow(ArgumentError);
    expect(() => truncatedNormal(1, 1, [2])).toThrow(/lower < upper/);
    expect(() => truncatedNormal(-50, -40, [2])).toThrow(/so far out/);
    expect(() => truncatedNormal(40, Infinity, [2])).toThrow(/so far out/);
    expect(truncatedNormal(-36, -30, [2]).toArray()).toEqual([
      expect.closeTo(-30, 0),
      expect.closeTo(-30, 0),
    ]);
  });

  test('probabilities and weights that are none, and more categories than there are', () => {
    expect(() => bernoulli(tensor([0.5, 1.5]))).toThrow(/1\.5/);
    expect(() => bernoulli(tensor([Number.NaN]))).toThrow(ArgumentError);
    expect(() => bernoulli(tensor([1], { dtype: 'int32' }))).toThrow(DTypeError);
    expect(() => multinomial(tensor([0, 1, 0]), 2)).toThrow(/1 weights above 0/);
    expect(() => multinomial(tensor([0, 0]), 1, { replacement: true })).toThrow(ArgumentError);
    expect(() => multinomial(tensor([1, -1]), 1)).toThrow(/-1/);
  });
});
