// Adjoint itself, on the tier that ADJOINT_KERNELS names: what a user writes, allocation of results included.

import {
  add,
  amax,
  avgPool2d,
  backward,
  batchNorm,
  convTranspose2d,
  exp,
  gelu,
  grad,
  layerNorm,
  log,
  matmul,
  maxPool2d,
  mul,
  noGrad,
  ones,
  relu,
  sigmoid,
  softmax,
  sum,
  type Tensor,
  tanh,
  tensor,
} from '@adjoint/core';
import { conv, convInputGrad, convWeightGrad } from '@adjoint/core/conv';
import { convGeometry, kernelInfo, setNumThreads } from '@adjoint/kernels-cpu';
import type { CaseSpec, ChainCase, ConvCase, ConvTransposeCase, ImagesCase, RowsCase } from '../cases.ts';
import { convOutput, convTransposeOutput } from '../cases.ts';
import { fill } from '../data.ts';
import { train } from './adjoint-train.ts';
import type { Contestant, Prepared } from './contestant.ts';

/** Random values as a tensor. */
export function values(seed: number, shape: readonly number[], scale = 1): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return tensor(fill(seed, count, scale), { shape });
}

function prepared(run: () => readonly Tensor[]): Prepared {
  return {
    run: () => void run(),
    results: () => run().map((result) => result.toTypedArray()),
  };
}

const withoutGraph = (run: () => Tensor): Prepared => prepared(() => [noGrad(run)]);

/** A function of x, alone or with the gradient that `g` gives. */
function onePass(pass: 'forward' | 'forwardBackward', x: Tensor, f: (x: Tensor) => Tensor): Prepared {
  if (pass === 'forward') return withoutGraph(() => f(x));
  x.requiresGrad = true;
  const gradOutput = values(9, noGrad(() => f(x)).shape);
  return prepared(() => {
    const y = f(x);
    return [y, grad(y, x, { gradOutput })];
  });
}

function prepareConv(c: ConvCase): Prepared {
  const geometry = convGeometry({
    batch: c.batch,
    inChannels: c.inChannels,
    outChannels: c.outChannels,
    inputSize: [c.size, c.size],
    kernelSize: [c.kernel, c.kernel],
    stride: c.stride,
    padding: c.padding,
    groups: c.groups,
  });
  const out = convOutput(c);
  const x = values(1, [c.batch, c.inChannels, c.size, c.size]);
  const w = values(2, [c.outChannels, c.inChannels / c.groups, c.kernel, c.kernel]);
  const y = values(3, [c.batch, c.outChannels, out, out]);
  const { pass } = c;
  if (pass === 'forward') return withoutGraph(() => conv(x, w, geometry));
  if (pass === 'inputGrad') return withoutGraph(() => convInputGrad(w, y, geometry));
  return withoutGraph(() => convWeightGrad(x, y, geometry));
}

function prepareTranspose(c: ConvTransposeCase): Prepared {
  const { stride, padding, outputPadding, dilation, groups } = c;
  const out = convTransposeOutput(c);
  const x = values(1, [c.batch, c.inChannels, c.size, c.size]);
  const w = values(2, [c.inChannels, c.outChannels / groups, c.kernel, c.kernel]);
  const f = (): Tensor => convTranspose2d(x, w, { stride, padding, outputPadding, dilation, groups });
  if (c.pass === 'forward') return withoutGraph(f);
  const gradOutput = values(3, [c.batch, c.outChannels, out, out]);
  x.requiresGrad = true;
  w.requiresGrad = true;
  return prepared(() => {
    const y = f();
    return [y, ...grad(y, [x, w], { gradOutput })];
  });
}

const functions = { relu, exp, log, tanh, sigmoid, gelu } as const;

function prepareRows({ op, pass, rows, columns }: RowsCase): Prepared {
  const x = values(1, [rows, columns]);
  if (op === 'softmax') return onePass(pass, x, (a) => softmax(a, { axis: 1 }));
  const [weight, bias] = [values(2, [columns]), values(3, [columns])];
  return onePass(pass, x, (a) => layerNorm(a, [columns], { weight, bias }));
}

function prepareImages({ op, pass, batch, channels, size }: ImagesCase): Prepared {
  const x = values(1, [batch, channels, size, size]);
  if (op === 'maxPool') return onePass(pass, x, (a) => maxPool2d(a, 2));
  if (op === 'avgPool') return onePass(pass, x, (a) => avgPool2d(a, 2));
  const [weight, bias] = [values(2, [channels]), values(3, [channels])];
  return onePass(pass, x, (a) => batchNorm(a, { weight, bias, training: true }).output);
}

function prepareChain({ op, length }: ChainCase): Prepared {
  const start = values(1, [8]);
  const w = values(2, [8]);
  const gradOutput = ones([8]);
  start.requiresGrad = true;
  const f = op === 'add' ? add : mul;
  return prepared(() => {
    let x = start;
    for (let i = 0; i < length; i++) x = f(x, w);
    start.grad = null;
    backward(x, { gradOutput });
    return [x, start.grad!];
  });
}

function prepare(spec: CaseSpec): Prepared {
  switch (spec.kind) {
    case 'matmul': {
      const [a, b] = [values(1, [spec.m, spec.k]), values(2, [spec.k, spec.n])];
      return withoutGraph(() => matmul(a, b));
    }
    case 'conv':
      return prepareConv(spec);
    case 'convTranspose':
      return prepareTranspose(spec);
    case 'elementwise': {
      const { op, rows, columns } = spec;
      const a =
        op === 'log' ? noGrad(() => add(values(1, [rows, columns]), 1.5)) : values(1, [rows, columns], 4);
      const b = op === 'addRow' ? values(2, [columns]) : values(2, [rows, columns]);
      if (op === 'add' || op === 'addRow') return withoutGraph(() => add(a, b));
      if (op === 'mul') return withoutGraph(() => mul(a, b));
      return withoutGraph(() => functions[op](a));
    }
    case 'reduce': {
      const x = values(1, [spec.rows, spec.columns]);
      if (spec.op === 'sumAll') return withoutGraph(() => sum(x));
      if (spec.op === 'maxColumns') return withoutGraph(() => amax(x, { axes: 1 }));
      return withoutGraph(() => sum(x, { axes: spec.op === 'sumRows' ? 0 : 1 }));
    }
    case 'rows':
      return prepareRows(spec);
    case 'images':
      return prepareImages(spec);
    case 'chain':
      return prepareChain(spec);
    case 'train':
      return train(spec.model);
  }
}

/** Adjoint on `threads` threads. */
export function open(threads: number): Contestant {
  setNumThreads(threads);
  const { tier, instructionSet } = kernelInfo();
  const wanted = process.env.ADJOINT_KERNELS;
  if (wanted !== undefined && wanted !== tier) throw new Error(`${wanted} was asked for and ${tier} runs`);
  return { describe: () => `Adjoint, ${tier} (${instructionSet}), Node ${process.versions.node}`, prepare };
}
