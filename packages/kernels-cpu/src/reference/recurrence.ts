// The linear recurrence of first order along one axis. Running sums and products are special cases of it, and so is the
// derivative of a running product, zeros included.

import type { NumericArray, Strided } from '../kernels.ts';
import { contiguous, Rows, withoutAxis } from './strided.ts';

/** `out[i] = a[i] * out[i - 1] + b[i]` along `axis`, from `out[-1] = 0`. Runs in double precision. */
export function recurrence(a: Strided, b: Strided, axis: number, out: NumericArray): void {
  if (out.length === 0) return;
  const target = contiguous(a.shape);
  const [extent, di, dj, dk] = [a.shape[axis], a.strides[axis], b.strides[axis], target.strides[axis]];
  const lines = new Rows(withoutAxis(a, axis).shape, [
    withoutAxis(a, axis),
    withoutAxis(b, axis),
    withoutAxis(target, axis),
  ]);
  do {
    for (let line = 0; line < lines.length; line++) {
      let i = lines.at(0) + line * lines.step(0);
      let j = lines.at(1) + line * lines.step(1);
      let k = lines.at(2) + line * lines.step(2);
      // The first term has no predecessor: a[0] is not read, so that an infinite one does no harm.
      let state = b.data[j];
      out[k] = state;
      for (let t = 1; t < extent; t++) {
        i += di;
        j += dj;
        k += dk;
        state = a.data[i] * state + b.data[j];
        out[k] = state;
      }
    }
  } while (lines.next());
}
