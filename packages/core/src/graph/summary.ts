// The table of a graph: per op its shapes, parameters and costs, and the totals.

import type { DType } from '../dtype.ts';
import { formatShape } from '../errors.ts';
import { type Shape, sizeOf } from '../shape.ts';
import { type Cost, costOf, totalCost } from './costs.ts';
import { formatBytes, formatCount } from './numbers.ts';
import { isParameter, labelOf, operandsOf, type Step } from './steps.ts';

/** One op of a graph. */
export interface SummaryRow extends Cost {
  /** Name of its result in the printed graph. */
  readonly name: string;
  /** Name of the op. */
  readonly op: string;
  /** Shapes of its operands; those of plain numbers are empty. */
  readonly operandShapes: readonly Shape[];
  /** Shape of its result. */
  readonly shape: Shape;
  /** Dtype of its result. */
  readonly dtype: DType;
  /** Elements of the parameters that it is the first to read. */
  readonly parameters: number;
}

/** What the ops of a graph cost, one by one and together. */
export class Summary {
  /** One per op, in the order in which they run. */
  readonly rows: readonly SummaryRow[];
  /** What all of them cost together. */
  readonly totals: Cost & {
    /** Number of ops, views included. */
    readonly ops: number;
    /** Elements of all parameters. */
    readonly parameters: number;
  };

  constructor(rows: readonly SummaryRow[]) {
    this.rows = rows;
    const parameters = rows.reduce((total, row) => total + row.parameters, 0);
    this.totals = { ops: rows.length, parameters, ...totalCost(rows) };
  }

  /** The table as text, with totals in the last line. */
  toString(): string {
    const { totals } = this;
    const cells = [
      ['', 'op', 'operands', 'result', 'parameters', 'FLOPs', 'read', 'written', 'saved'],
      ...this.rows.map((row) => [
        `%${row.name}`,
        row.op,
        row.operandShapes.map(formatShape).join(' '),
        `${row.dtype} ${formatShape(row.shape)}`,
        ...numbersOf(row),
      ]),
      ['total', totals.ops === 1 ? '1 op' : `${totals.ops} ops`, '', '', ...numbersOf(totals)],
    ];
    const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
    const lines = cells.map((row) =>
      row
        .map((cell, column) => (column < 4 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
        .join('  ')
        .trimEnd(),
    );
    const rule = '-'.repeat(Math.max(...lines.map(({ length }) => length)));
    return [lines[0], rule, ...lines.slice(1, -1), rule, lines.at(-1)].join('\n');
  }
}

function numbersOf({
  parameters,
  flops,
  bytesRead,
  bytesWritten,
  bytesSaved,
}: Cost & { parameters: number }): string[] {
  return [parameters, flops].map(formatCount).concat([bytesRead, bytesWritten, bytesSaved].map(formatBytes));
}

/** Sums a graph up. */
export function summarise(steps: readonly Step[], nameOf: (id: number) => string): Summary {
  const counted = new Set<number>();
  const rows = steps.flatMap((step, id): SummaryRow[] => {
    if (step.kind === 'input' || step.kind === 'captured') return [];
    const operands = operandsOf(step);
    const parameters = [...new Set(operands)].reduce((total, operand) => {
      const source = steps[operand];
      if (!isParameter(source) || counted.has(operand)) return total;
      counted.add(operand);
      return total + sizeOf(source.shape);
    }, 0);
    const { shape, dtype } = step;
    const operandShapes = operands.map((operand) => steps[operand].shape);
    return [
      {
        name: nameOf(id),
        op: labelOf(step),
        operandShapes,
        shape,
        dtype,
        parameters,
        ...costOf(step, steps),
      },
    ];
  });
  return new Summary(rows);
}
