// Matrix products and convolutions on a machine. What takes few multiply-adds stays in JavaScript: a call has its price.

import type { ConvGeometry } from '../geometry.ts';
import type { FloatArray, Kernels, Strided } from '../kernels.ts';
import { reference } from '../reference/index.ts';
import { elementCount, Rows } from '../reference/strided.ts';
import type { Machine } from './machine.ts';
import { done, sameFloats } from './status.ts';

/** Multiply-adds from which a call is worth it. */
const WORTH_A_CALL = 256;

export function products(machine: Machine): Pick<Kernels, 'matmul'> {
  const { numbers } = machine;
  const one = new Float64Array(2);
  return {
    matmul(a, b, out, shape, bias = null) {
      const rank = shape.length;
      const n = shape[rank - 1];
      const aRank = a.shape.length;
      const bRank = b.shape.length;
      const depth = a.shape[aRank - 1];
      const fits = sameFloats(a.data, b.data, out) && (bias === null || sameFloats(bias.data, out, out));
      if (out.length * depth < WORTH_A_CALL || !fits) {
        reference.matmul(a, b, out, shape, bias);
        return;
      }
      let rows = shape[rank - 2];
      let starts: Float64Array = one;
      if (bRank === 2 && aRank === rank && rowsAreOneRun(a, shape)) {
        // One matrix on the right: all products are one, of many rows.
        rows = out.length / n;
        one[0] = a.offset;
        one[1] = b.offset;
      } else {
        starts = batchStarts(a, b, shape);
      }
      numbers[0] = rows;
      numbers[1] = n;
      numbers[2] = depth;
      numbers[3] = a.strides[aRank - 2];
      numbers[4] = a.strides[aRank - 1];
      numbers[5] = b.strides[bRank - 2];
      numbers[6] = b.strides[bRank - 1];
      numbers[7] = bias === null ? 0 : bias.offset;
      numbers[8] = bias === null ? 0 : bias.strides[0];
      const status = machine.matmul(
        a.data as FloatArray,
        b.data as FloatArray,
        starts,
        out as FloatArray,
        bias === null ? null : (bias.data as FloatArray),
      );
      if (!done(status, 'matmul')) reference.matmul(a, b, out, shape, bias);
    },
  };
}

/** Whether the rows of all matrices of a batch of `shape` are equally far apart, from the first to the last, none repeated. */
function rowsAreOneRun(a: Strided, shape: readonly number[]): boolean {
  const rank = shape.length;
  let stride = a.strides[rank - 2] * shape[rank - 2];
  for (let axis = rank - 3; axis >= 0; axis--) {
    if (a.shape[axis] !== shape[axis]) return false;
    if (shape[axis] !== 1 && a.strides[axis] !== stride) return false;
    stride *= shape[axis];
  }
  return true;
}

/** Where each matrix of the batch starts, in a and then in b. */
function batchStarts(a: Strided, b: Strided, shape: readonly number[]): Float64Array {
  const batchAxes = ({ shape: extents, strides, offset }: Strided) => ({
    shape: extents.slice(0, -2),
    strides: strides.slice(0, -2),
    offset,
  });
  const batch = shape.slice(0, -2);
  const count = elementCount(batch);
  const starts = new Float64Array(2 * count);
  const rows = new Rows(batch, [batchAxes(a), batchAxes(b)]);
  let t = 0;
  do {
    for (let i = 0; i < rows.length; i++, t++) {
      starts[t] = rows.at(0) + i * rows.step(0);
      starts[count + t] = rows.at(1) + i * rows.step(1);
    }
  } while (rows.next());
  return starts;
}

export function convolutions(
  machine: Machine,
): Pick<Kernels, 'convForward' | 'convInputGrad' | 'convWeightGrad'> {
  /** Whether the work is worth a call; then the geometry is written down. */
  const prepared = (g: ConvGeometry, x: FloatArray, w: FloatArray, y: FloatArray): boolean => {
    const perOutput = w.length / g.outChannels;
    if (y.length * perOutput < WORTH_A_CALL || !sameFloats(x, w, y)) return false;
    putGeometry(machine.numbers, g);
    return true;
  };
  return {
    convForward(g, x, w, y) {
      if (!prepared(g, x, w, y) || !done(machine.convForward(x, w, y), 'convForward'))
        reference.convForward(g, x, w, y);
    },
    convInputGrad(g, w, y, x) {
      if (!prepared(g, x, w, y) || !done(machine.convInputGrad(w, y, x), 'convInputGrad'))
        reference.convInputGrad(g, w, y, x);
    },
    convWeightGrad(g, x, y, w) {
      if (!prepared(g, x, w, y) || !done(machine.convWeightGrad(x, y, w), 'convWeightGrad'))
        reference.convWeightGrad(g, x, y, w);
    },
  };
}

/** Batch, groups, channels per group in and out; then input, kernel, output, stride, padding, dilation on three axes. */
function putGeometry(numbers: Float64Array, g: ConvGeometry): void {
  numbers[0] = g.batch;
  numbers[1] = g.groups;
  numbers[2] = g.inChannels / g.groups;
  numbers[3] = g.outChannels / g.groups;
  putAxes(numbers, 4, g.inputSize, 1);
  putAxes(numbers, 7, g.kernelSize, 1);
  putAxes(numbers, 10, g.outputSize, 1);
  putAxes(numbers, 13, g.stride, 1);
  putAxes(numbers, 16, g.padding, 0);
  putAxes(numbers, 19, g.dilation, 1);
}

function putAxes(numbers: Float64Array, at: number, values: readonly number[], missing: number): void {
  const absent = 3 - values.length;
  for (let axis = 0; axis < 3; axis++) numbers[at + axis] = axis < absent ? missing : values[axis - absent];
}
