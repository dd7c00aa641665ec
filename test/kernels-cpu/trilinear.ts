// The definition of the convolution family, by brute force: the trilinear form and the dense matrices that it implies.

import type { ConvGeometry } from '@adjoint/kernels-cpu';

/** One non-zero coefficient of T: `x[x] · w[w] · y[y]`. */
export interface Term {
  readonly x: number;
  readonly w: number;
  readonly y: number;
}

/** Every index of an array of these extents, in row-major order. */
export function* indices(extents: readonly number[]): Generator<number[]> {
  if (extents.includes(0)) return;
  const index = extents.map(() => 0);
  for (;;) {
    yield [...index];
    let axis = extents.length - 1;
    while (axis >= 0 && index[axis] === extents[axis] - 1) index[axis--] = 0;
    if (axis < 0) return;
    index[axis]++;
  }
}

/** Row-major position of an index. */
export function flatten(index: readonly number[], extents: readonly number[]): number {
  return index.reduce((flat, i, axis) => flat * extents[axis] + i, 0);
}

/** All terms of T(x, w, y) = Σ x[n, c, o·s − p + q·d] · w[k, c, q] · y[n, k, o], term by term from the definition. */
export function* terms(g: ConvGeometry): Generator<Term> {
  const c = g.inChannels / g.groups;
  const k = g.outChannels / g.groups;
  for (const [n, group, channel, out, ...rest] of indices([
    g.batch,
    g.groups,
    c,
    k,
    ...g.kernelSize,
    ...g.outputSize,
  ])) {
    const q = rest.slice(0, g.kernelSize.length);
    const o = rest.slice(g.kernelSize.length);
    const i = o.map(
      (position, axis) => position * g.stride[axis] - g.padding[axis] + q[axis] * g.dilation[axis],
    );
    if (i.some((position, axis) => position < 0 || position >= g.inputSize[axis])) continue;
    yield {
      x: flatten([n, group * c + channel, ...i], [g.batch, g.inChannels, ...g.inputSize]),
      w: flatten([group * k + out, channel, ...q], [g.outChannels, c, ...g.kernelSize]),
      y: flatten([n, group * k + out, ...o], [g.batch, g.outChannels, ...g.outputSize]),
    };
  }
}

/** Number of elements of x, w and y. */
export function sizes(g: ConvGeometry): { x: number; w: number; y: number } {
  const product = (extents: readonly number[]) => extents.reduce((p, q) => p * q, 1);
  return {
    x: g.batch * g.inChannels * product(g.inputSize),
    w: (g.outChannels * g.inChannels * product(g.kernelSize)) / g.groups,
    y: g.batch * g.outChannels * product(g.outputSize),
  };
}
