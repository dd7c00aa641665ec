// The printed form of a tensor, as NumPy prints arrays: aligned columns, long axes shortened, a hint of the dtype.

import type { DType } from './dtype.ts';
import { formatShape } from './errors.ts';

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
const significantDigits = 4;

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
  const width = shape.length === 0 ? 0 : Math.max(...shown.map((value) => text(value).length));

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

// One format for all shown elements, so that columns line up: integers, fixed point, or scientific.
function elementFormatter(shown: readonly number[], dtype: DType): (value: number) => string {
  if (dtype === 'bool') return (value) => (value === 0 ? 'false' : 'true');
  if (dtype === 'int32' || dtype === 'uint8') return (value) => String(value);
  const finite = shown.filter(Number.isFinite);
  const magnitudes = finite.filter((value) => value !== 0).map(Math.abs);
  const largest = Math.max(0, ...magnitudes);
  const smallest = Math.min(...magnitudes);
  const special = (value: number): string => (Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf');
  const show = (form: (value: number) => string) => (value: number) =>
    Number.isFinite(value) ? form(value) : special(value);
  if (finite.every(Number.isInteger) && largest < 1e8)
    return show((value) => `${Object.is(value, -0) ? '-0' : value}.`);
  if (largest >= 1e8 || smallest < 1e-4 || largest / smallest > 1e3 * 10 ** significantDigits) {
    return show((value) => value.toExponential(significantDigits));
  }
  return show((value) => value.toFixed(significantDigits));
}
