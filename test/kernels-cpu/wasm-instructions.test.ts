// Fitting a module to a host without relaxed SIMD, on a module that is assembled here: it computes what the instructions say.

import { expect, test } from 'vitest';
import { fitModule } from '../../packages/kernels-cpu/src/tiers/wasm-instructions.ts';

interface Host {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (
      module: object,
    ) => { readonly exports: { run(): void; memory: { buffer: ArrayBuffer } } };
  };
}
const { WebAssembly } = globalThis as unknown as Host;

const section = (id: number, ...content: number[]): number[] => [id, content.length, ...content];
const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
const load = (at: number): number[] => [0x41, at, 0xfd, 0, 4, 0];
const simd = (op: number): number[] => [0xfd, (op & 127) | 128, op >> 7];

/**
 * A module with a memory and `run`: puts what `code` leaves at 48. Its constant looks like a multiply-add, and is none; the function before it has
 * nothing to fit, and parameters.
 */
function moduleOf(code: readonly number[]): Uint8Array {
  const constant = [0xfd, 12, 0xfd, 0x85, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfd, 0x1a];
  const body = [1, 2, 0x7f, ...constant, 0x41, 48, ...code, 0xfd, 11, 4, 0, 0x0b];
  const other = [0, 0x20, 0, 0x20, 1, 0x6a, 0x0b];
  return Uint8Array.from([
    ...[0, 97, 115, 109, 1, 0, 0, 0],
    ...section(1, 2, 0x60, 2, 0x7f, 0x7f, 1, 0x7f, 0x60, 0, 0),
    ...section(3, 2, 0, 1),
    ...section(5, 1, 0, 1),
    ...section(7, 2, ...name('run'), 0, 1, ...name('memory'), 2, 0),
    ...section(10, 2, other.length, ...other, body.length, ...body),
  ]);
}

/** What the fitted module makes of registers at 0, 16 and 32. */
function run(code: readonly number[], registers: readonly ArrayBufferView[]): ArrayBuffer {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(fitModule(moduleOf(code), 'simd128')));
  registers.forEach(({ buffer }, i) => {
    new Uint8Array(exports.memory.buffer).set(new Uint8Array(buffer as ArrayBuffer), 16 * i);
  });
  exports.run();
  return exports.memory.buffer.slice(48, 64);
}

test('a · b + c becomes a product and a sum, each rounded', () => {
  const [a, b, c] = [
    [1.1, -2, 3e38, Infinity],
    [1.3, 0.5, 10, 0],
    [-1.43, 1, -Infinity, 1],
  ];
  const madd = [...load(0), ...load(16), ...load(32), ...simd(0x105)];
  const single = run(
    madd,
    [a, b, c].map((x) => Float32Array.from(x)),
  );
  const f = Math.fround;
  const expected = a.map((x, i) => f(f(f(x) * f(b[i])) + f(c[i])));
  expect([...new Float32Array(single)]).toEqual(expected);

  const twofold = [...load(0), ...load(16), ...load(32), ...simd(0x107)];
  const double = run(
    twofold,
    [a, b, c].map((x) => Float64Array.from(x.slice(0, 2))),
  );
  expect([...new Float64Array(double)]).toEqual([1.1 * 1.3 - 1.43, 0]);
});

test('multiply-adds within multiply-adds keep their operands', () => {
  const inner = [...load(0), ...load(16), ...load(32), ...simd(0x105)];
  const nested = [...inner, ...inner, ...inner, ...simd(0x105)];
  const result = run(nested, [
    Float32Array.of(1, 2, 3, 4),
    Float32Array.of(5, 6, 7, 8),
    Float32Array.of(-1, 1, 2, 0),
  ]);
  expect([...new Float32Array(result)]).toEqual([4 * 4 + 4, 13 * 13 + 13, 23 * 23 + 23, 32 * 32 + 32]);
});

test('relaxed minima and maxima become pmin and pmax: the first operand, unless the second is smaller or larger', () => {
  const [x, y] = [Float32Array.of(Number.NaN, 1, -0, 3), Float32Array.of(1, Number.NaN, 0, 2)];
  expect([...new Float32Array(run([...load(0), ...load(16), ...simd(0x10d)], [x, y]))]).toEqual([
    Number.NaN,
    1,
    -0,
    2,
  ]);
  expect([...new Float32Array(run([...load(0), ...load(16), ...simd(0x10e)], [x, y]))]).toEqual([
    Number.NaN,
    1,
    -0,
    3,
  ]);
});

test('for a host with relaxed SIMD, multiply-adds stay as they are', () => {
  const module = moduleOf([...load(0), ...load(16), ...load(32), ...simd(0x105)]);
  expect([...fitModule(module, 'relaxed')]).toEqual([...module]);
});
