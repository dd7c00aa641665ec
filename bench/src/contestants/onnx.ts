// ONNX Runtime, forward only: one node per case. The same for its two packages, which share an interface.

import type { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-node';
import type { CaseSpec, ConvCase, ConvTransposeCase } from '../cases.ts';
import { convOutput, convTransposeOutput } from '../cases.ts';
import { fill } from '../data.ts';
import type { Contestant, Prepared } from './contestant.ts';
import { encodeModel, type OneNode } from './onnx-model.ts';

/** What the two packages have in common. */
export interface Runtime {
  readonly createSession: (model: Uint8Array) => Promise<InferenceSession>;
  readonly tensor: (data: Float32Array, shape: readonly number[]) => OnnxTensor;
}

interface Model extends OneNode {
  readonly data: Readonly<Record<string, Float32Array>>;
}

type Inputs = Readonly<Record<string, readonly [seed: number, shape: readonly number[], scale?: number]>>;

function model(
  op: string,
  inputs: Inputs,
  output: readonly number[],
  attributes?: OneNode['attributes'],
): Model {
  const entries = Object.entries(inputs);
  return {
    op,
    output,
    inputs: Object.fromEntries(entries.map(([name, [, shape]]) => [name, shape])),
    data: Object.fromEntries(
      entries.map(([name, [seed, shape, scale]]) => [
        name,
        fill(
          seed,
          shape.reduce((product, size) => product * size, 1),
          scale,
        ),
      ]),
    ),
    ...(attributes === undefined ? {} : { attributes }),
  };
}

const twice = (value: number): number[] => [value, value];

function convModel(c: ConvCase): Model | null {
  if (c.pass !== 'forward') return null;
  const size = convOutput(c);
  return model(
    'Conv',
    {
      x: [1, [c.batch, c.inChannels, c.size, c.size]],
      w: [2, [c.outChannels, c.inChannels / c.groups, c.kernel, c.kernel]],
    },
    [c.batch, c.outChannels, size, size],
    {
      strides: twice(c.stride),
      pads: [...twice(c.padding), ...twice(c.padding)],
      group: c.groups,
      kernel_shape: twice(c.kernel),
    },
  );
}

function transposeModel(c: ConvTransposeCase): Model | null {
  if (c.pass !== 'forward') return null;
  const size = convTransposeOutput(c);
  return model(
    'ConvTranspose',
    {
      x: [1, [c.batch, c.inChannels, c.size, c.size]],
      w: [2, [c.inChannels, c.outChannels / c.groups, c.kernel, c.kernel]],
    },
    [c.batch, c.outChannels, size, size],
    {
      strides: twice(c.stride),
      pads: [...twice(c.padding), ...twice(c.padding)],
      output_padding: twice(c.outputPadding),
      dilations: twice(c.dilation),
      group: c.groups,
      kernel_shape: twice(c.kernel),
    },
  );
}

const functions: Readonly<Record<string, string>> = {
  relu: 'Relu',
  exp: 'Exp',
  tanh: 'Tanh',
  sigmoid: 'Sigmoid',
};

function modelOf(spec: CaseSpec): Model | null {
  switch (spec.kind) {
    case 'matmul':
      return model('MatMul', { a: [1, [spec.m, spec.k]], b: [2, [spec.k, spec.n]] }, [spec.m, spec.n]);
    case 'conv':
      return convModel(spec);
    case 'convTranspose':
      return transposeModel(spec);
    case 'elementwise': {
      const shape = [spec.rows, spec.columns];
      const b = spec.op === 'addRow' ? [spec.columns] : shape;
      if (spec.op === 'add' || spec.op === 'addRow')
        return model('Add', { a: [1, shape, 4], b: [2, b] }, shape);
      if (spec.op === 'mul') return model('Mul', { a: [1, shape, 4], b: [2, b] }, shape);
      return spec.op in functions ? model(functions[spec.op], { a: [1, shape, 4] }, shape) : null;
    }
    case 'rows': {
      if (spec.pass !== 'forward') return null;
      const shape = [spec.rows, spec.columns];
      if (spec.op === 'softmax') return model('Softmax', { x: [1, shape] }, shape, { axis: 1 });
      return model(
        'LayerNormalization',
        { x: [1, shape], w: [2, [spec.columns]], b: [3, [spec.columns]] },
        shape,
        { axis: 1, epsilon: { float: 1e-5 } },
      );
    }
    case 'images': {
      if (spec.pass !== 'forward' || spec.op === 'batchNorm') return null;
      const { batch, channels, size } = spec;
      return model(
        spec.op === 'maxPool' ? 'MaxPool' : 'AveragePool',
        { x: [1, [batch, channels, size, size]] },
        [batch, channels, size / 2, size / 2],
        { kernel_shape: [2, 2], strides: [2, 2] },
      );
    }
    default:
      return null;
  }
}

/** A contestant from one of the packages. */
export function onnx(description: string, { createSession, tensor }: Runtime): Contestant {
  return {
    describe: () => description,
    async prepare(spec): Promise<Prepared | null> {
      const one = modelOf(spec);
      if (one === null) return null;
      const session = await createSession(encodeModel(one));
      const feeds = Object.fromEntries(
        Object.entries(one.inputs).map(([name, shape]) => [name, tensor(one.data[name], shape)]),
      );
      return {
        run: async () => {
          await session.run(feeds);
        },
        results: async () => [(await session.run(feeds)).y.data as Float32Array],
        release: () => void session.release(),
      };
    },
  };
}
