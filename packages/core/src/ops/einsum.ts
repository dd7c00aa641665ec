// Sums of products in Einstein's notation, as a chain of matrix products from left to right.

import { ArgumentError, formatShape, quote, ShapeError } from '../errors.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { mul } from './arithmetic.ts';
import { diagonal } from './diagonal.ts';
import { type Label, readEquation } from './einsum-equation.ts';
import { expand, sum } from './expand-sum.ts';
import { permute, reshape } from './layout.ts';
import { matmul } from './matmul.ts';

/** A tensor whose axes have names, each once. */
interface Named {
  readonly x: Tensor;
  readonly labels: readonly Label[];
}

/**
 * Sums products of elements as an equation says: `'ij,jk->ik'` is the matrix product. PyTorch's `torch.einsum`.
 *
 * Each operand's axes are named by letters. A letter that is not in the result is summed over; one that stands twice in an
 * operand takes its diagonal; sizes of 1 broadcast. `...` stands for any further axes. Without `->` the result has the axes of the
 * ellipses, then the letters that occur once in alphabetical order. Several operands are multiplied from left to right.
 *
 * @throws ArgumentError for an equation that is not well formed or names another number of operands; ShapeError if operands have
 *   other numbers of axes, or sizes of one letter differ; DTypeError for bool.
 * @example
 * const a = tensor([[1, 2], [3, 4]]);
 * einsum('ij,jk->ik', a, a).toArray(); // [[7, 10], [15, 22]]: matmul(a, a)
 * einsum('ii', a).item(); // 5: the trace
 * einsum('bhqd,bhkd->bhqk', zeros([2, 4, 3, 8]), zeros([2, 4, 5, 8])).shape; // [2, 4, 3, 5]: scores of attention
 */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  if (typeof equation !== 'string') {
    throw new ArgumentError(
      `equation is ${quote(equation)}; give a string first, such as 'ij,jk->ik', then the tensors.`,
      {
        op: 'einsum',
        operand: 'equation',
        actual: equation,
        expected: 'a string',
      },
    );
  }
  operands.forEach((operand, i) => {
    requireTensor('einsum', `operands[${i}]`, operand);
  });
  const { operands: labels, result } = readEquation(
    equation,
    operands.map(({ shape }) => shape),
  );
  checkSizes(equation, operands, labels);
  const terms = operands.map((x, i) => withDistinctLabels({ x, labels: labels[i] }));
  let product = terms[0];
  for (let i = 1; i < terms.length; i++) {
    const needed = new Set([...result, ...terms.slice(i + 1).flatMap((term) => term.labels)]);
    product = multiply(product, terms[i], needed);
  }
  const { x, labels: order } = sumOut(product, (label) => result.includes(label));
  return permute(
    x,
    result.map((label) => order.indexOf(label)),
  );
}

function checkSizes(
  equation: string,
  operands: readonly Tensor[],
  labels: readonly (readonly Label[])[],
): void {
  const sizes = new Map<Label, number>();
  operands.forEach(({ shape }, i) => {
    const own = new Map<Label, number>();
    shape.forEach((size, axis) => {
      const label = labels[i][axis];
      const known = own.get(label) ?? sizes.get(label) ?? 1;
      const repeated = own.has(label);
      if (size !== known && (repeated || (size !== 1 && known !== 1))) {
        const name = label[0] === '.' ? `axis ${-Number(label.slice(1))} of '...'` : `'${label}'`;
        throw new ShapeError(
          `in '${equation}' ${name} has size ${size} in operand ${i}, of shape ${formatShape(shape)}, and ${known} before; sizes of one letter must be equal, or 1 in some operands.`,
          { op: 'einsum', operand: `operands[${i}]`, actual: shape, expected: `size ${known} for ${name}` },
        );
      }
      own.set(label, size);
      if (size !== 1 || !sizes.has(label)) sizes.set(label, size);
    });
  });
}

// Takes diagonals until no letter stands twice.
function withDistinctLabels({ x, labels }: Named): Named {
  const axis2 = labels.findIndex((label, i) => labels.indexOf(label) !== i);
  if (axis2 < 0) return { x, labels };
  const axis1 = labels.indexOf(labels[axis2]);
  const others = labels.filter((_, axis) => axis !== axis1 && axis !== axis2);
  return withDistinctLabels({ x: diagonal(x, { axis1, axis2 }), labels: [...others, labels[axis2]] });
}

function sumOut({ x, labels }: Named, keep: (label: Label) => boolean): Named {
  const axes = [...labels.keys()].filter((axis) => !keep(labels[axis]));
  return axes.length === 0 ? { x, labels } : { x: sum(x, { axes }), labels: labels.filter(keep) };
}

// The product of two, summed over the labels that nothing else needs.
function multiply(left: Named, right: Named, needed: ReadonlySet<Label>): Named {
  const a = sumOut(left, (label) => needed.has(label) || right.labels.includes(label));
  const b = sumOut(right, (label) => needed.has(label) || left.labels.includes(label));
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const sizes = new Map<Label, number>();
  for (const { x, labels } of [a, b]) {
    labels.forEach((label, axis) => {
      if (x.shape[axis] !== 1 || !sizes.has(label)) sizes.set(label, x.shape[axis]);
    });
  }
  const batch = shared.filter((label) => needed.has(label));
  const inner = shared.filter((label) => !needed.has(label));
  const rows = a.labels.filter((label) => !shared.includes(label));
  const columns = b.labels.filter((label) => !shared.includes(label));
  const extents = (labels: readonly Label[]): number[] => labels.map((label) => sizes.get(label)!);
  const count = (labels: readonly Label[]): number => extents(labels).reduce((n, size) => n * size, 1);
  const labels = [...batch, ...rows, ...columns];
  if (inner.length === 0) {
    const spread = reshape(arranged(a, [...batch, ...rows], sizes), [
      ...extents([...batch, ...rows]),
      ...columns.map(() => 1),
    ]);
    const beside = reshape(arranged(b, [...batch, ...columns], sizes), [
      ...extents(batch),
      ...rows.map(() => 1),
      ...extents(columns),
    ]);
    return { x: mul(spread, beside), labels };
  }
  const first = reshape(arranged(a, [...batch, ...rows, ...inner], sizes), [
    count(batch),
    count(rows),
    count(inner),
  ]);
  const second = reshape(arranged(b, [...batch, ...inner, ...columns], sizes), [
    count(batch),
    count(inner),
    count(columns),
  ]);
  return { x: reshape(matmul(first, second), extents(labels)), labels };
}

// Axes in the given order, those of size 1 repeated to the size that their label has elsewhere.
function arranged({ x, labels }: Named, order: readonly Label[], sizes: ReadonlyMap<Label, number>): Tensor {
  const moved = permute(
    x,
    order.map((label) => labels.indexOf(label)),
  );
  return expand(
    moved,
    order.map((label) => sizes.get(label)!),
  );
}
