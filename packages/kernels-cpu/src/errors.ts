// The errors of this package: each is a class with fields to act on and a sentence that says what to change.

/** What a {@link GeometryError} knows about the option that was wrong. */
export interface GeometryFault {
  /** The operation as the caller knows it, e.g. `'convTranspose2d'`. */
  readonly op: string;
  /** The option or operand at fault, e.g. `'stride'`. */
  readonly parameter: string;
  /** The spatial axis at fault, where it is one axis. */
  readonly axis?: number | undefined;
  /** What was given. */
  readonly actual: unknown;
  /** What would have been right, in words and numbers. */
  readonly expected: string;
  /** What to change, as a full sentence. */
  readonly remedy: string;
}

/**
 * An option of a convolution or of a pooling that describes no legal geometry.
 *
 * @example
 * ```ts
 * try {
 *   convGeometry({ op: 'conv1d', batch: 1, inChannels: 1, outChannels: 1, inputSize: [4], kernelSize: [3], stride: 0 });
 * } catch (error) {
 *   if (error instanceof GeometryError) console.log(error.op, error.parameter, error.actual); // conv1d stride 0
 * }
 * ```
 */
export class GeometryError extends RangeError {
  override readonly name = 'GeometryError';
  readonly op: string;
  readonly parameter: string;
  readonly axis: number | undefined;
  readonly actual: unknown;
  readonly expected: string;

  constructor({ op, parameter, axis, actual, expected, remedy }: GeometryFault) {
    const where = axis === undefined ? parameter : `${parameter}[${axis}]`;
    super(`${op}: ${where} is ${show(actual)}, expected ${expected}. ${remedy}`);
    this.op = op;
    this.parameter = parameter;
    this.axis = axis;
    this.actual = actual;
    this.expected = expected;
  }
}

/** What an {@link OperandError} knows about the operand that was wrong. */
export interface OperandFault {
  /** The kernel, e.g. `'matmul'`. */
  readonly op: string;
  /** Its parameter, e.g. `'out'`. */
  readonly operand: string;
  /** What of it is wrong, e.g. `'length'`. */
  readonly property: string;
  /** What was given. */
  readonly actual: unknown;
  /** What would have been right, in words and numbers. */
  readonly expected: string;
}

/**
 * An array or view that a kernel cannot work on: too short or too long, reaching past its end, or of a shape that does not fit the
 * others. Nothing was read or written.
 *
 * @example
 * ```ts
 * const a = { data: new Float32Array(6), shape: [2, 3], strides: [3, 1], offset: 0 };
 * try {
 *   kernels.neg(a, new Float32Array(5));
 * } catch (error) {
 *   if (error instanceof OperandError) console.log(error.op, error.operand, error.actual); // neg out 5
 * }
 * ```
 */
export class OperandError extends RangeError {
  override readonly name = 'OperandError';
  readonly op: string;
  readonly operand: string;
  readonly property: string;
  readonly actual: unknown;
  readonly expected: string;

  constructor({ op, operand, property, actual, expected }: OperandFault) {
    super(
      `${op}: the ${property} of ${operand} is ${show(actual)}, expected ${expected}. ` +
        'Views must lie within their arrays, and results have exactly as many elements as their shape.',
    );
    this.op = op;
    this.operand = operand;
    this.property = property;
    this.actual = actual;
    this.expected = expected;
  }
}

/** An integer was divided by zero; integers have no infinity to return (PyTorch raises here too). */
export class IntegerDivisionError extends RangeError {
  override readonly name = 'IntegerDivisionError';
  readonly op: string;

  constructor(op: string) {
    super(
      `${op}: an element of the integer divisor is 0, and an integer result has no value for that. ` +
        'Replace the zeros in the divisor, or divide in float32 or float64, which give Infinity or NaN.',
    );
    this.op = op;
  }
}

/** `ADJOINT_KERNELS` or `openTier` asks for a tier or an instruction set that does not exist or is not available here. */
export class KernelTierError extends Error {
  override readonly name = 'KernelTierError';
  readonly requested: string;
  readonly available: readonly string[];

  /** @param reason - why the tier is not available, as a sentence; empty for a name that no tier has */
  constructor(requested: string, available: readonly string[], reason: string) {
    super(
      `'${requested}' was asked for, but the tiers available here are: ${available.join(', ')}. ${reason}${reason && ' '}` +
        'Set ADJOINT_KERNELS to one of these, or unset it to get the fastest of them.',
    );
    this.requested = requested;
    this.available = available;
  }
}

// Never throws, whatever the value: it stands in messages about what was not expected.
function show(value: unknown): string {
  if (Array.isArray(value)) return `[${Array.from(value, show).join(', ')}]`;
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  const name = (value as { readonly constructor?: { readonly name?: unknown } }).constructor?.name;
  if (typeof name !== 'string' || name === 'Object') return 'an object';
  return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
}
