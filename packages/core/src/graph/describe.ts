// Steps of a traced graph as nodes of a diagram: names, and plain numbers in place of the tensors that hold them.

import type { Tensor } from '../tensor.ts';
import { formatAttrs } from './attrs.ts';
import type { DiagramContent, DiagramNode, DiagramOperand, NodeKind } from './content.ts';
import { isParameter, labelOf, type Outputs, operandsOf, type Step } from './steps.ts';

/** Names of tensors from outside, such as a model's `namedParameters`. */
export type TensorNames = ReadonlyMap<Tensor, string>;

/** A diagram, and what its nodes are called by the number of their step. */
export interface Description {
  readonly content: DiagramContent;
  readonly nameOf: (step: number) => string;
}

/** Describes a traced graph. */
export function describe(steps: readonly Step[], outputs: Outputs<unknown>, given: TensorNames): Description {
  const names = nameSteps(steps, given);
  const returned = new Set(outputs.steps);
  // A plain number stands in the ops that read it, unless it is a result itself.
  const numbers = new Map<number, string>();
  const nodeOf = new Map<number, number>();
  const nodes: DiagramNode[] = [];
  steps.forEach((step, id) => {
    if (step.kind === 'captured' && step.tensor.isNumber && !returned.has(id)) {
      numbers.set(id, formatNumber(step.tensor));
      return;
    }
    const operands = operandsOf(step).map((operand, i): DiagramOperand => {
      const source = numbers.get(operand) ?? nodeOf.get(operand)!;
      return { label: operandLabel(step, i), source };
    });
    const { shape, dtype } = step;
    const label = labelOf(step);
    nodeOf.set(id, nodes.length);
    nodes.push({ kind: kindOf(step), name: names[id], label, operands, shape, dtype, note: noteOf(step) });
  });
  const ends = outputs.steps.map((id, i) => {
    const { shape, dtype } = steps[id];
    return { name: outputs.paths[i], source: nodeOf.get(id)!, shape, dtype };
  });
  return { content: { title: 'graph', nodes, outputs: ends }, nameOf: (id) => names[id] };
}

function kindOf(step: Step): NodeKind {
  switch (step.kind) {
    case 'captured':
      return isParameter(step) ? 'parameter' : 'constant';
    case 'op':
      return step.op.view === null ? 'op' : 'view';
    case 'kept':
    case 'detach':
      return 'view';
    default:
      return step.kind;
  }
}

function noteOf(step: Step): string {
  if (step.kind === 'op') return formatAttrs(step.attrs);
  if (step.kind === 'captured' && step.tensor.size === 1) return `value=${formatNumber(step.tensor)}`;
  return '';
}

function operandLabel(step: Step, index: number): string {
  if (step.kind === 'op') return step.op.operandName(index).replaceAll("'", '');
  if (step.kind === 'write') return index === 0 ? 'target' : 'values';
  return '';
}

function formatNumber(tensor: Tensor): string {
  const value = tensor.item();
  if (Object.is(value, -0)) return '-0';
  // A float32 has no more than nine digits of its own.
  return String(tensor.dtype === 'float64' ? value : Number(value.toPrecision(7)));
}

// Ops are numbered; inputs, parameters and constants have names. No name stands for two values.
function nameSteps(steps: readonly Step[], given: TensorNames): string[] {
  const taken = new Set<string>();
  const unique = (wish: string): string => {
    let name = wish;
    for (let i = 1; taken.has(name); i++) name = `${wish}_${i}`;
    taken.add(name);
    return name;
  };
  const names = new Array<string>(steps.length);
  const counts = { parameter: 0, constant: 0 };
  steps.forEach((step, id) => {
    if (step.kind === 'input') names[id] = unique(step.name);
  });
  steps.forEach((step, id) => {
    if (step.kind === 'captured' && given.has(step.tensor)) names[id] = unique(given.get(step.tensor)!);
  });
  let ops = 0;
  steps.forEach((step, id) => {
    if (names[id] !== undefined) return;
    // A change in place goes by the name of what it changes.
    if (step.kind === 'write') names[id] = names[step.operands[0]];
    else if (step.kind !== 'captured') names[id] = unique(String(ops++));
    else if (isParameter(step)) names[id] = unique(`w${counts.parameter++}`);
    else if (!step.tensor.isNumber) names[id] = unique(`c${counts.constant++}`);
    else names[id] = formatNumber(step.tensor);
  });
  return names;
}
