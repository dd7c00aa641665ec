// Options at run time. Types refuse a wrong option only where types are checked: from plain JavaScript, or through a cast, a
// number in place of the options or a misspelt one would be passed over in silence.

import { ArgumentError } from './errors.ts';

/** What options are where the caller leaves them out; {@link requireOptions} lets it pass without a look. */
export const noOptions = Object.freeze({});

/**
 * Checks that `options` is a plain object of options that the function knows. For functions of your own that take options as
 * the built-in ones do.
 *
 * @param op the function, as errors name it.
 * @param known the names of all options.
 * @throws ArgumentError for anything but a plain object (a number, null, an array, a tensor), or for an option that is not
 *   known; it says what to write.
 * @example
 * const swish = (x: Tensor, options: { beta?: number } = {}) => {
 *   requireOptions('swish', options, ['beta']);
 *   return mul(x, sigmoid(mul(x, options.beta ?? 1)));
 * };
 * swish(tensor([1, 2]), { beta: 2 }).shape; // [2]
 */
export function requireOptions(op: string, options: object, known: readonly string[]): void {
  if (options === noOptions) return;
  if (!isPlainObject(options)) throw noObject(op, options, known);
  for (const option in options) {
    if (!known.includes(option)) throw unknownOption(op, option, options[option], known);
  }
}

// Nothing but Object.prototype, of this realm or another, has no prototype itself.
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function noObject(op: string, actual: unknown, known: readonly string[]): ArgumentError {
  const name = known.find((option) => option === 'axes' || option === 'axis');
  const example = isAxes(actual) ? actual : 0;
  const remedy =
    name === undefined
      ? `with any of ${known.join(', ')}`
      : `e.g. { ${name}: ${JSON.stringify(name === 'axis' && Array.isArray(example) ? 0 : example)} }`;
  return new ArgumentError(`options is ${show(actual)}; give an object, ${remedy}.`, {
    op,
    operand: 'options',
    actual,
    expected: `an object of ${known.join(', ')}`,
  });
}

function unknownOption(op: string, option: string, value: unknown, known: readonly string[]): ArgumentError {
  const meant = known.find((name) => meaning(name) === meaning(option));
  const remedy =
    meant === undefined
      ? ''
      : ` Write { ${meant}: ${isAxes(value) || typeof value === 'boolean' ? JSON.stringify(value) : '…'} }.`;
  return new ArgumentError(`there is no option '${option}'; it takes ${known.join(', ')}.${remedy}`, {
    op,
    operand: option,
    actual: option,
    expected: known.join(' | '),
  });
}

// PyTorch's dim and NumPy's axis are `axes` where there may be several; requires_grad and keepDim differ in spelling only.
function meaning(option: string): string {
  const plain = option.replaceAll('_', '').toLowerCase();
  return /^(dims?|axis|axes)$/.test(plain) ? 'axis' : plain;
}

function isAxes(value: unknown): value is number | readonly number[] {
  return Array.isArray(value) ? value.every(Number.isInteger) : Number.isInteger(value);
}

function show(value: unknown): string {
  if (typeof value === 'string' || Array.isArray(value)) return JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return String(value);
  return `a ${value.constructor?.name ?? 'value'}`;
}
