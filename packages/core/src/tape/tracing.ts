// Whether ops compute or are only noted down: the switch that `trace` turns, and who is told while it is on.
//
// While it is on, an op runs its shape rule and nothing else; its result has no values (./abstract.ts). What goes on beside
// ops (tensors made of numbers, changes in place, values read) passes through here, so that a trace misses none of it.

import type { DType } from '../dtype.ts';
import type { Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { type Observer, observeAlone } from './observer.ts';

/** Makes a tensor by work that is no op: from numbers, or from the values of tensors through which no gradient flows. */
export type Maker = (operands: readonly Tensor[]) => Tensor;

/** Who writes a graph down while it is traced. Ops are reported to it as to any observer, and before all others. */
export interface Tracer extends Observer {
  /** Stands in for the tensor that `make` would make; `make` runs when the graph does. */
  makes(
    name: string,
    operands: readonly Tensor[],
    spec: { readonly shape: Shape; readonly dtype: DType },
    make: Maker,
  ): Tensor;
  /** `target` is to be overwritten with `values`, which have its shape and dtype. */
  writes(op: string, target: Tensor, values: Tensor): void;
  /** Throws if the tensor has no values now, or others than it would have when the graph runs. */
  reads(op: string, tensor: Tensor): void;
  /** Throws: `op` does what no graph can repeat. */
  refuses(op: string, what: string): never;
}

/** The running trace; the tape looks here once per op. Only {@link underTracer} writes it. */
export const tracing: { current: Tracer | null } = { current: null };

/** Runs `fn` with ops that compute nothing and are reported to `tracer`. */
export function underTracer<T>(tracer: Tracer, fn: () => T): T {
  const outer = tracing.current;
  tracing.current = tracer;
  try {
    return observeAlone(tracer, fn);
  } finally {
    tracing.current = outer;
  }
}

/**
 * Makes a tensor by work that is no op: at once, or, in a trace, each time its graph runs. For whatever makes tensors of
 * numbers: constants, random draws.
 *
 * @param spec shape and dtype of what is made, known before.
 */
export function makeTensor(
  name: string,
  operands: readonly Tensor[],
  spec: { readonly shape: Shape; readonly dtype: DType },
  make: Maker,
): Tensor {
  return tracing.current === null ? make(operands) : tracing.current.makes(name, operands, spec, make);
}
