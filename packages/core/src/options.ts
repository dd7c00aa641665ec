// Options at run time: one declaration per function says which there are and what each must be, and one function compares. Types
// alone refuse a wrong option only where types are checked: from plain JavaScript a misspelt one would be passed over in silence,
// and 'no' in the place of a flag would be as good as true.

import { checkDType, type DType } from './dtype.ts';
import { ArgumentError, quote } from './errors.ts';

/** What options are where the caller leaves them out; {@link requireOptions} lets it pass without a look. */
export const noOptions = Object.freeze({});

type Class = abstract new (...args: never[]) => object;

/**
 * What the value of an option must be: of a primitive type, a dtype, a list (an array), a function, an instance of a class (`Object`:
 * any object, whatever its prototype), or `own` for what the function looks at itself, such as a number or a list. Ranges and names
 * (`'mean'`, `'sum'`) are its own in any case.
 */
export type OptionKind = 'boolean' | 'number' | 'string' | 'dtype' | 'list' | 'function' | 'own' | Class;

type KindOf<T> = [T] extends [boolean]
  ? 'boolean'
  : [T] extends [number]
    ? 'number'
    : [T] extends [DType]
      ? 'dtype' | 'string'
      : [T] extends [string]
        ? 'string'
        : [T] extends [readonly unknown[]]
          ? 'list'
          : [T] extends [(...args: never[]) => unknown]
            ? 'function'
            : 'own' | (T extends object ? abstract new (...args: never[]) => T : never);

/** The kind of every option of `Options`, as the compiler reads them from the types: none can be forgotten. */
export type OptionKinds<Options> = {
  readonly [Name in keyof Options]-?: KindOf<Exclude<Options[Name], undefined>>;
};

/**
 * Checks that `options` is a plain object of options that the function knows, each of its kind. For functions of your own that take
 * options as the built-in ones do. An option that is `undefined` counts as left out.
 *
 * @param op the function, as errors name it.
 * @param known the kind of each option; or their names, if the function looks at all values itself.
 * @throws ArgumentError for anything but a plain object (a number, null, an array, a tensor), for an option that is not
 *   known (it says what to write), or for a value of another kind; DTypeError for what is no dtype.
 * @example
 * const swish = (x: Tensor, options: { beta?: number } = {}) => {
 *   requireOptions('swish', options, { beta: 'number' });
 *   return mul(x, sigmoid(mul(x, options.beta ?? 1)));
 * };
 * swish(tensor([1, 2]), { beta: 2 }).shape; // [2]
 */
export function requireOptions<Options extends object>(
  op: string,
  options: Options,
  known: OptionKinds<Options> | readonly string[],
): void {
  if (options === noOptions) return;
  requireKinds(op, options, isNames(known) ? Object.fromEntries(known.map((name) => [name, 'own'])) : known);
}

/**
 * Checks one argument by its kind, as {@link requireOptions} does options.
 *
 * @param operand the argument, as errors name it.
 * @throws ArgumentError for a value of another kind, `undefined` too; DTypeError for what is no dtype.
 * @example
 * const twice = (fn: (x: Tensor) => Tensor) => {
 *   requireArgument('twice', 'fn', fn, 'function');
 *   return (x: Tensor) => fn(fn(x));
 * };
 * twice(square)(tensor(3)).item(); // 81
 */
export function requireArgument(op: string, operand: string, value: unknown, kind: OptionKind): void {
  if (typeof value !== kind && kind !== 'own') requireKind(op, operand, value, kind);
}

function isNames(known: object): known is readonly string[] {
  return Array.isArray(known);
}

// Runs with every call that gives options: no list of names is made before one is wrong.
function requireKinds(op: string, options: object, kinds: Readonly<Record<string, OptionKind>>): void {
  if (!isPlainObject(options)) throw noObject(op, options, Object.keys(kinds));
  for (const option in options) {
    const value = options[option];
    if (!Object.hasOwn(kinds, option)) throw unknownOption(op, option, value, Object.keys(kinds));
    const kind = kinds[option];
    if (value !== undefined && typeof value !== kind && kind !== 'own') requireKind(op, option, value, kind);
  }
}

// Called for what is not of the primitive type that its kind names, if it names one.
function requireKind(op: string, operand: string, actual: unknown, kind: OptionKind): void {
  if (kind === 'dtype') {
    checkDType(actual, op);
    return;
  }
  const fits = typeof kind === 'function' ? isOf(actual, kind) : kind === 'list' && Array.isArray(actual);
  if (fits) return;
  const expected = wanted(kind);
  throw new ArgumentError(`${operand} is ${quote(actual)}; give ${expected}.`, {
    op,
    operand,
    actual,
    expected,
  });
}

// Objects without a prototype, as readers of files make them, and those of another realm are objects, too.
function isOf(value: unknown, kind: Class): boolean {
  return kind === Object ? typeof value === 'object' && value !== null : value instanceof kind;
}

function wanted(kind: OptionKind): string {
  if (kind === 'boolean') return 'true or false';
  if (kind === 'list') return 'an array';
  // A prototype is called what instances are.
  return typeof kind === 'function' ? quote(kind.prototype) : `a ${kind}`;
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
      ? known.length === 1
        ? `e.g. { ${known[0]}: ${typeof actual === 'number' || typeof actual === 'boolean' ? actual : '…'} }`
        : `with any of ${known.join(', ')}`
      : `e.g. { ${name}: ${JSON.stringify(name === 'axis' && Array.isArray(example) ? 0 : example)} }`;
  return new ArgumentError(`options is ${quote(actual)}; give an object, ${remedy}.`, {
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
