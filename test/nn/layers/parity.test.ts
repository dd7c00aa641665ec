// Layers against PyTorch: the parameters of its twin are loaded under PyTorch's names, then outputs and all gradients are compared.

import { readFileSync } from 'node:fs';
import { add, grad, isFloat, mul, sum, Tensor, tensor } from '@adjoint/core';
import * as nn from '@adjoint/nn';
import { describe, expect, test } from 'vitest';
import { expectClose, type Values } from '../../parity/oracle.ts';

interface Encoded {
  readonly dtype: 'float64' | 'int32' | 'bool';
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
interface Case {
  readonly layer: string;
  readonly args: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>> | null;
  readonly keywords: Readonly<Record<string, unknown>>;
  readonly note: string;
  readonly state: Readonly<Record<string, Encoded>>;
  readonly inputs: readonly Encoded[];
  readonly outputs: readonly Encoded[];
  readonly cotangents: readonly Encoded[];
  readonly inputGrads: readonly Encoded[];
  readonly parameterGrads: Readonly<Record<string, Encoded | null>>;
}

const cases = JSON.parse(readFileSync(new URL('oracle.json', import.meta.url), 'utf8')) as readonly Case[];

const decode = ({ dtype, shape, data }: Encoded): Tensor => tensor([...data], { shape, dtype });
const isEncoded = (value: unknown): value is Encoded =>
  typeof value === 'object' && value !== null && 'dtype' in value && 'data' in value;
const valuesOf = (x: Tensor): Values => ({
  dtype: 'float64',
  shape: x.shape,
  data: x.toTypedArray() as Float64Array,
});
const expected = ({ shape, data }: Encoded): Values => ({
  dtype: 'float64',
  shape,
  data: Float64Array.from(data),
});

type Constructor = new (...args: readonly unknown[]) => nn.Module;

function make({ layer, args, options, note }: Case): nn.Module {
  const [wrapper, name] = layer.includes(' ') ? layer.split(' ') : [null, layer];
  const classes = new Map<string, unknown>(Object.entries(nn));
  const Layer = classes.get(name) as Constructor;
  const given = Object.fromEntries(
    Object.entries(options ?? {}).map(([key, value]) => [key, isEncoded(value) ? decode(value) : value]),
  );
  // Of a wrapper the options are its own, but for those of the layer in it.
  const { layer: inner = {}, ...rest } = given;
  const own = wrapper === null ? given : (inner as object);
  const all = typeless.test(name) ? own : { ...own, dtype: 'float64' };
  let module = new Layer(...args, ...(options === null ? [] : [all]));
  if (wrapper === 'weightNorm') module = nn.weightNorm(module, rest);
  if (wrapper === 'spectralNorm') module = nn.spectralNorm(module, rest);
  return note === 'eval' ? module.eval() : module;
}

// Layers without parameters have no dtype of their own.
const typeless = /[Pp]ool|Pad|Upsample|Pixel|old$|Loss|LU$|Soft|Hard|shrink|tanh|Flatten/;

function call(module: nn.Module, { layer, note, keywords }: Case, inputs: readonly Tensor[]): Tensor[] {
  const options = Object.fromEntries(
    Object.entries(keywords).map(([name, value]) => [name, isEncoded(value) ? decode(value) : value]),
  );
  const forward = module.forward.bind(module) as (...inputs: readonly unknown[]) => unknown;
  let operands: readonly unknown[] = inputs;
  if (note === 'states' && layer.startsWith('LSTM'))
    operands = [inputs[0], { hidden: inputs[1], cell: inputs[2] }];
  const result = forward(...operands, ...(Object.keys(options).length > 0 ? [options] : []));
  if (result instanceof Tensor) return [result];
  return Object.values(result as Record<string, Tensor | null>).filter((value) => value !== null);
}

describe.each(
  cases.map((one) => [one.layer, JSON.stringify(one.options ?? one.args), one.note, one] as const),
)('%s %s %s', (_, __, ___, one) => {
  test('gives the outputs and gradients of PyTorch', () => {
    const module = make(one);
    const state = Object.fromEntries(Object.entries(one.state).map(([name, value]) => [name, decode(value)]));
    module.loadStateDict(state);
    const inputs = one.inputs.map(decode);
    const leaves = inputs.filter(({ dtype }) => isFloat(dtype));
    for (const leaf of leaves) leaf.requiresGrad = true;

    const outputs = call(module, one, inputs);
    expect(outputs.length).toBe(one.outputs.length);
    outputs.forEach((output, i) => {
      expectClose(valuesOf(output), expected(one.outputs[i]), { what: `output ${i}` });
    });

    // The names of the gradients are those of the parameters, in the layout that PyTorch has.
    const places = module.placedTensors().filter(({ member }) => member.value instanceof nn.Parameter);
    const loss = outputs
      .map((output, i) => sum(mul(output, decode(one.cotangents[i]))))
      .reduce((a, b) => add(a, b));
    const grads = grad(loss, [...leaves, ...places.map(({ member }) => member.value)], { unused: 'zeros' });
    leaves.forEach((_leaf, i) => {
      expectClose(valuesOf(grads[i]), expected(one.inputGrads[i]), { what: `gradient of input ${i}` });
    });
    const names = Object.keys(module.stateDict({ layout: 'pytorch' }));
    expect(new Set(names)).toEqual(new Set(Object.keys(one.state)));
    const byPath = new Map(places.map(({ path }, i) => [path, grads[leaves.length + i]]));
    const pathOf = new Map(Object.keys(module.stateDict()).map((path, i) => [names[i], path]));
    for (const [name, values] of Object.entries(one.parameterGrads)) {
      const gradient = byPath.get(pathOf.get(name)!)!;
      const shape = values?.shape ?? gradient.shape;
      const zero = { dtype: 'float64' as const, shape, data: new Array<number>(gradient.size).fill(0) };
      expectClose({ ...valuesOf(gradient), shape }, expected(values ?? zero), {
        what: `gradient of ${name}`,
      });
    }
  });
});
