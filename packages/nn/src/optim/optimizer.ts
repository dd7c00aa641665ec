// What every optimiser shares: groups of parameters with their options, state per parameter, and the loop of a step.

import {
  AdjointError,
  ArgumentError,
  computeDType,
  describeValue,
  enableGrad,
  formatShape,
  modify_,
  noGrad,
  type OptionKind,
  requireArgument,
  requireOptions,
  ShapeError,
  Tensor,
} from '@adjoint/core';
import { Parameter } from '../module/parameter.ts';
import type { BaseOptions, Group, ParamGroup, ParamInput } from './groups.ts';
import { type FloatValues, ParamState } from './param-state.ts';
import { loadOptimizerState, type OptimizerState, saveOptimizerState, type TensorSpec } from './state.ts';

export type { BaseOptions, Group, ParamGroup, ParamInput } from './groups.ts';

/** What an optimiser sees of one parameter in a step. */
export interface Update<Options> {
  /** The parameter's values, in row-major order, to be overwritten. */
  readonly values: FloatValues;
  /** The loss's gradient in them, in the same order. */
  readonly gradient: FloatValues;
  /** The parameter's shape. */
  readonly shape: readonly number[];
  /** What is kept of the parameter between steps. */
  readonly state: ParamState;
  /** The group that the parameter is of: its options. */
  readonly group: Group<Options>;
}

/**
 * The base of all optimisers. PyTorch's `torch.optim.Optimizer`.
 *
 * It takes parameters, and other leaves that require a gradient: the pixels of a picture, the unknowns of an equation.
 *
 * An optimiser of your own says how the values of one parameter move.
 *
 * @example
 * class SignDescent extends Optimizer<BaseOptions> {
 *   constructor(params: ParamInput<BaseOptions>, options: Partial<BaseOptions> = {}) {
 *     super('SignDescent', params, { lr: 0.01 }, options);
 *   }
 *   protected check(): void {}
 *   protected update({ values, gradient, group }: Update<BaseOptions>): void {
 *     for (let i = 0; i < values.length; i++) values[i] -= group.lr * Math.sign(gradient[i]);
 *   }
 * }
 */
export abstract class Optimizer<Options extends BaseOptions> {
  /** The optimiser's name: that of its class. */
  readonly name: string;
  /** Groups of parameters with their options. */
  readonly groups: Group<Options>[] = [];
  /** What is kept per parameter; a parameter appears with its first step. */
  readonly state: Map<Tensor, ParamState> = new Map();
  readonly #defaults: Options;

  /**
   * @throws ArgumentError if there are no parameters, one is given twice or is no leaf, or an option is illegal or unknown.
   */
  constructor(
    name: string,
    params: ParamInput<Options>,
    defaults: Options,
    options: Partial<Readonly<Options>>,
  ) {
    this.name = name;
    requireArgument(name, 'defaults', defaults, Object);
    this.#defaults = this.#complete(defaults, options);
    this.check(this.#defaults);
    requireList(name, params);
    const given = [...params] as (Tensor | ParamGroup<Options>)[];
    if (given.length === 0) {
      throw new ArgumentError('there are no parameters; pass model.parameters(), or groups { params, … }.', {
        op: name,
        operand: 'params',
        actual: 0,
        expected: 'at least one parameter',
      });
    }
    const isGroup = (item: Tensor | ParamGroup<Options>): item is ParamGroup<Options> =>
      typeof item === 'object' && item !== null && 'params' in item;
    if (given.every(isGroup)) for (const group of given) this.addGroup(group);
    else this.addGroup({ params: given } as unknown as ParamGroup<Options>);
  }

  /** Overwrites the values of one parameter. */
  protected abstract update(update: Update<Options>): void;

  /** Throws for options that mean nothing. */
  protected abstract check(options: Readonly<Options>): void;

  /**
   * Adds a group of parameters, for instance when a frozen layer joins the training.
   *
   * @throws ArgumentError as the constructor does; the optimiser is then unchanged.
   */
  addGroup(group: ParamGroup<Options>): void {
    requireArgument(this.name, 'group', group, Object);
    const { params, ...own } = group as { readonly params: Iterable<Tensor> } & Readonly<
      Record<string, unknown>
    >;
    requireList(this.name, params);
    const options = this.#complete(this.#defaults, own);
    this.check(options);
    const list = [...params];
    const seen = new Set(this.groups.flatMap((other) => other.params));
    list.forEach((parameter, i) => {
      requireMovable(this.name, parameter, i);
      if (seen.has(parameter)) {
        throw new ArgumentError(
          `parameter ${i} of shape ${formatShape(parameter.shape)} is in the optimiser already; give each once.`,
          { op: this.name, operand: 'params', actual: i, expected: 'distinct parameters' },
        );
      }
      seen.add(parameter);
    });
    this.groups.push({ ...options, params: list });
  }

  #complete(defaults: Options, options: Readonly<Record<string, unknown>>): Options {
    requireOptions<object>(this.name, options, kindsOf(defaults));
    const given = Object.entries(options).filter(([, value]) => value !== undefined);
    return { ...defaults, ...Object.fromEntries(given) };
  }

  /** All parameters, group by group. */
  get parameters(): Tensor[] {
    return this.groups.flatMap((group) => group.params);
  }

  /** Forgets all gradients: each parameter's `grad` becomes null. */
  zeroGrad(): void {
    for (const { params } of this.groups) for (const parameter of params) parameter.grad = null;
  }

  /**
   * Moves every parameter that has a gradient. The gradients stay as they are.
   *
   * @param closure computes the loss anew (with its gradients); most optimisers need none.
   * @returns what the closure returned, or null.
   * @throws ShapeError for a gradient of another shape than its parameter; AdjointError for a parameter that `to()` replaced. No
   *   parameter has moved then.
   */
  step(closure?: () => Tensor): Tensor | null {
    const loss = closure === undefined ? null : enableGrad(closure);
    this.checkGradients();
    noGrad(() => {
      for (const group of this.groups) {
        for (const parameter of group.params) if (parameter.grad !== null) this.#move(parameter, group);
      }
    });
    return loss;
  }

  #move(parameter: Tensor, group: Group<Options>): void {
    const gradient = valuesOf(parameter.grad!);
    const state = this.stateOf(parameter);
    const { shape } = parameter;
    modify_(parameter, `${this.name}.step`, (values) =>
      this.update({ values: values as FloatValues, gradient, shape, state, group }),
    );
  }

  /** What is kept of a parameter, made empty where there is nothing yet. */
  protected stateOf(parameter: Tensor): ParamState {
    let state = this.state.get(parameter);
    if (state === undefined) {
      state = new ParamState(parameter.shape, parameter.dtype);
      this.state.set(parameter, state);
    }
    return state;
  }

  /** Throws if a gradient does not fit its parameter, or a parameter is no longer in use. */
  protected checkGradients(): void {
    let i = 0;
    for (const { params } of this.groups) for (const parameter of params) this.#checkGradient(parameter, i++);
  }

  #checkGradient(parameter: Tensor, i: number): void {
    const { grad, shape } = parameter;
    if (parameter instanceof Parameter && parameter.replacement !== null) {
      throw new AdjointError(
        `parameter ${i} of shape ${formatShape(shape)} was replaced by module.to('${parameter.replacement.dtype}') after the optimiser was made; call to() first.`,
        { op: `${this.name}.step`, operand: `params[${i}]` },
      );
    }
    if (grad === null) return;
    if (grad.ndim === shape.length && shape.every((size, axis) => size === grad.shape[axis])) return;
    throw new ShapeError(
      `the gradient of parameter ${i} has shape ${formatShape(grad.shape)}, and the parameter ${formatShape(shape)}; set a gradient of that shape.`,
      {
        op: `${this.name}.step`,
        operand: `params[${i}].grad`,
        actual: grad.shape,
        expected: formatShape(shape),
      },
    );
  }

  /**
   * Options of the groups and what is kept per parameter, parameters by number. PyTorch's `state_dict`; the tensors are the
   * optimiser's own, so `step` changes them.
   */
  stateDict(): OptimizerState {
    return saveOptimizerState(this);
  }

  /**
   * Goes on from what `stateDict` gave, here or in another process: options and state, which are copied.
   *
   * @throws OptimizerStateError that lists everything that does not fit; nothing is changed then.
   */
  loadStateDict(state: OptimizerState): void {
    loadOptimizerState(this, state, {
      options: (options) => this.check(options),
      spec: (parameter) => this.stateSpec(parameter),
    });
  }

  /** What the tensors that are kept of a parameter look like. */
  protected stateSpec({ shape, dtype }: Tensor): TensorSpec {
    return { shape, dtype: computeDType(dtype) };
  }
}

// An option of an optimiser is what its default is; null stands for none, and says nothing.
function kindsOf(defaults: object): Readonly<Record<string, OptionKind>> {
  return Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, kindOf(value)]));
}

function kindOf(value: unknown): OptionKind {
  if (Array.isArray(value)) return 'list';
  const type = typeof value;
  return type === 'boolean' || type === 'number' || type === 'string' ? type : 'own';
}

function requireList(op: string, params: unknown): void {
  const iterable = typeof (params as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] === 'function';
  if (iterable && !(params instanceof Tensor)) return;
  throw new ArgumentError(
    params instanceof Tensor
      ? `params is one tensor, of shape ${formatShape(params.shape)}; put it into an array: [parameter].`
      : 'params cannot be iterated; pass model.parameters(), with parentheses, or an array of groups { params, … }.',
    { op, operand: 'params', actual: params, expected: 'an array or another iterable of parameters' },
  );
}

// A parameter may be frozen now and trained later; any other tensor that requires no gradient is there by mistake.
function requireMovable(op: string, x: unknown, i: number): void {
  if (x instanceof Parameter) return;
  const fault = faultOf(x);
  if (fault === null) return;
  throw new ArgumentError(`element ${i} of params ${fault}.`, {
    op,
    operand: `params[${i}]`,
    actual: x,
    expected: 'a parameter, or another leaf that requires a gradient',
  });
}

function faultOf(x: unknown): string | null {
  if (!(x instanceof Tensor))
    return `is ${describeValue(x)}; pass model.parameters(), a list of leaves, or groups { params, … }`;
  const named = `is a tensor of shape ${formatShape(x.shape)}`;
  if (!x.isLeaf)
    return `${named} that '${x.node!.name}' computed; optimise what it was computed from, or x.detach().requiresGrad_()`;
  if (!x.requiresGrad) return `${named} that requires no gradient; call requiresGrad_() on it first`;
  return x.strides.some((stride, axis) => stride === 0 && x.shape[axis] > 1)
    ? `${named} with an expanded axis, whose elements share one place; clone it: x.detach().clone().requiresGrad_()`
    : null;
}

function valuesOf(x: Tensor): FloatValues {
  if (!x.isContiguous || (x.dtype !== 'float32' && x.dtype !== 'float64'))
    return x.toTypedArray() as FloatValues;
  const isAll = x.offset === 0 && x.data.length === x.size;
  return (isAll ? x.data : x.data.subarray(x.offset, x.offset + x.size)) as FloatValues;
}
