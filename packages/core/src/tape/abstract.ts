// Tensors without values: what ops give while a graph is traced. They have everything that shape rules, views and the tape
// ask for; whoever asks for their values gets an error that says what to do.

import type { NumericArray } from '@adjoint/kernels-cpu';
import { bytesPerElement, type DType } from '../dtype.ts';
import { TraceError } from '../errors.ts';
import type { ResultSpec } from '../record.ts';
import type { Op } from '../registry.ts';
import { rowMajorStrides, type Shape, sizeOf } from '../shape.ts';
import { type Storage, Tensor } from '../tensor.ts';
import { keptSpecs } from './keeping.ts';

/** Stands where an array would be, and knows how large it would be. */
export class AbstractStorage implements Storage {
  readonly hasValues = false;
  version = 0;
  lastMutation = '';
  holders = -1;
  /** Size in bytes of the array that there would be. */
  readonly bytes: number;

  constructor(bytes: number) {
    this.bytes = bytes;
  }

  /** @throws TraceError always. */
  get data(): NumericArray {
    throw new TraceError(
      'the values of a traced tensor were read, and it has none: it stands for a result that is computed when the graph runs. Read what graph.run(…) gives.',
      { op: 'trace', operand: 'data', expected: 'a tensor with values' },
    );
  }
}

/** A contiguous tensor without values. */
export function abstractTensor(shape: Shape, dtype: DType): Tensor {
  const storage = new AbstractStorage(sizeOf(shape) * bytesPerElement[dtype]);
  return new Tensor(storage, shape, rowMajorStrides(shape), 0, dtype);
}

/** What an op gives, and what it keeps for its derivative rules, without values: as the shape rule says. */
export function abstractResult<Attrs>(
  op: Op<Attrs>,
  operands: readonly Tensor[],
  attrs: Attrs,
  spec: ResultSpec,
): { readonly output: Tensor; readonly kept: readonly Tensor[] } {
  const { shape, dtype } = spec;
  if (op.view === null) {
    const kept = keptSpecs(op, spec).map((k) => abstractTensor(k.shape, k.dtype));
    return { output: abstractTensor(shape, dtype), kept };
  }
  const [x] = operands;
  const { strides, offset } = op.view(x, attrs, shape);
  return { output: new Tensor(x.storage, shape, strides, offset, dtype), kept: [] };
}
