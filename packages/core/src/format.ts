// The printed form of a tensor, as NumPy prints arrays: aligned columns, long axes shortened, a hint of the dtype.

import { type DType, isFloat, isHalf } from './dtype.ts';
import { formatShape } from './errors.ts';
import { encodeHalf } from './half.ts';

/** What printing needs of a tensor. */
export interface Printable {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly size: number;
  readonly isLeaf: boolean;
  readonly node: { readonly name: string } | null;
  readonly storage: { readonly hasValues: boolean };
  toTypedArray(): ArrayLike<number>;
}

const summariseAbove = 1000;
const edgeItems = 3;
// Digits after the point, at the most.
const precision = 8;

/** Formats the values of `tensor`; `tensor([[1, 2], [3, 4]])` with NumPy's layout, plus dtype and graph where notable. */
export function formatTensor(tensor: Printable): string {
  const notes: string[] = [];
  if (tensor.size === 0 || !tensor.storage.hasValues) notes.push(`shape=${formatShape(tensor.shape)}`);
  if (tensor.dtype !== 'float32') notes.push(`dtype=${tensor.dtype}`);
  if (tensor.node !== null) notes.push(tensor.isLeaf ? 'requiresGrad=true' : `gradFn=${tensor.node.name}`);
  const suffix = notes.length > 0 ? `, ${notes.join(', ')}` : '';
  return `tensor(${formatValues(tensor)}${suffix})`;
}

function formatValues(tensor: Printable): string {
  const { shape, dtype } = tensor;
  if (!tensor.storage.hasValues) return 'traced';
  if (tensor.size === 0) return '[]';
  const values = tensor.toTypedArray();
  const shorten = tensor.size > summariseAbove;
  const shown: number[] = [];
  visit(shape, 0, 0, shorten, (index) => shown.push(values[index]));
  const text = elementFormatter(shown, dtype);
  const width = Math.max(...shown.map((value) => text(value).length));

  const build = (axis: number, base: number, indent: string): string => {
    if (axis === shape.length) return text(values[base]).padStart(width);
    const stride = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const parts = shownIndices(shape[axis], shorten).map((i) =>
      i < 0 ? '...' : build(axis + 1, base + i * stride, `${indent} `),
    );
    if (axis === shape.length - 1) return wrap(parts, indent);
    const gap = '\n'.repeat(shape.length - axis - 1);
    return `[${parts.join(`,${gap}${indent}`)}]`;
  };
  return build(0, 0, ' '.repeat('tensor('.length + 1));
}

// A row of numbers, broken where it would pass 100 columns.
function wrap(parts: readonly string[], indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const part of parts) {
    if (line !== '' && indent.length + line.length + part.length > 98) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? part : `, ${part}`;
  }
  lines.push(line);
  return `[${lines.join(`,\n${indent}`)}]`;
}

function shownIndices(size: number, shorten: boolean): number[] {
  if (!shorten || size <= 2 * edgeItems) return Array.from({ length: size }, (_, i) => i);
  return [0, 1, 2, -1, size - 3, size - 2, size - 1];
}

function visit(
  shape: readonly number[],
  axis: number,
  base: number,
  shorten: boolean,
  see: (index: number) => void,
): void {
  if (axis === shape.length) {
    see(base);
    return;
  }
  const stride = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  for (const i of shownIndices(shape[axis], shorten))
    if (i >= 0) visit(shape, axis + 1, base + i * stride, shorten, see);
}

// One format for all shown elements, so that columns line up: NumPy's. Each number has the fewest digits that tell it from
// its neighbours in its type, and no more than `precision` after the point.
function elementFormatter(shown: readonly number[], dtype: DType): (value: number) => string {
  if (dtype === 'bool') return (value) => (value === 0 ? 'false' : 'true');
  if (!isFloat(dtype)) return String;
  const finite = shown.filter(Number.isFinite);
  const magnitudes = finite.filter((value) => value !== 0).map(Math.abs);
  const largest = Math.max(0, ...magnitudes);
  const smallest = Math.min(...magnitudes);
  const scientific = largest >= 1e8 || smallest < 1e-4 || largest / smallest > 1000;
  const write = scientific ? scientificWriter(finite, dtype) : positionalWriter(finite, dtype);
  return (value) =>
    Number.isFinite(value) ? write(value) : Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

type Writer = (value: number) => string;

// Fractions are filled with blanks, as their zeros would claim digits that nobody knows.
function positionalWriter(finite: readonly number[], dtype: DType): Writer {
  const parts = (value: number): [string, string] => {
    const digits = shortest(value, dtype);
    const decimals = Math.max(0, digits.mantissa.length - 1 - digits.exponent);
    const fixed = decimals > precision ? value.toFixed(precision) : Number(digits.text).toFixed(decimals);
    const [whole, fraction = ''] = fixed.replace(/^-/, '').split('.');
    return [signOf(value) + whole, fraction.replace(/0+$/, '')];
  };
  const longest = Math.max(0, ...finite.map((value) => parts(value)[1].length));
  return (value) => {
    const [whole, fraction] = parts(value);
    return `${whole}.${fraction.padEnd(longest)}`;
  };
}

function scientificWriter(finite: readonly number[], dtype: DType): Writer {
  const all = finite.map((value) => {
    const digits = shortest(value, dtype);
    return digits.mantissa.length - 1 > precision ? digitsOf(value.toExponential(precision)) : digits;
  });
  const decimals = Math.max(0, ...all.map(({ mantissa }) => mantissa.length - 1));
  const places = Math.max(2, ...all.map(({ exponent }) => String(Math.abs(exponent)).length));
  return (value) => {
    const [mantissa, exponent] = Math.abs(value).toExponential(decimals).split('e');
    const power = String(Math.abs(Number(exponent))).padStart(places, '0');
    const point = decimals === 0 ? '.' : '';
    return `${signOf(value)}${mantissa}${point}e${exponent.startsWith('-') ? '-' : '+'}${power}`;
  };
}

function signOf(value: number): string {
  return value < 0 || Object.is(value, -0) ? '-' : '';
}

// A number in scientific notation, and its parts: digits without sign, point and trailing zeros, and the power of ten.
interface Digits {
  readonly text: string;
  readonly mantissa: string;
  readonly exponent: number;
}

function digitsOf(text: string): Digits {
  const [mantissa, exponent] = text.split('e');
  return {
    text,
    mantissa: mantissa.replace(/[-.]/g, '').replace(/(?<=.)0+$/, ''),
    exponent: Number(exponent),
  };
}

// The fewest digits that are read back as the same value of the type.
function shortest(value: number, dtype: DType): Digits {
  for (let places = 0; dtype !== 'float64' && places < 9; places++) {
    const text = value.toExponential(places);
    if (stored(Number(text), dtype) === stored(value, dtype)) return digitsOf(text);
  }
  return digitsOf(value.toExponential());
}

// What a type other than float64 holds of a number; of the 16-bit floats the bits.
function stored(value: number, dtype: DType): number {
  if (!isHalf(dtype)) return Math.fround(value);
  return encodeHalf(dtype, Float64Array.of(value))[0];
}
