// Module: a plain class whose fields are its parts. What is registered is found by walking the fields, so no list is kept
// beside them that could be stale.

import {
  ArgumentError,
  cast,
  type FloatDType,
  isFloat,
  noGrad,
  quote,
  requireFunction,
  Tensor,
} from '@adjoint/core';
import { describeModule } from './describe.ts';
import {
  addForwardHook,
  addForwardPreHook,
  type ForwardHook,
  type ForwardPreHook,
  type HookHandle,
} from './hooks.ts';
import { Buffer, Parameter } from './parameter.ts';
import {
  type LoadOptions,
  type LoadReport,
  loadState,
  type StateDict,
  type StateOptions,
  saveState,
} from './state.ts';
import { distinct, type Held, membersOf, pathBelow, placedModules } from './tree.ts';

/** A part of a module: its name within the module (for an element of an array, `field.index`), and a way to exchange it. */
export type Member<T = Module | Parameter | Buffer> = Held<T>;

/** A parameter or buffer in a tree of modules: its path from the root, and the module that owns it. */
export interface PlacedTensor {
  /** Names from the root on, joined by dots. */
  readonly path: string;
  /** The module in whose field it stands. */
  readonly owner: Module;
  /** Its place in the owner: name, value, and a way to exchange it. */
  readonly member: Member<Parameter | Buffer>;
}

/**
 * The base of everything that has parameters. PyTorch's `nn.Module`.
 *
 * Write a class with a `forward` method. A {@link Module}, {@link Parameter} or {@link Buffer} assigned to a field is
 * registered under the field's name; so is one in an array in a field, under `field.index`. Fields with `#` are not
 * registered, nor are plain tensors, nor what a plain object or a Map holds: for modules by name there is `ModuleDict`.
 *
 * @example
 * class Net extends Module {
 *   readonly hidden = new Linear(784, 100);
 *   readonly output = new Linear(100, 10);
 *   forward(x: Tensor): Tensor {
 *     return this.output.forward(relu(this.hidden.forward(x)));
 *   }
 * }
 * new Net().namedParameters().map(([name]) => name);
 * // ['hidden.weight', 'hidden.bias', 'output.weight', 'output.bias']
 */
export abstract class Module {
  /** Whether the module is being trained; dropout and batch norm look at it. Set by `train()` and `eval()`. */
  training = true;

  /** Computes the module's output. */
  abstract forward(...inputs: never[]): unknown;

  /** The fields that may hold parts; a container that keeps them elsewhere overrides this. */
  protected fields(): Iterable<readonly [string, unknown]> {
    return Object.entries(this);
  }

  /** The module's own parts, in the order of its fields; not those of its children. */
  *ownMembers(): Generator<Member> {
    yield* membersOf(this.fields(), this, isMember);
  }

  /** The modules in the module's own fields, with their names. */
  namedChildren(): [string, Module][] {
    const children: [string, Module][] = [];
    for (const { name, value } of this.ownMembers())
      if (value instanceof Module) children.push([name, value]);
    return children;
  }

  /** The modules in the module's own fields. */
  children(): Module[] {
    return this.namedChildren().map(([, module]) => module);
  }

  /** This module and all below it, each once, with their paths; parents first. The path of this module is ''. */
  namedModules(): [string, Module][] {
    return distinct(Array.from(placedModules<Module>(this), ({ path, module }) => [path, module]));
  }

  /** This module and all below it, each once. */
  modules(): Module[] {
    return this.namedModules().map(([, module]) => module);
  }

  /** The parameters of this module and all below it, each once, with their paths. */
  namedParameters(): [string, Parameter][] {
    return distinct(
      this.placedTensors().flatMap(({ path, member }) =>
        member.value instanceof Parameter ? [[path, member.value]] : [],
      ),
    );
  }

  /** The parameters of this module and all below it, each once: what an optimiser takes. */
  parameters(): Parameter[] {
    return this.namedParameters().map(([, parameter]) => parameter);
  }

  /** The buffers of this module and all below it, each once, with their paths. */
  namedBuffers(): [string, Buffer][] {
    return distinct(
      this.placedTensors().flatMap(({ path, member }) =>
        member.value instanceof Buffer ? [[path, member.value]] : [],
      ),
    );
  }

  /** The buffers of this module and all below it, each once. */
  buffers(): Buffer[] {
    return this.namedBuffers().map(([, buffer]) => buffer);
  }

  /** Every place in the tree that holds a parameter or buffer; a tensor that is shared comes once per place. */
  placedTensors(): PlacedTensor[] {
    const placed: PlacedTensor[] = [];
    for (const { path, module } of placedModules<Module>(this)) {
      for (const member of module.ownMembers()) {
        if (member.value instanceof Module) continue;
        placed.push({
          path: pathBelow(path, member.name),
          owner: module,
          member: member as Member<Parameter | Buffer>,
        });
      }
    }
    return placed;
  }

  /** Calls `fn` once on every module of the tree, children before parents. PyTorch's `Module.apply`. */
  apply(fn: (module: Module) => void): this {
    requireFunction('Module.apply', 'fn', fn, '(module) => …');
    const visited = new Set<Module>();
    const visit = (module: Module): void => {
      if (visited.has(module)) return;
      visited.add(module);
      module.children().forEach(visit);
      fn(module);
    };
    visit(this);
    return this;
  }

  /**
   * Puts the module and all below it into training mode.
   *
   * @throws ArgumentError for an argument: PyTorch's `train(False)` is `eval()`.
   */
  train(...mode: readonly never[]): this {
    if (mode.length > 0) {
      throw new ArgumentError(
        `it takes no argument, and was given ${quote(mode[0])}; for evaluation write eval().`,
        {
          op: 'train',
          operand: 'mode',
          actual: mode[0],
          expected: 'no argument',
        },
      );
    }
    for (const module of this.modules()) module.training = true;
    return this;
  }

  /** Puts the module and all below it into evaluation mode: no dropout, running statistics in batch norm. */
  eval(): this {
    for (const module of this.modules()) module.training = false;
    return this;
  }

  /** Stops the parameters of the module and all below it from collecting gradients. */
  freeze(): this {
    for (const parameter of this.parameters()) parameter.requiresGrad = false;
    return this;
  }

  /** Lets the parameters of the module and all below it collect gradients again. */
  unfreeze(): this {
    for (const parameter of this.parameters()) parameter.requiresGrad = true;
    return this;
  }

  /** Forgets the gradients of all parameters: their `grad` becomes null. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = null;
  }

  /**
   * Converts all floating-point parameters and buffers to `dtype`.
   *
   * They are exchanged for new tensors, without gradients. Convert before an optimiser is made: one that holds the old
   * parameters says so at its next step.
   */
  to(dtype: FloatDType): this {
    const converted = new Map<Parameter | Buffer, Parameter | Buffer>();
    for (const { member } of this.placedTensors()) {
      const old = member.value;
      if (!isFloat(old.dtype) || old.dtype === dtype) continue;
      const next = converted.get(old) ?? convert(old, dtype);
      converted.set(old, next);
      member.replace(next);
    }
    return this;
  }

  /**
   * The values of all parameters and persistent buffers by path. PyTorch's `state_dict`.
   *
   * As there, the tensors share the module's arrays: what training changes later, it changes here too. `clone` what is to be
   * kept. A tensor that stands in two places comes under both paths.
   */
  stateDict(options: StateOptions = {}): StateDict {
    return saveState(this, options);
  }

  /**
   * Copies values into the parameters and buffers, converting their dtype. PyTorch's `load_state_dict`.
   *
   * Names and shapes may be the module's own or those that PyTorch gives its twin: `running_mean` for `runningMean`, bias
   * (out) for (1, out, 1, 1), grouped convolution weights with four axes for five.
   *
   * @returns the keys that were missing or unexpected, where `strict` is false.
   * @throws StateDictError that lists all missing, unexpected and mis-shaped keys at once; nothing is changed then.
   */
  loadStateDict(state: StateDict, options: LoadOptions = {}): LoadReport {
    return loadState(this, state, options);
  }

  /**
   * The shape that PyTorch gives the tensor in the field `name`, where it holds the same memory under another shape than
   * here; layers whose layouts differ override this.
   */
  torchShape(_name: string): readonly number[] | null {
    return null;
  }

  /**
   * Calls `hook` after each `forward` of this module; what it returns, if not undefined, replaces the output.
   *
   * @example
   * const layer = new Linear(4, 2);
   * const handle = layer.registerForwardHook((module, inputs, output) => {
   *   console.log(output.shape);
   * });
   * handle.remove();
   */
  registerForwardHook<M extends Module>(this: M, hook: ForwardHook<M>): HookHandle {
    return addForwardHook(this, hook);
  }

  /** Calls `hook` before each `forward` of this module; a list that it returns replaces the inputs. */
  registerForwardPreHook<M extends Module>(this: M, hook: ForwardPreHook<M>): HookHandle {
    return addForwardPreHook(this, hook);
  }

  /** The options that tell this module from others of its class, as `toString` shows them. */
  extraRepr(): string {
    return '';
  }

  /** The tree of modules with options, shapes and numbers of parameters. */
  toString(): string {
    return describeModule(this);
  }

  /** What `console.log` and `util.inspect` show in Node. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return describeModule(this);
  }
}

/** A module that maps one tensor to one tensor: what can stand in a `Sequential`. */
export type UnaryModule = Module & { forward(x: Tensor): Tensor };

/** What stands in the place of parameters and buffers while a module is called by `functionalCall`. */
export const standIns = new Set<Tensor>();

function isMember(value: unknown): value is Member['value'] {
  if (value instanceof Module || value instanceof Parameter || value instanceof Buffer) return true;
  return value instanceof Tensor && standIns.has(value);
}

function convert(old: Parameter | Buffer, dtype: FloatDType): Parameter | Buffer {
  const values = noGrad(() => cast(old, dtype));
  if (old instanceof Buffer) return new Buffer(values, { persistent: old.persistent });
  old.replacement = new Parameter(values, { requiresGrad: old.requiresGrad });
  return old.replacement;
}
