// jax-js on its wasm backend, traced and compiled by its own jit where it has one. An array is consumed by use; `.ref` keeps it.

import { blockUntilReady, defaultDevice, init, jit, lax, nn, numpy as np, vjp } from '@jax-js/jax';
import type { CaseSpec, ConvCase, ConvTransposeCase, ElementwiseCase, ReduceCase } from '../cases.ts';
import { convOutput } from '../cases.ts';
import { fill } from '../data.ts';
import type { Contestant, Prepared } from './contestant.ts';

type Array1 = np.Array;

function values(seed: number, shape: number[], scale = 1): Array1 {
  const count = shape.reduce((product, size) => product * size, 1);
  return np.array(fill(seed, count, scale)).reshape(shape);
}

function prepared(f: (...inputs: Array1[]) => Array1[], inputs: Array1[]): Prepared {
  const compiled = jit(f as (...args: Array1[]) => Array1[]);
  const once = async (): Promise<Array1[]> => blockUntilReady(compiled(...inputs.map((input) => input.ref)));
  return {
    run: async () => {
      for (const result of await once()) result.dispose();
    },
    results: async () =>
      Promise.all((await once()).map(async (result) => (await result.data()) as Float32Array)),
    release: () => {
      for (const input of inputs) input.dispose();
    },
  };
}

function prepareConv(c: ConvCase): Prepared {
  const size = convOutput(c);
  const x = values(1, [c.batch, c.inChannels, c.size, c.size]);
  const w = values(2, [c.outChannels, c.inChannels / c.groups, c.kernel, c.kernel]);
  const [strides, padding]: [number[], [number, number][]] = [
    [c.stride, c.stride],
    [
      [c.padding, c.padding],
      [c.padding, c.padding],
    ],
  ];
  const conv = (a: Array1, b: Array1): Array1 =>
    lax.convGeneralDilated(a, b, strides, padding, { featureGroupCount: c.groups });
  if (c.pass === 'forward') return prepared((a, b) => [conv(a, b)], [x, w]);
  const y = values(3, [c.batch, c.outChannels, size, size]);
  const which = c.pass === 'inputGrad' ? 0 : 1;
  return prepared(
    (a, b, g) => {
      const [value, pull] = vjp(conv, [a, b]);
      value.dispose();
      const gradients = pull(g) as [Array1, Array1];
      gradients[1 - which].dispose();
      return [gradients[which]];
    },
    [x, w, y],
  );
}

function prepareTranspose(c: ConvTransposeCase): Prepared | null {
  if (c.groups !== 1) return null;
  const x = values(1, [c.batch, c.inChannels, c.size, c.size]);
  const w = values(2, [c.inChannels, c.outChannels, c.kernel, c.kernel]);
  const before = c.dilation * (c.kernel - 1) - c.padding;
  const edges: [number, number] = [before, before + c.outputPadding];
  const transpose = (a: Array1, b: Array1): Array1 =>
    lax.convTranspose(a, b, [c.stride, c.stride], [edges, edges], {
      rhsDilation: [c.dilation, c.dilation],
      transposeKernel: true,
    });
  if (c.pass === 'forward') return prepared((a, b) => [transpose(a, b)], [x, w]);
  const size = (c.size - 1) * c.stride - 2 * c.padding + c.dilation * (c.kernel - 1) + c.outputPadding + 1;
  const gy = values(3, [c.batch, c.outChannels, size, size]);
  return prepared(
    (a, b, g) => {
      const [value, pull] = vjp(transpose, [a, b]);
      return [value, ...(pull(g) as [Array1, Array1])];
    },
    [x, w, gy],
  );
}

function prepareElementwise({ op, rows, columns }: ElementwiseCase): Prepared {
  const a = op === 'log' ? np.add(values(1, [rows, columns]), 1.5) : values(1, [rows, columns], 4);
  const b = op === 'addRow' ? values(2, [columns]) : values(2, [rows, columns]);
  if (op === 'add' || op === 'addRow') return prepared((p, q) => [np.add(p, q)], [a, b]);
  if (op === 'mul') return prepared((p, q) => [np.multiply(p, q)], [a, b]);
  b.dispose();
  const functions = {
    relu: nn.relu,
    exp: np.exp,
    log: np.log,
    tanh: np.tanh,
    sigmoid: nn.sigmoid,
    gelu: (p: Array1) => nn.gelu(p, { approximate: false }),
  };
  return prepared((p) => [functions[op](p) as Array1], [a]);
}

function prepareReduce({ op, rows, columns }: ReduceCase): Prepared {
  const x = values(1, [rows, columns]);
  if (op === 'sumAll') return prepared((a) => [np.sum(a)], [x]);
  if (op === 'maxColumns') return prepared((a) => [np.max(a, 1)], [x]);
  return prepared((a) => [np.sum(a, op === 'sumRows' ? 0 : 1)], [x]);
}

function prepare(spec: CaseSpec): Prepared | null {
  switch (spec.kind) {
    case 'matmul':
      return prepared(
        (a, b) => [np.matmul(a, b)],
        [values(1, [spec.m, spec.k]), values(2, [spec.k, spec.n])],
      );
    case 'conv':
      return prepareConv(spec);
    case 'convTranspose':
      return prepareTranspose(spec);
    case 'elementwise':
      return prepareElementwise(spec);
    case 'reduce':
      return prepareReduce(spec);
    case 'rows':
      if (spec.pass !== 'forward' || spec.op !== 'softmax') return null;
      return prepared((a) => [nn.softmax(a, 1)], [values(1, [spec.rows, spec.columns])]);
    default:
      return null;
  }
}

/** Its wasm backend; in Node it runs on one thread. */
export async function open(): Promise<Contestant> {
  await init('wasm');
  defaultDevice('wasm');
  return { describe: () => 'jax-js 0.1.25, wasm', prepare };
}
