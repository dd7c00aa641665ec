// Checks of the value of one argument or option: a count, a name. Their kinds are looked at before (options.ts).

import { ArgumentError, quote } from './errors.ts';

/** @throws ArgumentError unless it is an integer of at least `minimum`. */
export function requireInteger(op: string, operand: string, value: unknown, minimum: number): void {
  if (Number.isInteger(value) && (value as number) >= minimum) return;
  throw new ArgumentError(`${operand} is ${quote(value)}; it takes an integer of at least ${minimum}.`, {
    op,
    operand,
    actual: value,
    expected: `an integer >= ${minimum}`,
  });
}

/** @throws ArgumentError unless it is one of the names. */
export function requireOneOf(op: string, operand: string, value: unknown, names: readonly string[]): void {
  if (names.includes(value as string)) return;
  const quoted = names.map((name) => `'${name}'`);
  const expected = names.length > 2 ? `one of ${quoted.join(', ')}` : quoted.join(' or ');
  throw new ArgumentError(`${operand} is ${quote(value)}; it takes ${expected}.`, {
    op,
    operand,
    actual: value,
    expected,
  });
}
