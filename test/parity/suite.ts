// One loop for all ops: calls Adjoint as the case says, then compares value, gradient and second gradient with the oracle's.
//
// How an op is called stands in one table (./adapters): op name to function. Everything else is here, once.

import { add, grad, mul, sum, Tensor, tensor } from '@adjoint/core';
import { describe, expect, it } from 'vitest';
import {
  type Argument,
  type ByPath,
  type Call,
  type CaseOptions,
  type Comparison,
  expectClose,
  isValues,
  type ParityCase,
  type Values,
} from './oracle.ts';

/** An argument as an adapter gets it. */
export type Operand = Tensor | number | null | readonly Operand[];

/** Calls one op of Adjoint with the arguments and options of a case. */
export type Adapter = (args: readonly Operand[], options: CaseOptions) => Tensor | readonly Tensor[];

/** Op names and how to call them. */
export type Adapters = Readonly<Record<string, Adapter>>;

/** Declares one test per case of a family whose op has an adapter. */
export function parityTests(family: string, cases: readonly ParityCase[], adapters: Adapters): void {
  const callable = cases.filter((parityCase) => parityCase.op in adapters);
  if (callable.length === 0) return;
  describe(family, () => {
    for (const parityCase of callable) {
      it(`${parityCase.op}: ${parityCase.name}`, () => checkCase(parityCase, adapters[parityCase.op]));
    }
  });
}

/** Declares one test per call that must be refused: by a typed error that names the op. */
export function refusalTests(calls: readonly Call[], adapters: Adapters): void {
  for (const call of calls) {
    if (!(call.op in adapters)) continue;
    it(`${call.op} refuses: ${call.name}`, () => {
      const args = operandsOf(call);
      expect(() => adapters[call.op](args, call.options)).toThrow(expect.objectContaining({ op: call.op }));
    });
  }
}

/** Checks value, gradients and second gradients of one case; throws at the first that disagrees. */
export function checkCase(parityCase: ParityCase, adapter: Adapter): void {
  const leaves = new Map<string, Tensor>();
  const args = parityCase.args.map((argument, i) =>
    toOperand(argument, String(i), parityCase.grads ?? {}, leaves),
  );
  const result = adapter(args, parityCase.options);
  const outputs = result instanceof Tensor ? [result] : result;
  const expected = isValues(parityCase.output) ? [parityCase.output] : parityCase.output;
  const exact = parityCase.exact ?? false;
  const compare = (what: string, actual: Tensor, values: Values, more: Partial<Comparison> = {}): void =>
    expectClose(toValues(actual), values, {
      what: `${parityCase.op} '${parityCase.name}': ${what}`,
      exact,
      ...more,
    });

  expect(outputs.length, `${parityCase.op} '${parityCase.name}': number of outputs`).toBe(expected.length);
  outputs.forEach((output, i) => {
    const { atol, signed = false } = parityCase;
    compare(`output ${i}`, output, expected[i], { signed, ...(atol === undefined ? {} : { atol }) });
  });
  if (parityCase.grads === undefined) return;

  const cotangents = readCotangents(parityCase);
  const inputs = [...leaves.values()];
  const loss = weightedSum(outputs, cotangents);
  const createGraph = parityCase.secondGrads !== undefined;
  const first = grad(loss, inputs, { createGraph, unused: 'zeros' });
  checkByPath([...leaves.keys()], first, parityCase.grads, 'gradient', compare);
  if (parityCase.secondGrads === undefined) return;

  const partners = [...leaves.keys()].map((path) => {
    const values = parityCase.secondCotangents?.[path];
    return values ? toTensor(values) : null;
  });
  const second = weightedSum(first, partners);
  const wanted = [...leaves];
  cotangents.forEach((cotangent, i) => {
    if (cotangent !== null)
      wanted.push([isValues(parityCase.cotangent) ? 'cotangent' : `cotangent.${i}`, cotangent]);
  });
  const seconds = grad(
    second,
    wanted.map(([, leaf]) => leaf),
    { unused: 'zeros' },
  );
  checkByPath(
    wanted.map(([path]) => path),
    seconds,
    parityCase.secondGrads,
    'second gradient',
    compare,
  );
}

function checkByPath(
  paths: readonly string[],
  actual: readonly Tensor[],
  expected: ByPath,
  kind: string,
  compare: (what: string, actual: Tensor, values: Values) => void,
): void {
  expect([...paths].sort()).toEqual(Object.keys(expected).sort());
  paths.forEach((path, i) => {
    const values = expected[path];
    compare(`${kind} of ${path}`, actual[i], values ?? zeros(actual[i]));
  });
}

const zeros = ({ shape, dtype, size }: Tensor): Values => ({ shape, dtype, data: new Float64Array(size) });

function readCotangents({ cotangent }: ParityCase): (Tensor | null)[] {
  const list = isValues(cotangent) ? [cotangent] : (cotangent ?? []);
  return list.map((values) => (values === null ? null : toTensor(values, { requiresGrad: true })));
}

/** sum over i of sum(tensors[i] * weights[i]); a null weight leaves its tensor out. */
function weightedSum(tensors: readonly Tensor[], weights: readonly (Tensor | null)[]): Tensor {
  const terms = tensors.flatMap((t, i) => {
    const weight = weights[i];
    return weight === null || weight === undefined ? [] : [sum(mul(t, weight))];
  });
  return terms.reduce((total, term) => add(total, term));
}

/** The arguments of a call, none of which requires a gradient. */
export function operandsOf({ args }: Call): Operand[] {
  return args.map((argument) => toOperand(argument));
}

function toOperand(argument: Argument, path = '', grads: ByPath = {}, leaves?: Map<string, Tensor>): Operand {
  if (argument === null || typeof argument === 'number') return argument;
  if (!isValues(argument)) return argument.map((inner, i) => toOperand(inner, `${path}.${i}`, grads, leaves));
  const operand = toTensor(argument, { requiresGrad: path in grads });
  if (path in grads) leaves?.set(path, operand);
  return operand;
}

function toTensor({ data, shape, dtype }: Values, { requiresGrad = false } = {}): Tensor {
  return tensor(data, { shape, dtype, requiresGrad });
}

function toValues(t: Tensor): Values {
  const data = t.toTypedArray();
  const { dtype } = t;
  if (dtype === 'int32') return { dtype, shape: t.shape, data: Int32Array.from(data) };
  if (dtype === 'uint8' || dtype === 'bool') return { dtype, shape: t.shape, data: Uint8Array.from(data) };
  return { dtype, shape: t.shape, data: Float64Array.from(data) };
}
