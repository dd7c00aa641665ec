// Element-wise kernels of a machine: of operands of any type, with the result that the reference gives. Few elements stay in
// JavaScript: a call has its price.

import type { Kernels, NumericArray, Strided, UnaryKernel } from '../kernels.ts';
import { reference } from '../reference/index.ts';
import {
  BINARY_OPS,
  BINARY_PREDICATES,
  DERIVATIVE_OPS,
  ELEMENT_TYPES,
  type ElementType,
  elementTypeOf,
  MAP_LAYOUT,
  MAP_OPS,
  MAP_TYPES,
  type Machine,
  type MapName,
  TERNARY_OPS,
  UNARY_OPS,
  UNARY_PREDICATES,
} from './machine.ts';
import { readable } from './singles.ts';
import { done } from './status.ts';
import { putLayout } from './views.ts';

/** The ops that cost an instruction or two per element in JavaScript too. */
export const cheap: ReadonlySet<MapName> = new Set<MapName>([
  'neg',
  'abs',
  'square',
  'cube',
  'sqrt',
  'reciprocal',
  'relu',
  'leakyRelu',
  'copy',
  'add',
  'sub',
  'mul',
  'div',
  'maximum',
  'minimum',
  'reluGrad',
  'leakyReluGrad',
  'clampGrad',
  'hardtanhGrad',
  'hardsigmoidGrad',
  'hardswishGrad',
  'sigmoidGrad',
  'tanhGrad',
  ...TERNARY_OPS,
  ...BINARY_PREDICATES,
]);

/** Defaults of the parameters (p, q), as in the reference. */
const parameters: Readonly<Record<string, readonly [number, number]>> = {
  leakyRelu: [0.01, 0],
  leakyReluGrad: [0.01, 0],
  elu: [1, 1],
  eluGrad: [1, 1],
  celu: [1, 0],
  celuGrad: [1, 0],
  softplus: [1, 20],
  softplusGrad: [1, 20],
  clamp: [-Infinity, Infinity],
  clampGrad: [-Infinity, Infinity],
  hardtanhGrad: [-1, 1],
};

/** Ops that on whole numbers are what they are on doubles, stored with wrap-around. The others have their own arithmetic there, or none. */
const sameOnIntegers: ReadonlySet<MapName> = new Set<MapName>([
  'copy',
  'neg',
  'abs',
  'sign',
  'relu',
  'clamp',
  'add',
  'sub',
  'maximum',
  'minimum',
  'reluGrad',
  'where',
]);
/** Ops that on whole numbers wrap around, which doubles do not: a machine has them where all numbers are whole. */
const wrapping: ReadonlySet<MapName> = new Set<MapName>(['square', 'mul']);
const predicates: ReadonlySet<MapName> = new Set<MapName>([...UNARY_PREDICATES, ...BINARY_PREDICATES]);

const typeNumber = Object.fromEntries(ELEMENT_TYPES.map((type, i) => [type, i])) as Record<
  ElementType,
  number
>;

/** The number of the type of an array's elements: by comparisons, for a look into the table above is felt in each call. */
function typeNumberOf(array: NumericArray): number {
  if (array instanceof Float32Array) return FLOAT;
  if (array instanceof Float64Array) return DOUBLE;
  return typeNumber[elementTypeOf(array)];
}
const FLOAT = typeNumber.float32;
const DOUBLE = typeNumber.float64;

const isWhole = (array: NumericArray): boolean => array instanceof Int32Array || array instanceof Uint8Array;

/** Whether the op gives on these types what the reference gives. */
function suits(name: MapName, operands: readonly Strided[], out: NumericArray): boolean {
  if (out instanceof Float32Array || out instanceof Float64Array)
    return name !== 'square' || !(operands[0].data instanceof Int32Array);
  if (predicates.has(name)) return out instanceof Uint8Array;
  if (wrapping.has(name)) return isWhole(out) && operands.every(({ data }) => isWhole(data));
  return sameOnIntegers.has(name);
}

/** Elements from which the op is worth a call. */
const leastOf = ({ worth }: Machine, name: MapName): number => (cheap.has(name) ? worth.cheap : worth.dear);

/** Runs an op on a machine; false if the reference must. Fewer elements than {@link leastOf} are not to come here. */
type Runner = (
  operands: readonly Strided[],
  out: NumericArray,
  shape: readonly number[],
  p: number,
  q: number,
) => boolean;

function runnerOf(machine: Machine, name: MapName): Runner {
  const { numbers } = machine;
  const op = MAP_OPS.indexOf(name);
  return (operands, out, shape, p, q) => {
    if (!suits(name, operands, out) || !putLayout(numbers, MAP_LAYOUT, shape, operands)) return false;
    numbers[0] = op;
    numbers[1] = p;
    numbers[2] = q;
    numbers[3] = operands.length;
    for (let i = 0; i < operands.length; i++) numbers[MAP_TYPES + i] = typeNumberOf(operands[i].data);
    numbers[MAP_TYPES + operands.length] = typeNumberOf(out);
    return done(call(machine, operands, out), name);
  };
}

/** Runs what the numbers of the machine say. Without a list of arguments: that would cost as much as the call. */
function call(machine: Machine, operands: readonly Strided[], out: NumericArray): number {
  const { numbers } = machine;
  const a = readable(operands[0].data, numbers[MAP_TYPES], 0);
  if (operands.length === 1) return machine.map(a, out);
  const b = readable(operands[1].data, numbers[MAP_TYPES + 1], 1);
  if (operands.length === 2) return machine.map(a, b, out);
  return machine.map(a, b, readable(operands[2].data, numbers[MAP_TYPES + 2], 2), out);
}

export function elementwise(machine: Machine): Partial<Kernels> {
  const table: { [K in MapName]?: Kernels[K] } = {};
  for (const name of [...UNARY_OPS, ...UNARY_PREDICATES]) {
    const run = runnerOf(machine, name);
    const least = leastOf(machine, name);
    const fallback = reference[name] as UnaryKernel;
    const [defaultP, defaultQ] = parameters[name] ?? [0, 0];
    const kernel: UnaryKernel = (a, out, p = defaultP, q = defaultQ) => {
      if (out.length < least || !run([a], out, a.shape, p, q)) fallback(a, out, p, q);
    };
    table[name] = kernel;
  }
  for (const name of [...BINARY_OPS, ...BINARY_PREDICATES]) {
    const run = runnerOf(machine, name);
    const least = leastOf(machine, name);
    const fallback = reference[name];
    table[name] = (a, b, out, shape) => {
      if (out.length < least || !run([a, b], out, shape, 0, 0)) fallback(a, b, out, shape);
    };
  }
  for (const name of DERIVATIVE_OPS) {
    const run = runnerOf(machine, name);
    const least = leastOf(machine, name);
    const fallback = reference[name];
    const [defaultP, defaultQ] = parameters[name] ?? [0, 0];
    table[name] = (g, a, out, shape, p = defaultP, q = defaultQ) => {
      if (out.length < least || !run([g, a], out, shape, p, q)) fallback(g, a, out, shape, p, q);
    };
  }
  for (const name of TERNARY_OPS) {
    const run = runnerOf(machine, name);
    const least = leastOf(machine, name);
    const fallback = reference[name];
    table[name] = (a, b, c, out, shape) => {
      if (out.length < least || !run([a, b, c], out, shape, 0, 0)) fallback(a, b, c, out, shape);
    };
  }
  return { ...table, ...halves(machine) };
}

type Halves = 'decodeFloat16' | 'encodeFloat16' | 'decodeBfloat16' | 'encodeBfloat16';

/** Conversions to and from 16-bit floats: copies from one type to another. */
function halves(machine: Machine): Pick<Kernels, Halves> {
  const { numbers, worth } = machine;
  const convert = (
    from: NumericArray,
    fromType: ElementType,
    to: NumericArray,
    toType: ElementType,
  ): boolean => {
    const n = to.length;
    if (n < worth.dear || from.length !== n) return false;
    putLayout(numbers, MAP_LAYOUT, [n], [{ data: from, shape: [n], strides: [1], offset: 0 }]);
    numbers[0] = MAP_OPS.indexOf('copy');
    numbers[3] = 1;
    numbers[MAP_TYPES] = typeNumber[fromType];
    numbers[MAP_TYPES + 1] = typeNumber[toType];
    return done(machine.map(from, to), 'copy');
  };
  return {
    decodeFloat16(bits, out) {
      if (!convert(bits, 'float16', out, elementTypeOf(out))) reference.decodeFloat16(bits, out);
    },
    encodeFloat16(a, bits) {
      if (!convert(a, elementTypeOf(a), bits, 'float16')) reference.encodeFloat16(a, bits);
    },
    decodeBfloat16(bits, out) {
      if (!convert(bits, 'bfloat16', out, elementTypeOf(out))) reference.decodeBfloat16(bits, out);
    },
    encodeBfloat16(a, bits) {
      if (!convert(a, elementTypeOf(a), bits, 'bfloat16')) reference.encodeBfloat16(a, bits);
    },
  };
}
