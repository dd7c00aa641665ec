// Every call of the oracle's fixtures, traced: shapes come out as when it is run, and the graph gives the same bits.

import { add, grad, mul, noGrad, sum, Tensor, TraceError, tensor } from '@adjoint/core';
import { trace } from '@adjoint/core/graph';
import { describe, expect, it } from 'vitest';
import { adapters } from '../parity/adapters/index.ts';
import { families } from '../parity/families.ts';
import { type Argument, isValues, loadFixtures, type ParityCase } from '../parity/oracle.ts';
import type { Operand } from '../parity/suite.ts';

/** Calls whose result's shape, or whose very work, depends on values: they cannot be traced, and say so. */
function needsValues({ op, args, options }: ParityCase): boolean {
  if (op === 'index') return args.flat().some((argument) => isValues(argument) && argument.dtype === 'bool');
  if (op === 'oneHot') return options.numClasses === undefined;
  if (op === 'bincount') return isValues(args[0]) && args[0].data.length > 0;
  return ['maskedSelect', 'nonzero', 'unique', 'ctcOfLogits'].includes(op);
}

/** The tensors of a call, and the call as a function of them. */
function asFunction({ op, args, options, grads = {} }: ParityCase) {
  const inputs: Tensor[] = [];
  const place = (argument: Argument, path: string): ((tensors: readonly Tensor[]) => Operand) => {
    if (argument === null || typeof argument === 'number') return () => argument;
    if (!isValues(argument)) {
      const parts = argument.map((inner, i) => place(inner, `${path}.${i}`));
      return (tensors) => parts.map((part) => part(tensors));
    }
    const { data, shape, dtype } = argument;
    const index = inputs.push(tensor(data, { shape, dtype, requiresGrad: path in grads })) - 1;
    return (tensors) => tensors[index];
  };
  const places = args.map((argument, i) => place(argument, String(i)));
  const call = (...tensors: readonly Tensor[]): readonly Tensor[] => {
    const result = adapters[op](
      places.map((operand) => operand(tensors)),
      options,
    );
    return result instanceof Tensor ? [result] : result;
  };
  return { inputs, call };
}

const bits = (t: Tensor) => ({ dtype: t.dtype, shape: t.shape, values: t.toTypedArray() });
const all = (tensors: readonly Tensor[]) => tensors.map(bits);

function gradients(outputs: readonly Tensor[], inputs: readonly Tensor[]): readonly Tensor[] {
  const leaves = inputs.filter((input) => input.requiresGrad);
  const terms = outputs.filter((output) => output.requiresGrad).map((output) => sum(mul(output, output)));
  if (leaves.length === 0 || terms.length === 0) return [];
  return grad(
    terms.reduce((total, term) => add(total, term)),
    leaves,
    { unused: 'zeros' },
  );
}

function check(parityCase: ParityCase): void {
  const { inputs, call } = asFunction(parityCase);
  const eager = call(...inputs);
  const graph = trace(call, ...inputs);
  expect(graph.outputs.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(
    eager.map(({ shape, dtype }) => ({ shape, dtype })),
  );
  const run = graph.run(...inputs);
  expect(all(run)).toEqual(all(eager));
  expect(run.map((output) => output.requiresGrad)).toEqual(eager.map((output) => output.requiresGrad));
  const eagerGradients = all(gradients(eager, inputs));
  expect(all(gradients(run, inputs))).toEqual(eagerGradients);
  // The derivative can be traced too: its graph is the ops that backward runs.
  const derivative = trace((...traced) => gradients(call(...traced), traced), ...inputs);
  expect(all(noGrad(() => derivative.run(...inputs)))).toEqual(eagerGradients);
}

for (const family of families) {
  const cases = loadFixtures(family).filter(({ op }) => op in adapters);
  describe.runIf(cases.length > 0)(family, () => {
    it.each(cases.map((parityCase) => [parityCase.op, parityCase.name, parityCase] as const))(
      '%s: %s',
      (_op, _name, parityCase) => {
        if (!needsValues(parityCase)) check(parityCase);
        else expect(() => check(parityCase)).toThrow(TraceError);
      },
    );
  });
}
