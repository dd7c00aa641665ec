// TensorFlow.js on its wasm backend. Images and filters are in its own layout (N, H, W, C), turned before and after, unmeasured.

import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { getThreadsCount, setThreadsCount, setWasmPaths, version_wasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type {
  CaseSpec,
  ConvCase,
  ConvTransposeCase,
  ElementwiseCase,
  ImagesCase,
  ReduceCase,
} from '../cases.ts';
import { convOutput, convTransposeOutput } from '../cases.ts';
import { fill } from '../data.ts';
import type { Contestant, Prepared } from './contestant.ts';

function values(seed: number, shape: number[], scale = 1): tf.Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return tf.tensor(fill(seed, count, scale), shape);
}

/** PyTorch's images or filters in the order of `axes`; the turned tensor is kept. */
function turned(seed: number, shape: number[], axes: number[]): tf.Tensor4D {
  return tf.keep(tf.tidy(() => tf.transpose(values(seed, shape), axes))) as tf.Tensor4D;
}

const toLast = [0, 2, 3, 1];
const toFirst = [0, 3, 1, 2];

function prepared(run: () => tf.Tensor, back?: number[]): Prepared {
  return {
    run: () => {
      const result = run();
      result.dispose();
    },
    results: () => {
      const flat = tf.tidy(() => {
        const result = run();
        return (back === undefined ? result : tf.transpose(result, back)).dataSync();
      });
      return [flat];
    },
  };
}

function prepareConv(c: ConvCase): Prepared | null {
  // It has no kernel for the gradient of the weight, and none for groups but those of depthwise convolution.
  const depthwise = c.groups === c.inChannels && c.groups === c.outChannels;
  if (c.pass === 'weightGrad' || (c.groups !== 1 && !(depthwise && c.pass === 'forward'))) return null;
  const size = convOutput(c);
  const shape: [number, number, number, number] = [c.batch, c.size, c.size, c.inChannels];
  const w = turned(
    2,
    [c.outChannels, c.inChannels / c.groups, c.kernel, c.kernel],
    depthwise ? [2, 3, 0, 1] : [2, 3, 1, 0],
  );
  if (c.pass === 'forward') {
    const x = turned(1, [c.batch, c.inChannels, c.size, c.size], toLast);
    const run = depthwise
      ? () => tf.depthwiseConv2d(x, w, c.stride, c.padding)
      : () => tf.conv2d(x, w, c.stride, c.padding, 'NHWC', 1, 'floor');
    return prepared(run, toFirst);
  }
  const y = turned(3, [c.batch, c.outChannels, size, size], toLast);
  return prepared(() => tf.conv2dTranspose(y, w, shape, c.stride, c.padding, 'floor'), toFirst);
}

function prepareTranspose(c: ConvTransposeCase): Prepared | null {
  if (c.pass !== 'forward' || c.groups !== 1 || c.dilation !== 1) return null;
  const size = convTransposeOutput(c);
  const x = turned(1, [c.batch, c.inChannels, c.size, c.size], toLast);
  const w = turned(2, [c.inChannels, c.outChannels, c.kernel, c.kernel], [2, 3, 1, 0]);
  const shape: [number, number, number, number] = [c.batch, size, size, c.outChannels];
  return prepared(() => tf.conv2dTranspose(x, w, shape, c.stride, c.padding, 'floor'), toFirst);
}

const functions = { relu: tf.relu, exp: tf.exp, log: tf.log, tanh: tf.tanh, sigmoid: tf.sigmoid } as const;

function prepareElementwise({ op, rows, columns }: ElementwiseCase): Prepared | null {
  if (op === 'gelu') return null;
  const a = op === 'log' ? tf.add(values(1, [rows, columns]), 1.5) : values(1, [rows, columns], 4);
  const b = op === 'addRow' ? values(2, [columns]) : values(2, [rows, columns]);
  if (op === 'add' || op === 'addRow') return prepared(() => tf.add(a, b));
  if (op === 'mul') return prepared(() => tf.mul(a, b));
  const f = functions[op];
  return prepared(() => f(a));
}

function prepareReduce({ op, rows, columns }: ReduceCase): Prepared {
  const x = values(1, [rows, columns]);
  if (op === 'sumAll') return prepared(() => tf.sum(x));
  if (op === 'maxColumns') return prepared(() => tf.max(x, 1));
  return prepared(() => tf.sum(x, op === 'sumRows' ? 0 : 1));
}

function prepareImages({ op, pass, batch, channels, size }: ImagesCase): Prepared | null {
  if (pass !== 'forward' || op === 'batchNorm') return null;
  const x = turned(1, [batch, channels, size, size], toLast);
  return prepared(op === 'maxPool' ? () => tf.maxPool(x, 2, 2, 0) : () => tf.avgPool(x, 2, 2, 0), toFirst);
}

function prepare(spec: CaseSpec): Prepared | null {
  switch (spec.kind) {
    case 'matmul': {
      const [a, b] = [values(1, [spec.m, spec.k]), values(2, [spec.k, spec.n])] as tf.Tensor2D[];
      return prepared(() => tf.matMul(a, b));
    }
    case 'conv':
      return prepareConv(spec);
    case 'convTranspose':
      return prepareTranspose(spec);
    case 'elementwise':
      return prepareElementwise(spec);
    case 'reduce':
      return prepareReduce(spec);
    case 'rows': {
      if (spec.pass !== 'forward' || spec.op !== 'softmax') return null;
      const x = values(1, [spec.rows, spec.columns]);
      return prepared(() => tf.softmax(x, 1));
    }
    case 'images':
      return prepareImages(spec);
    default:
      return null;
  }
}

/** Its wasm backend. It keeps threads from Node by a flag, which is lifted here; its workers get what they miss in Node. */
export async function open(threads: number): Promise<Contestant> {
  const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(dirname(main) + sep);
  if (threads > 1) {
    createRequire(import.meta.url)('./tfjs-workers.cjs');
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', true);
    setThreadsCount(threads);
  }
  if (!(await tf.setBackend('wasm'))) throw new Error('its wasm backend did not start');
  const prepareScoped = (spec: CaseSpec): Prepared | null => {
    // What a case makes lives until the next one.
    tf.engine().endScope();
    tf.engine().startScope();
    return prepare(spec);
  };
  tf.engine().startScope();
  // It says how many threads it has only once they run.
  if (threads > 1 && getThreadsCount() !== threads)
    throw new Error(`it runs on ${getThreadsCount()} threads, not on ${threads}`);
  return { describe: () => `TensorFlow.js ${version_wasm}, wasm`, prepare: prepareScoped };
}
