// Weight norm and spectral norm: a weight that is computed anew, whenever it is used, from parameters that are trained in its place.
//
// Axes are counted, and those parameters laid out, as in PyTorch's weight: the weight of a grouped convolution has an axis of groups more here,
// and is put into that shape last.

import {
  ArgumentError,
  copy_,
  div,
  formatShape,
  Generator,
  matmul,
  mul,
  noGrad,
  norm,
  permute,
  randn,
  requireArgument,
  requireOptions,
  reshape,
  ShapeError,
  type Tensor,
  transpose,
} from '@adjoint/core';
import type { HookHandle } from '../module/hooks.ts';
import { Module } from '../module/module.ts';
import { Buffer, Parameter } from '../module/parameter.ts';
import { ConvBase } from './conv-base.ts';
import { requireInteger } from './options.ts';

/** Options of {@link weightNorm}. */
export interface WeightNormOptions {
  /** Name of the field that holds the weight. Default 'weight'. */
  readonly name?: string | undefined;
  /**
   * The axis along which each slice has a length of its own, counted without the groups of a convolution; null for one length of the whole.
   * Default 0.
   */
  readonly axis?: number | null | undefined;
}

interface Reparametrised {
  readonly kind: 'weightNorm' | 'spectralNorm';
  /** The fields that stand in the place of the weight. */
  readonly fields: readonly string[];
  readonly compute: () => Tensor;
  readonly hook: HookHandle | null;
}

const reparametrised = new WeakMap<Module, Map<string, Reparametrised>>();

/**
 * Parts a weight into a length and a direction, `weight = g · v / |v|`, which are trained in its place as `weightG` and `weightV`.
 * PyTorch's `nn.utils.weight_norm`, with its names; Salimans and Kingma 2016.
 *
 * @returns the module.
 * @throws ArgumentError if the field holds no parameter, or is reparametrised already.
 * @example
 * const layer = weightNorm(new Linear(20, 40));
 * layer.namedParameters().map(([name]) => name); // ['bias', 'weightG', 'weightV']
 */
export function weightNorm<M extends Module>(module: M, options: WeightNormOptions = {}): M {
  requireOptions('weightNorm', options, { name: 'string', axis: 'own' });
  const { name = 'weight', axis = 0 } = options;
  const { weight, requiresGrad, shape, ownShape } = weightOf('weightNorm', module, name);
  const at = axis === null ? null : axis < 0 ? axis + shape.length : axis;
  if (at !== null && !(Number.isInteger(at) && at >= 0 && at < shape.length)) {
    throw new ArgumentError(
      `axis is ${axis}, and the weight has shape ${formatShape(shape)}; give one of its axes, or null.`,
      {
        op: 'weightNorm',
        operand: 'axis',
        actual: axis,
        expected: `an integer below ${shape.length}, or null`,
      },
    );
  }
  const lengths = (v: Tensor): Tensor =>
    norm(v, { axes: v.shape.flatMap((_, i) => (i === at ? [] : [i])), keepdim: true });
  const fields = [`${name}G`, `${name}V`];
  Reflect.set(
    module,
    fields[0],
    new Parameter(
      noGrad(() => lengths(weight)),
      { requiresGrad },
    ),
  );
  Reflect.set(module, fields[1], new Parameter(weight, { requiresGrad }));
  const read = (field: string): Tensor => Reflect.get(module, field) as Tensor;
  const compute = (): Tensor => {
    const v = read(fields[1]);
    return reshape(mul(v, div(read(fields[0]), lengths(v))), ownShape);
  };
  return install(module, name, { kind: 'weightNorm', fields, compute, hook: null });
}

/** Options of {@link spectralNorm}. */
export interface SpectralNormOptions {
  /** Name of the field that holds the weight. Default 'weight'. */
  readonly name?: string | undefined;
  /** Power iterations per forward in training. Default 1. */
  readonly nPowerIterations?: number | undefined;
  /** Keeps the vectors' norms from 0. Default 1e-12. */
  readonly eps?: number | undefined;
  /**
   * The axis that counts outputs, counted without the groups of a convolution; the others together are the columns of the matrix.
   * Default 0, and 1 for transposed convolutions.
   */
  readonly axis?: number | undefined;
  /** Where the first vectors come from. Default: the default generator. */
  readonly generator?: Generator | undefined;
}

/**
 * Divides a weight, seen as a matrix, by its largest singular value, which is estimated by power iterations in training. The weight is
 * trained as `weightOrig`; the vectors `weightU` and `weightV` are buffers. PyTorch's `nn.utils.spectral_norm`, with its names; Miyato
 * et al. 2018.
 *
 * @returns the module.
 * @throws ArgumentError if the field holds no parameter, or is reparametrised already; ShapeError for a weight of one axis.
 * @example
 * const layer = spectralNorm(new Linear(20, 40));
 * layer.namedBuffers().map(([name]) => name); // ['weightU', 'weightV']
 */
export function spectralNorm<M extends Module>(module: M, options: SpectralNormOptions = {}): M {
  requireOptions('spectralNorm', options, {
    name: 'string',
    nPowerIterations: 'number',
    eps: 'number',
    axis: 'number',
    generator: Generator,
  });
  const { name = 'weight', nPowerIterations = 1, eps = 1e-12, generator } = options;
  const { axis = module instanceof ConvBase && module.transposed ? 1 : 0 } = options;
  const op = 'spectralNorm';
  const { weight, requiresGrad, shape, ownShape } = weightOf(op, module, name);
  if (shape.length < 2 || !(Number.isInteger(axis) && axis >= 0 && axis < shape.length)) {
    throw new ShapeError(
      `the weight has shape ${formatShape(shape)} and axis is ${axis}; it takes two axes at least, and one of them.`,
      {
        op,
        operand: name,
        actual: shape,
        expected: 'at least two axes',
      },
    );
  }
  requireInteger(op, 'nPowerIterations', nPowerIterations, 1);
  const asMatrix = (w: Tensor): Tensor => {
    const order = [axis, ...w.shape.flatMap((_, i) => (i === axis ? [] : [i]))];
    return reshape(permute(w, order), [w.shape[axis], w.size / w.shape[axis]]);
  };
  const unit = (x: Tensor): Tensor => mul(x, 1 / Math.max(norm(x).item(), eps));
  const [rows, columns] = asMatrix(weight.detach()).shape;
  const fields = [`${name}Orig`, `${name}U`, `${name}V`];
  const draw = (size: number): Buffer =>
    new Buffer(noGrad(() => unit(randn([size], { generator }).to(weight.dtype))));
  Reflect.set(module, fields[0], new Parameter(weight, { requiresGrad }));
  Reflect.set(module, fields[1], draw(rows));
  Reflect.set(module, fields[2], draw(columns));
  const read = (field: string): Tensor => Reflect.get(module, field) as Tensor;
  const iterate = (): void => {
    noGrad(() => {
      const [matrix, u, v] = [asMatrix(read(fields[0]).detach()), read(fields[1]), read(fields[2])];
      for (let i = 0; i < nPowerIterations; i++) {
        copy_(v, unit(matmul(transpose(matrix), u)));
        copy_(u, unit(matmul(matrix, v)));
      }
    });
  };
  // The vectors are copies: the next iteration changes the buffers while the graph of this forward may still need them.
  const compute = (): Tensor => {
    const [w, u, v] = [read(fields[0]), read(fields[1]).clone(), read(fields[2]).clone()];
    return reshape(div(w, matmul(u, matmul(asMatrix(w), v))), ownShape);
  };
  const hook = module.registerForwardPreHook(() => {
    if (module.training) iterate();
    return undefined;
  });
  return install(module, name, { kind: 'spectralNorm', fields, compute, hook });
}

/**
 * Takes a reparametrisation away: the weight is a parameter again, with the value that it has now.
 *
 * @throws ArgumentError if the field has none.
 * @example
 * const layer = removeReparametrisation(weightNorm(new Linear(2, 3)));
 * layer.namedParameters().map(([name]) => name); // ['bias', 'weight']
 */
export function removeReparametrisation<M extends Module>(
  module: M,
  options: { readonly name?: string | undefined } = {},
): M {
  requireOptions('removeReparametrisation', options, { name: 'string' });
  const { name = 'weight' } = options;
  const entry = reparametrised.get(module)?.get(name);
  if (entry === undefined) {
    throw new ArgumentError(`the field '${name}' has no reparametrisation.`, {
      op: 'removeReparametrisation',
      operand: name,
      expected: 'a field that weightNorm or spectralNorm was applied to',
    });
  }
  const value = noGrad(() => entry.compute().clone());
  const { requiresGrad } = Reflect.get(module, entry.fields[0]) as Tensor;
  entry.hook?.remove();
  for (const field of [name, ...entry.fields]) Reflect.deleteProperty(module, field);
  reparametrised.get(module)!.delete(name);
  Reflect.set(module, name, new Parameter(value, { requiresGrad }));
  return module;
}

/** The parameter in a field, in PyTorch's shape where that is another than its own. */
function weightOf(op: string, module: Module, name: string) {
  const parameter = parameterIn(op, module, name);
  const shape = module.torchShape(name) ?? parameter.shape;
  const weight = noGrad(() => reshape(parameter, shape));
  return { weight, requiresGrad: parameter.requiresGrad, shape, ownShape: parameter.shape };
}

function parameterIn(op: string, module: Module, name: string): Parameter {
  requireArgument(op, 'module', module, Module);
  const value: unknown = Reflect.get(module, name);
  const already = reparametrised.get(module)?.get(name);
  if (value instanceof Parameter && already === undefined) return value;
  throw new ArgumentError(
    already === undefined
      ? `the field '${name}' of ${module.constructor.name} holds no parameter; name one that does.`
      : `the field '${name}' has ${already.kind} already; remove that first.`,
    { op, operand: 'name', actual: name, expected: 'a field that holds a parameter' },
  );
}

// The field becomes a getter, which is not enumerable and so not registered: whoever reads it gets the weight of this moment.
function install<M extends Module>(module: M, name: string, entry: Reparametrised): M {
  Reflect.deleteProperty(module, name);
  Object.defineProperty(module, name, { configurable: true, enumerable: false, get: entry.compute });
  const entries = reparametrised.get(module) ?? new Map<string, Reparametrised>();
  entries.set(name, entry);
  reparametrised.set(module, entries);
  return module;
}
