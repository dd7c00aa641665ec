// Writes down what a function does while it is traced: the steps of the graph.
//
// Tensors are told apart by identity. One that no step has given is a tensor from outside, which becomes a constant of the
// graph, or another look at a value of the trace (detach), which is found by its place in the same storage.

import type { DType } from '../dtype.ts';
import { formatShape, TraceError } from '../errors.ts';
import { type Shape, sameShape } from '../shape.ts';
import { AbstractStorage, abstractTensor } from '../tape/abstract.ts';
import { gradMode } from '../tape/mode.ts';
import type { OpRun } from '../tape/observer.ts';
import type { Maker, Tracer } from '../tape/tracing.ts';
import type { Storage, Tensor } from '../tensor.ts';
import type { Step } from './steps.ts';

/** The tracer that {@link trace} runs a function under. */
export class Recorder implements Tracer {
  readonly #steps: Step[] = [];
  /** The tensor of each step, in their order. */
  readonly #tensors: Tensor[] = [];
  readonly #known = new Map<Tensor, number>();
  readonly #views = new Map<Storage, number[]>();
  readonly #kept = new Map<Tensor, { readonly of: number; readonly slot: number }>();
  readonly #saved = new Set<Storage>();
  /** Storages from outside whose values the function has read, and those that it has changed. */
  readonly #read = new Set<Storage>();
  readonly #written = new Set<Storage>();

  /** Adds an input, and gives the tensor that stands for it. */
  input(name: string, shape: Shape, dtype: DType): Tensor {
    const tensor = abstractTensor(shape, dtype);
    this.#add(tensor, { kind: 'input', name, shape, dtype });
    return tensor;
  }

  opRan({ op, operands, attrs, output, slot }: OpRun): void {
    const { shape, dtype } = output;
    const ids = operands.map((operand, i) => this.idOf(operand, op.name, op.operandName(i)));
    const step = { kind: 'op', op, attrs, operands: ids, shape, dtype } as const;
    const id = this.#add(output, { ...step, gradEnabled: gradMode.enabled, bytesSaved: 0 });
    for (let k = 0; k < op.keeps.length; k++) {
      const place = op.operands.length + 1 + k;
      this.#kept.set(slot(place), { of: id, slot: place });
    }
  }

  makes(
    label: string,
    operands: readonly Tensor[],
    { shape, dtype }: { readonly shape: Shape; readonly dtype: DType },
    make: Maker,
  ): Tensor {
    const ids = operands.map((operand, i) => this.idOf(operand, label, `operand ${i}`));
    const tensor = abstractTensor(shape, dtype);
    this.#add(tensor, { kind: 'made', label, operands: ids, shape, dtype, make, requiresGrad: false });
    return tensor;
  }

  writes(label: string, target: Tensor, values: Tensor): void {
    const operands = [this.idOf(target, label, 'target'), this.idOf(values, label, 'values')] as const;
    const { shape, dtype, storage } = target;
    // No tensor comes of it: the target has the values from here on.
    this.#steps.push({ kind: 'write', label, operands, shape, dtype, gradEnabled: gradMode.enabled });
    this.#tensors.push(target);
    if (storage.hasValues) {
      if (this.#read.has(storage)) throw readBefore(label, target);
      this.#written.add(storage);
    } else {
      storage.version++;
      storage.lastMutation = label;
    }
  }

  reads(op: string, tensor: Tensor): void {
    const shape = formatShape(tensor.shape);
    if (!tensor.storage.hasValues) {
      throw new TraceError(
        `the values of a tensor of shape ${shape} were read while a graph is traced, and it has none: nothing is computed. ` +
          'Compute with ops instead (where in place of if); for what needs values (item, toArray, maskedSelect, nonzero, …) let the function return the tensor and go on outside.',
        {
          op,
          operand: 'tensor',
          actual: tensor.shape,
          expected: 'a tensor from outside of the traced function',
        },
      );
    }
    if (this.#written.has(tensor.storage)) {
      throw new TraceError(
        `the tensor of shape ${shape} was changed in place earlier in the traced function, and its new values are computed when the graph runs only; read it before the change, or outside.`,
        {
          op,
          operand: 'tensor',
          actual: tensor.shape,
          expected: 'a tensor that the function has not changed',
        },
      );
    }
    this.#read.add(tensor.storage);
  }

  refuses(op: string, what: string): never {
    throw new TraceError(
      `it ${what}. A traced function is written down to be run later, and this cannot be.`,
      {
        op,
        operand: 'trace',
      },
    );
  }

  /**
   * The step that gives `tensor`.
   *
   * @throws TraceError if it stands for a value of another trace.
   */
  idOf(tensor: Tensor, op: string, operand: string): number {
    const known = this.#known.get(tensor);
    if (known !== undefined) return known;
    const { shape, dtype } = tensor;
    const kept = this.#kept.get(tensor);
    if (kept !== undefined) {
      return this.#add(tensor, { kind: 'kept', operands: [kept.of], slot: kept.slot, shape, dtype });
    }
    if (tensor.storage.hasValues) return this.#add(tensor, { kind: 'captured', tensor, shape, dtype });
    const source = this.#views.get(tensor.storage)?.find((id) => sameView(this.#tensors[id], tensor));
    if (source === undefined) throw foreignError(op, operand, tensor);
    return this.#add(tensor, { kind: 'detach', operands: [source], shape, dtype, requiresGrad: false });
  }

  /** The steps, once the function has returned. */
  finish(): readonly Step[] {
    return this.#steps.map((step, id): Step => {
      const { node } = this.#tensors[id];
      switch (step.kind) {
        case 'op':
          return node === null ? step : { ...step, bytesSaved: this.#newBytes(node.savedTensors) };
        case 'made':
        case 'detach':
          return { ...step, requiresGrad: node !== null && node.leaf !== null };
        default:
          return step;
      }
    });
  }

  #add(tensor: Tensor, step: Step): number {
    const id = this.#steps.push(step) - 1;
    this.#tensors.push(tensor);
    this.#known.set(tensor, id);
    const views = this.#views.get(tensor.storage);
    if (views === undefined) this.#views.set(tensor.storage, [id]);
    else views.push(id);
    return id;
  }

  // What a saved tensor keeps alive is its whole storage, once; those from outside are alive anyway.
  #newBytes(saved: readonly Tensor[]): number {
    let bytes = 0;
    for (const { storage } of saved) {
      if (!(storage instanceof AbstractStorage) || this.#saved.has(storage)) continue;
      this.#saved.add(storage);
      bytes += storage.bytes;
    }
    return bytes;
  }
}

function sameView(a: Tensor, b: Tensor): boolean {
  return a.offset === b.offset && sameShape(a.shape, b.shape) && sameShape(a.strides, b.strides);
}

function readBefore(op: string, target: Tensor): TraceError {
  return new TraceError(
    `the tensor of shape ${formatShape(target.shape)} is changed in place, and its values were read earlier in the traced function: what was decided by them is decided once, while they would change in each run. Decide it outside, or compute with ops.`,
    { op, operand: 'target', expected: 'a tensor whose values were not read' },
  );
}

function foreignError(op: string, operand: string, tensor: Tensor): TraceError {
  return new TraceError(
    `${operand} of shape ${formatShape(tensor.shape)} stands for a value of another trace; a traced function takes such tensors as inputs, not from outside.`,
    { op, operand, actual: tensor.shape, expected: 'a tensor of this trace, or one with values' },
  );
}
