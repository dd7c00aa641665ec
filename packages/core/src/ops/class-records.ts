// The records of the cross entropy between softmax of logits and class numbers: the loss, reduced, and its gradient in the logits.
// Neither makes a distribution of the target, or keeps more than a number per sample. The public function is in ./losses-classes.ts.
//
// Logits have shape (batch, classes, …), targets and what there is one of per sample (batch, …).

import { type ClassGeometry, type FloatArray, kernels, type Strided } from '@adjoint/kernels-cpu';
import { allocate, computeDType } from '../dtype.ts';
import { formatShape, ShapeError } from '../errors.ts';
import type { OperandSpec } from '../record.ts';
import { defineOp, noGradient, vjpRule } from '../registry.ts';
import { type Shape, sameShape } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { isFollowed } from '../tape/followed.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, mul, neg, sub } from './arithmetic.ts';
import { cast } from './cast.ts';
import { eq, ne } from './compare.ts';
import { ones } from './create.ts';
import { expand, sum } from './expand-sum.ts';
import { exp } from './exponential.ts';
import { readIndices, requireIndex } from './index-values.ts';
import { flopsPerElement, requireFloat, requireOperand } from './infer.ts';
import { reshape } from './layout.ts';
import type { Reduction } from './loss-reduction.ts';
import { arange } from './ranges.ts';
import { where } from './select.ts';
import { logsumexp } from './softmax.ts';

export const targetHasNone = noGradient(
  'class numbers do not change continuously; for a gradient in the target give crossEntropy probabilities.',
);

/** The distribution that a target stands for. */
interface TargetAttrs {
  /** The target of samples that have neither loss nor gradient. */
  readonly ignoreIndex: number;
  /** How much of the distribution is spread evenly over all classes. */
  readonly smoothing: number;
}

interface CrossEntropyAttrs extends TargetAttrs {
  readonly reduction: Reduction;
}

const op = 'crossEntropy';

/** @throws DTypeError or ShapeError unless the operands are logits and targets that fit. */
function requireLogits(input: OperandSpec, target: OperandSpec): void {
  requireFloat(op, 'input', input);
  requireIndex(op, 'target', target);
  const { shape } = input;
  if (shape.length < 2)
    throw new ShapeError(`input has shape ${formatShape(shape)}; it takes (batch, classes, …).`, {
      op,
      operand: 'input',
      actual: shape,
      expected: '(batch, classes, …)',
    });
  const expected = withoutClasses(shape);
  if (sameShape(target.shape, expected)) return;
  throw new ShapeError(
    `target has shape ${formatShape(target.shape)}; beside logits of shape ${formatShape(shape)} it takes ${formatShape(expected)}.`,
    { op, operand: 'target', actual: target.shape, expected: formatShape(expected) },
  );
}

const withoutClasses = (shape: Shape): Shape => shape.filter((_, axis) => axis !== 1);

function geometryOf({ shape }: Strided, { smoothing }: TargetAttrs): ClassGeometry {
  const places = shape.slice(2).reduce((product, size) => product * size, 1);
  return { batch: shape[0], classes: shape[1], places, smoothing };
}

/** The classes as kernels take them, below 0 where there is none; and how many there are. */
function classesOf(input: Strided, target: Strided, { ignoreIndex }: TargetAttrs) {
  const values = readIndices(target, { op, operand: 'target', size: input.shape[1], ignore: ignoreIndex });
  const classes = new Int32Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const ignored = values[i] === ignoreIndex;
    classes[i] = ignored ? -1 : values[i];
    if (!ignored) count++;
  }
  return { classes, count };
}

/**
 * The cross entropy between softmax of logits and class numbers, of each sample or reduced; the mean is over samples that are not ignored,
 * and NaN of none. `logs` is log Σ e^logit of each sample, in float64, so that differences from it lose nothing.
 */
export const crossEntropyOp = defineOp<readonly ['input', 'target'], CrossEntropyAttrs>({
  name: op,
  operands: ['input', 'target'],
  infer: ([input, target], { reduction }) => {
    requireLogits(input, target);
    return {
      shape: reduction === 'none' ? target.shape : [],
      dtype: input.dtype,
      compute: input.dtype,
      kept: [
        { shape: target.shape, dtype: 'float64' },
        { shape: [], dtype: computeDType(input.dtype) },
      ],
    };
  },
  forward: ([input, target], out, attrs, _, kept) => {
    const { classes, count } = classesOf(input, target, attrs);
    const dtype = out instanceof Float64Array ? 'float64' : 'float32';
    const { reduction } = attrs;
    const losses = (reduction === 'none' ? out : allocate(dtype, classes.length)) as FloatArray;
    // One number per sample costs nothing beside its classes, so the kernel always gives them.
    const logs = kept === null ? new Float64Array(classes.length) : (kept[0] as Float64Array);
    kernels.crossEntropy(geometryOf(input, attrs), input.data as FloatArray, classes, losses, logs);
    if (reduction !== 'none')
      kernels.sum({ data: losses, shape: [losses.length], strides: [1], offset: 0 }, [0], out);
    if (reduction === 'mean') out[0] /= count;
    if (kept !== null) kept[1][0] = count;
  },
  promotes: ['input'],
  keeps: ['logs', 'count'],
  recycles: true,
  flops: (operands) => 5 * flopsPerElement(operands),
  vjps: [
    vjpRule('input', 'target', 'logs', 'count', (g, input, target, logs, count, { attrs }) => {
      const { reduction, ignoreIndex, smoothing } = attrs;
      const perSample =
        reduction === 'none' ? g : expand(reduction === 'mean' ? div(g, count) : g, target.shape);
      return crossEntropyGrad(perSample, input, target, followed(logs, input), { ignoreIndex, smoothing });
    }),
    targetHasNone,
  ],
  forwardMode: ([tangent], [input, target], output, { attrs: { reduction, ...own } }) => {
    const slope = crossEntropyGrad(
      ones(target.shape, { dtype: input.dtype as 'float32' }),
      input,
      target,
      logsOf(input),
      own,
    );
    const tangents = sum(mul(tangent!, slope), { axes: 1 });
    if (reduction === 'none') return tangents;
    const total = sum(tangents);
    return cast(
      reduction === 'sum' ? total : div(total, sum(cast(counts(target, own), total.dtype))),
      output.dtype,
    );
  },
});

const logsOf = (input: Tensor): Tensor => logsumexp(cast(input, 'float64'), { axes: 1 });

/** The numbers that were kept; where someone follows, with the derivatives of those that ops give, and still of the same bits. */
function followed(logs: Tensor, input: Tensor): Tensor {
  if (!isFollowed()) return logs;
  const own = logsOf(input);
  return add(logs, sub(own, own.detach()));
}

function crossEntropyGrad(
  g: Tensor,
  input: Tensor,
  target: Tensor,
  logs: Tensor,
  attrs: TargetAttrs,
): Tensor {
  return apply(crossEntropyGradOp, [g, input, target, logs], attrs);
}

const counts = (target: Tensor, { ignoreIndex }: TargetAttrs): Tensor => ne(target, ignoreIndex);

/** What there is one of per sample, beside its classes. */
const perClass = (x: Tensor): Tensor => reshape(x, [x.shape[0], 1, ...x.shape.slice(1)]);

/** Numbers of samples that count, and 0 for the others. */
const ofThoseThatCount = (x: Tensor, target: Tensor, attrs: TargetAttrs): Tensor =>
  where(perClass(counts(target, attrs)), x, 0);

const shares = (input: Tensor, logs: Tensor): Tensor => exp(sub(input, perClass(logs)));

/** The distribution that is aimed at. */
function aims(input: Tensor, target: Tensor, { smoothing }: TargetAttrs): Tensor {
  const classes = input.shape[1];
  const numbers = reshape(arange(classes, { dtype: 'int32' }), [
    classes,
    ...target.shape.slice(1).map(() => 1),
  ]);
  return add(
    mul(cast(eq(perClass(target), numbers), 'float64'), 1 - smoothing),
    smoothing / Math.max(1, classes),
  );
}

/** The gradient in the logits: `g · (e^(input - logs) - target distribution)`; 0 for samples that are ignored. */
export const crossEntropyGradOp = defineOp<readonly ['g', 'input', 'target', 'logs'], TargetAttrs>({
  name: 'crossEntropyGrad',
  operands: ['g', 'input', 'target', 'logs'],
  infer: ([g, input, target, logs]) => {
    requireLogits(input, target);
    requireOperand('crossEntropyGrad', 'g', g, target.shape);
    requireOperand('crossEntropyGrad', 'logs', logs, target.shape);
    return { shape: input.shape, dtype: input.dtype, compute: input.dtype };
  },
  forward: ([g, input, target, logs], out, attrs) => {
    const { classes } = classesOf(input, target, attrs);
    const [cotangents, logits] = [g.data as FloatArray, input.data as FloatArray];
    const geometry = geometryOf(input, attrs);
    kernels.crossEntropyGrad(geometry, cotangents, logits, classes, doubles(logs), out as FloatArray);
  },
  promotes: ['g', 'input'],
  recycles: true,
  flops: ([, input]) => 5 * flopsPerElement([input]),
  vjps: [
    vjpRule('input', 'target', 'logs', (h, input, target, logs, { attrs }) =>
      sum(mul(h, ofThoseThatCount(sub(shares(input, logs), aims(input, target, attrs)), target, attrs)), {
        axes: 1,
      }),
    ),
    vjpRule('g', 'input', 'target', 'logs', (h, g, input, target, logs, { attrs }) =>
      ofThoseThatCount(mul(mul(h, perClass(g)), shares(input, logs)), target, attrs),
    ),
    targetHasNone,
    vjpRule('g', 'input', 'target', 'logs', (h, g, input, target, logs, { attrs }) =>
      neg(sum(ofThoseThatCount(mul(mul(h, perClass(g)), shares(input, logs)), target, attrs), { axes: 1 })),
    ),
  ],
  forwardMode: ([tg, tInput, , tLogs], [g, input, target, logs], output, { attrs }) => {
    const share = shares(input, logs);
    const parts: Tensor[] = [];
    if (tg) parts.push(mul(perClass(tg), sub(share, aims(input, target, attrs))));
    if (tInput) parts.push(mul(mul(perClass(g), share), tInput));
    if (tLogs) parts.push(mul(mul(perClass(g), share), neg(perClass(tLogs))));
    return cast(ofThoseThatCount(parts.reduce(add), target, attrs), output.dtype);
  },
});

const doubles = ({ data }: Strided): Float64Array =>
  data instanceof Float64Array ? data : Float64Array.from(data);
