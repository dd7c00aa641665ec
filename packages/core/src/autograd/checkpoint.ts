// Checkpointing: a part of a graph that keeps none of its intermediate results, and runs again when backward needs them.
//
// The nodes are recorded as ever; only what they would save is dropped, and handed back by a second run that records its
// own graph over the same inputs. So parameters that the function captures get their gradients, and derivatives of higher
// order go through the second graph. (PyTorch's `use_reentrant=False`.)

import { GradientError, MutationError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { defaultGenerator, type Generator, type GeneratorState } from '../random/generator.ts';
import type { AnyOp } from '../registry.ts';
import { enableGrad, gradMode } from '../tape/mode.ts';
import type { Node } from '../tape/node.ts';
import { type OpRun, observe } from '../tape/observer.ts';
import { withSaver } from '../tape/saving.ts';
import { tracing } from '../tape/tracing.ts';
import type { Storage, Tensor } from '../tensor.ts';
import { listOf, requireCurried, type TensorFunction, type Tensors } from './variables.ts';

/** Options of {@link checkpoint}. */
export interface CheckpointOptions {
  /** The generators that the function draws from; set back for the second run. Default: the default generator. */
  readonly generators?: readonly Generator[] | undefined;
}

/**
 * Wraps a function so that backward computes its intermediate results again instead of keeping them: time for memory.
 * PyTorch's `torch.utils.checkpoint.checkpoint` (without reentrance).
 *
 * The function runs again with the same inputs and the same random numbers. It must do the same ops again; other effects
 * it has (printing, updating statistics) happen twice. What it keeps alive is its inputs and what it captures.
 *
 * @throws MutationError in backward if an input or a captured tensor was changed in place since; GradientError if the
 *   second run does other ops than the first.
 * @example
 * const block = checkpoint((x) => mul(mul(x, x), x));
 * const x = tensor([1, 2], { requiresGrad: true });
 * grad(sum(block(x)), x).toArray(); // [3, 12]
 */
export function checkpoint<R extends Tensors>(
  fn: TensorFunction<R>,
  options: CheckpointOptions = noOptions,
): TensorFunction<R> {
  requireCurried('checkpoint', options);
  requireOptions('checkpoint', options, { generators: 'list' });
  const { generators = [defaultGenerator] } = options;
  // A traced graph runs without this function, and saves what its ops save.
  return (...inputs) =>
    gradMode.enabled && tracing.current === null
      ? new Segment(() => fn(...inputs), generators).run()
      : fn(...inputs);
}

/** One run of a checkpointed function. */
class Segment<R extends Tensors> {
  private readonly fn: () => R;
  private readonly generators: readonly Generator[];
  private readonly states: readonly GeneratorState[];
  private readonly nodes: Node[] = [];
  private readonly sources = new Sources();

  constructor(fn: () => R, generators: readonly Generator[]) {
    this.fn = fn;
    this.generators = generators;
    this.states = generators.map((generator) => generator.getState());
  }

  run(): R {
    const restore = (): void => this.restore();
    const result = withSaver(
      (node, tensors) => {
        this.nodes.push(node);
        node.defer(tensors, restore);
      },
      () => observe({ opRan: (run) => this.sources.note(run) }, this.fn),
    );
    listOf(result, 'checkpoint', "the function's result");
    return result;
  }

  private restore(): void {
    const found: { op: AnyOp; tensors: (Tensor | null)[] }[] = [];
    const later = this.generators.map((generator) => generator.getState());
    this.generators.forEach((generator, i) => {
      generator.setState(this.states[i]);
    });
    try {
      withSaver(
        (node, tensors) => {
          node.save(tensors);
          found.push({ op: node.op!, tensors });
        },
        () => observe({ opRan: (run) => this.sources.requireUnchanged(run) }, () => enableGrad(this.fn)),
      );
    } finally {
      this.generators.forEach((generator, i) => {
        generator.setState(later[i]);
      });
    }
    this.nodes.forEach((node, i) => {
      if (found[i]?.op !== node.op) throw changedError(i, node.op!, found[i]?.op);
    });
    if (found.length > this.nodes.length) {
      throw changedError(this.nodes.length, null, found[this.nodes.length].op);
    }
    this.nodes.forEach((node, i) => {
      node.restore(found[i].tensors);
    });
  }
}

/**
 * What a function read in its first run. What it reads again in the second is what it did not compute itself: that must
 * not have changed in between.
 */
class Sources {
  private readonly versions = new WeakMap<Storage, number>();

  note({ operands }: OpRun): void {
    // What runs under noGrad is no part of what is differentiated; statistics may be updated there.
    if (!gradMode.enabled) return;
    for (const { storage } of operands) {
      if (!this.versions.has(storage)) this.versions.set(storage, storage.version);
    }
  }

  requireUnchanged({ op, operands }: OpRun): void {
    if (!gradMode.enabled) return;
    for (const { storage } of operands) {
      const version = this.versions.get(storage) ?? storage.version;
      if (storage.version === version) continue;
      throw new MutationError(
        `'${op.name}' inside the checkpointed function read a tensor at version ${version}, and '${storage.lastMutation}' has since changed it in place (now version ${storage.version}); run backward before the change.`,
        { op: 'checkpoint', operand: op.name, actual: storage.version, expected: `version ${version}` },
      );
    }
  }
}

function changedError(index: number, first: AnyOp | null, second: AnyOp | undefined): GradientError {
  const name = (op: AnyOp | null | undefined): string => (op ? `'${op.name}'` : 'nothing');
  return new GradientError(
    `step ${index} of the checkpointed function was ${name(first)} in the first run and ${name(second)} in the second; it must do the same each time: name the generators it draws from, and keep state out of it.`,
    {
      op: 'checkpoint',
      operand: 'fn',
      actual: second?.name,
      expected: first?.name ?? 'nothing',
    },
  );
}
