// ONNX Runtime's native package.

import { createRequire } from 'node:module';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Contestant } from './contestant.ts';
import { onnx } from './onnx.ts';

const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };

/** On its CPU provider. */
export function open(threads: number): Contestant {
  return onnx(`ONNX Runtime ${version}, native`, {
    createSession: (model) =>
      InferenceSession.create(model, {
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionProviders: ['cpu'],
      }),
    tensor: (data, shape) => new Tensor('float32', data, shape),
  });
}
