// Weights in files: what PyTorch wrote is read here and computes the same, grouped transposed convolutions included; and back.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { add, flatten, manualSeed, narrow, noGrad, randn, reshape, type Tensor } from '@adjoint/core';
import { parseSafetensors, serializeSafetensors } from '@adjoint/core/io';
import {
  BatchNorm2d,
  Conv2d,
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  Embedding,
  Linear,
  LSTM,
  Module,
  ModuleList,
  MultiheadAttention,
  ReLU,
  Sequential,
} from '@adjoint/nn';
import { expect, test } from 'vitest';
import { pytorchVersion } from '../../parity/live.ts';
import { expectClose, type Values } from '../../parity/oracle.ts';

/** The network of model.py, line by line. */
class Net extends Module {
  readonly embed = new Embedding(7, 32);
  readonly down = new Sequential(
    new Conv2d(4, 8, [3, 2], { groups: 2, stride: 2 }),
    new BatchNorm2d(8),
    new ReLU(),
  );
  readonly up = new ModuleList<ConvTranspose1d | ConvTranspose2d>([
    new ConvTranspose2d(8, 6, 3, { groups: 2, stride: 2, outputPadding: 1 }),
    new ConvTranspose1d(6, 4, 2, { groups: 2 }),
  ]);
  readonly solid = new ConvTranspose3d(4, 2, [1, 2, 2], { groups: 2 });
  readonly lstm = new LSTM(12, 5, { numLayers: 2, bidirectional: true, projSize: 2 });
  readonly attention = new MultiheadAttention(4, 2);
  readonly head = new Linear(4, 3);

  forward(tokens: Tensor): Tensor {
    let x = reshape(this.embed.forward(tokens), [-1, 4, 4, 8]);
    x = this.up.at(0).forward(this.down.forward(x));
    x = this.up.at(1).forward(flatten(x, { startAxis: 2 }));
    x = this.solid.forward(reshape(narrow(x, 2, 0, 12), [-1, 4, 1, 3, 4]));
    x = reshape(narrow(flatten(x), 0, 0, 36), [3, 1, 12]);
    x = this.lstm.forward(x).output;
    return this.head.forward(this.attention.forward(x, x, x).output);
  }
}

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const { tensors } = parseSafetensors(readFileSync(path('model.safetensors')), { name: 'model.safetensors' });
const below = (prefix: string): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(tensors).flatMap(([name, x]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), x]] : [],
    ),
  );
const valuesOf = (x: Tensor): Values => ({
  dtype: 'float64',
  shape: x.shape,
  data: x.toTypedArray() as Float64Array,
});

test('a file of PyTorch loads under its own names, and the network computes what it did there', () => {
  const net = new Net().to('float64').eval();
  expect(net.loadStateDict(below('model.'))).toEqual({ missing: [], unexpected: [] });
  // Groups have an axis of their own here; there they do not.
  expect(net.up.at(0).weight.shape).toEqual([2, 4, 3, 3, 3]);
  expect(tensors['model.up.0.weight'].shape).toEqual([8, 3, 3, 3]);
  const output = noGrad(() => net.forward(tensors.tokens));
  expectClose(valuesOf(output), valuesOf(tensors.output), { what: 'the output' });
});

test('what it is written as again, in the layout of PyTorch, is what was read', () => {
  const net = new Net().to('float64');
  net.loadStateDict(below('model.'));
  const state = net.stateDict({ layout: 'pytorch' });
  expect(new Set(Object.keys(state))).toEqual(new Set(Object.keys(below('model.'))));
  for (const [name, x] of Object.entries(below('model.'))) {
    expect(state[name].shape).toEqual(x.shape);
    expect(state[name].toTypedArray()).toEqual(x.toTypedArray());
  }
});

test('networks that are published in 16 bits load into wider ones as the numbers they are', () => {
  for (const dtype of ['bfloat16', 'float16']) {
    const head = new Linear(4, 3);
    head.loadStateDict({ weight: tensors[`${dtype}.weight`], bias: tensors[`${dtype}.bias`] });
    for (const name of ['weight', 'bias'] as const)
      expect(head[name]!.toArray()).toEqual(tensors[`${dtype}.expected.${name}`].toArray());
  }
});

const version = pytorchVersion();
test.runIf(version !== null)(
  'a file of Adjoint loads into PyTorch, and computes there what it does here',
  () => {
    manualSeed(1);
    const net = new Net().to('float64');
    for (const x of net.parameters()) noGrad(() => x.copy_(add(x, randn(x.shape, { dtype: 'float64' }))));
    net.eval();
    const output = noGrad(() => net.forward(tensors.tokens));
    const state = Object.entries(net.stateDict({ layout: 'pytorch' }));
    const named = Object.fromEntries(state.map(([name, x]) => [`model.${name}`, x]));
    const folder = mkdtempSync(join(tmpdir(), 'adjoint-torch-'));
    try {
      const file = join(folder, 'adjoint.safetensors');
      writeFileSync(file, serializeSafetensors({ ...named, tokens: tensors.tokens, output }));
      const told = execFileSync('/usr/bin/python3', [path('model.py'), 'check', file], { encoding: 'utf8' });
      expect(JSON.parse(told).difference).toBeLessThan(1e-12);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
