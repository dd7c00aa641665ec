// ONNX Runtime's WebAssembly package.

import { env, InferenceSession, Tensor } from 'onnxruntime-web';
import type { Contestant } from './contestant.ts';
import { onnx } from './onnx.ts';

/** On its wasm provider. */
export function open(threads: number): Contestant {
  env.wasm.numThreads = threads;
  return onnx(`ONNX Runtime ${env.versions.web}, wasm`, {
    createSession: (model) => InferenceSession.create(model, { executionProviders: ['wasm'] }),
    tensor: (data, shape) => new Tensor('float32', data, shape),
  });
}
