// Illegal calls: a typed error that names the op and what is wrong, before anything is computed.

import { AdjointError } from '@adjoint/core';
import { describe, expect, it } from 'vitest';
import { apply } from '../../packages/core/src/tape/apply.ts';
import { computed, isTyped, type TypedError } from './run.ts';
import { samples as table } from './samples/index.ts';

function errorOf(call: () => unknown): TypedError {
  try {
    call();
  } catch (error) {
    if (isTyped(error)) return error;
    throw error;
  }
  throw new Error('the call is not refused');
}

function namedBy(error: TypedError): string | undefined {
  if ('parameter' in error) return error.parameter;
  return 'operand' in error ? error.operand : undefined;
}

for (const { op, refusals } of table) {
  describe(`${op.name} refuses`, () => {
    // Operands of an op that takes any number of them go by number: `tensors[1]`.
    const operands = op.operands.map((name) => name.replace('...', ''));

    it.each(refusals)('$name', (refusal) => {
      let error: TypedError | undefined;
      const ran = computed(() => {
        error = errorOf(refusal.call);
      });
      expect(error).toBeInstanceOf(refusal.error);
      expect(error!.op).toBe(refusal.op ?? op.name);
      expect(error!.message).toContain(`${error!.op}: `);
      expect(ran).toEqual([]);
      const { names } = refusal;
      if (names === undefined) return;
      const name = 'operand' in names ? names.operand : names.option;
      expect(namedBy(error!)).toBe(name);
      expect(error!.message).toContain(name.replace(/^indices\[\d+\]\./, ''));
      if ('operand' in names) expect(operands).toContain(name.replace(/\[\d+\]$/, ''));
      else expect(op.operands).not.toContain(name);
    });

    if (op.variadic) return;
    it('another number of operands', () => {
      const error = errorOf(() => apply(op, [], undefined));
      expect(error).toBeInstanceOf(AdjointError);
      expect(error.op).toBe(op.name);
    });
  });
}
