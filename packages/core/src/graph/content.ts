// A graph as it is shown: nodes with names, and what each reads. All printed forms are made from this one.

import type { DType } from '../dtype.ts';
import { formatShape } from '../errors.ts';
import type { Shape } from '../shape.ts';

/** What a node stands for, which decides how it looks. */
export type NodeKind = 'input' | 'parameter' | 'constant' | 'op' | 'view' | 'made' | 'write';

/** An operand of a node: another node, or a text in its place (a number, or `·` for a value that no gradient needs). */
export interface DiagramOperand {
  /** The operand's name in the op's record, where there are several. */
  readonly label: string;
  /** The operand's node, by its place in `nodes`; or the text. */
  readonly source: number | string;
}

/** A value of the graph. */
export interface DiagramNode {
  /** What it stands for. */
  readonly kind: NodeKind;
  /** Printed as `%name`; unique, but that a change in place goes by the name of what it changes. */
  readonly name: string;
  /** What gives the value: the name of an op, or `input`, `parameter`, `constant`. */
  readonly label: string;
  /** What it reads, in order. */
  readonly operands: readonly DiagramOperand[];
  /** The value's shape. */
  readonly shape: Shape;
  /** The value's dtype. */
  readonly dtype: DType;
  /** More about it, on one line: the op's attributes. */
  readonly note: string;
}

/** A result of the graph. */
export interface DiagramOutput {
  /** Where it stands in what the function returned; empty if it is all of it. */
  readonly name: string;
  /** The node that gives it. */
  readonly source: number;
  /** Its shape. */
  readonly shape: Shape;
  /** Its dtype. */
  readonly dtype: DType;
}

/** Nodes in an order in which each comes after those it reads. */
export interface DiagramContent {
  /** The heading of its page, and its name in Graphviz's language. */
  readonly title: string;
  /** The values, each after those it reads. */
  readonly nodes: readonly DiagramNode[];
  /** The results. */
  readonly outputs: readonly DiagramOutput[];
}

/** Dtype and shape, as they stand beside a value: `float32 (2, 3)`. */
export function typeOf({ dtype, shape }: { readonly dtype: DType; readonly shape: Shape }): string {
  return `${dtype} ${formatShape(shape)}`;
}

/** What a node is called in a picture: its op, with operands that are no nodes: `mul(·, 2)`; or its own name. */
export function captionOf({ kind, name, label, operands }: DiagramNode): string {
  if (kind === 'input' || kind === 'parameter' || kind === 'constant') return name;
  if (operands.every(({ source }) => typeof source === 'number')) return label;
  return `${label}(${operands.map(({ source }) => (typeof source === 'number' ? '·' : source)).join(', ')})`;
}
