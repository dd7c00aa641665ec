// The matrix product, batched and broadcast, of any strided operands.

import type { NumericArray, ProductKernels, Strided } from '../kernels.ts';
import { gemm, type Matrix } from './gemm.ts';
import { Rows } from './strided.ts';
import { Workspace } from './workspace.ts';

/** Multiply-adds up to which two matrices are multiplied where they lie: packing them would take longer. */
const SMALL = 512;

const leftSpace = new Workspace();
const rightSpace = new Workspace();
const productSpace = new Workspace();

/**
 * `out[..., i, j] = Σk a[..., i, k] · b[..., k, j] + bias[j]`, summed in double precision with k ascending and rounded once. Whole
 * numbers wrap around on overflow.
 */
export const matmul: ProductKernels['matmul'] = (a, b, out, shape, bias = null) => {
  if (out.length === 0) return;
  const rank = shape.length;
  const m = shape[rank - 2];
  const n = shape[rank - 1];
  const depth = a.shape[a.shape.length - 1];
  const isInteger = out instanceof Int32Array || out instanceof Uint8Array;
  if (rank === 2 && !isInteger && m * n * depth <= SMALL) {
    smallProduct(a, b, bias, out, m, n, depth);
    return;
  }
  const batches = new Rows(shape.slice(0, -2), [batchAxes(a), batchAxes(b)]);
  let packedA = -1;
  let packedB = -1;
  let left: Matrix | undefined;
  let right: Matrix | undefined;
  let k = 0;
  do {
    for (let t = 0; t < batches.length; t++, k += m * n) {
      const startA = batches.at(0) + t * batches.step(0);
      const startB = batches.at(1) + t * batches.step(1);
      if (isInteger) {
        integerProduct(a, startA, b, startB, bias, out, k, m, n, depth);
        continue;
      }
      // A broadcast operand stays packed.
      if (left === undefined || startA !== packedA) left = pack(a, startA, m, depth, leftSpace);
      if (right === undefined || startB !== packedB) right = pack(b, startB, depth, n, rightSpace);
      packedA = startA;
      packedB = startB;
      const product = productSpace.take(m * n);
      product.fill(0, 0, m * n);
      gemm(m, n, depth, left, right, product, 0, n);
      for (let i = 0; i < m * n; i++) out[k + i] = product[i] + biasOf(bias, i % n);
    }
  } while (batches.next());
};

/** Sums in the order of `gemm`, to the same bits. */
function smallProduct(
  a: Strided,
  b: Strided,
  bias: Strided | null,
  out: NumericArray,
  m: number,
  n: number,
  depth: number,
): void {
  const { data: x, strides: xStrides } = a;
  const { data: y, strides: yStrides } = b;
  const rowX = xStrides[xStrides.length - 2];
  const stepX = xStrides[xStrides.length - 1];
  const stepY = yStrides[yStrides.length - 2];
  const columnY = yStrides[yStrides.length - 1];
  for (let i = 0, k = 0; i < m; i++) {
    for (let j = 0; j < n; j++, k++) {
      let total = 0;
      for (
        let d = 0, p = a.offset + i * rowX, q = b.offset + j * columnY;
        d < depth;
        d++, p += stepX, q += stepY
      )
        total += x[p] * y[q];
      out[k] = total + biasOf(bias, j);
    }
  }
}

/** What is added to the sums of column j. */
function biasOf(bias: Strided | null, j: number): number {
  return bias === null ? 0 : bias.data[bias.offset + j * bias.strides[0]];
}

function batchAxes({ shape, strides, offset }: Strided) {
  return { shape: shape.slice(0, -2), strides: strides.slice(0, -2), offset };
}

/** A matrix of a strided operand in double precision, along its shorter stride so that memory is read in order. */
function pack(a: Strided, start: number, rows: number, columns: number, space: Workspace): Matrix {
  const rank = a.shape.length;
  const rowStride = a.strides[rank - 2];
  const columnStride = a.strides[rank - 1];
  if (a.data instanceof Float64Array)
    return { data: a.data, offset: start, row: rowStride, column: columnStride };
  const data = space.take(rows * columns);
  const byColumns = Math.abs(rowStride) < Math.abs(columnStride);
  const outer = byColumns ? columns : rows;
  const inner = byColumns ? rows : columns;
  const outerStride = byColumns ? columnStride : rowStride;
  const innerStride = byColumns ? rowStride : columnStride;
  for (let o = 0; o < outer; o++)
    packLine(a.data, start + o * outerStride, innerStride, data, o * inner, inner);
  return byColumns ? { data, offset: 0, row: 1, column: rows } : { data, offset: 0, row: columns, column: 1 };
}

function packLine(a: NumericArray, i: number, di: number, data: Float64Array, k: number, n: number): void {
  for (const end = k + n; k < end; k++, i += di) data[k] = a[i];
}

function integerProduct(
  a: Strided,
  startA: number,
  b: Strided,
  startB: number,
  bias: Strided | null,
  out: NumericArray,
  k: number,
  m: number,
  n: number,
  depth: number,
): void {
  const rowA = a.strides[a.strides.length - 2];
  const columnA = a.strides[a.strides.length - 1];
  const rowB = b.strides[b.strides.length - 2];
  const columnB = b.strides[b.strides.length - 1];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let total = biasOf(bias, j);
      for (let d = 0; d < depth; d++) {
        const x = a.data[startA + i * rowA + d * columnA];
        total = (total + Math.imul(x, b.data[startB + d * rowB + j * columnB])) | 0;
      }
      out[k + i * n + j] = total;
    }
  }
}
