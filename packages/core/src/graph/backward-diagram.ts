// The recorded tape of a real tensor, shown as a traced graph is.

import { ancestors } from '../autograd/paths.ts';
import { formatShape, GradientError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import type { AnyOp } from '../registry.ts';
import type { Node } from '../tape/node.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { formatAttrs } from './attrs.ts';
import type { DiagramNode, DiagramOperand } from './content.ts';
import type { TensorNames } from './describe.ts';
import { Diagram } from './diagram.ts';

/** Options of {@link backwardDiagram}. */
export interface BackwardDiagramOptions {
  /** Names of leaves, such as a module's `namedParameters()`. Default: `w0`, `w1`, … in the order of their making. */
  readonly names?: Iterable<readonly [name: string, tensor: Tensor]> | undefined;
}

/**
 * What `backward` will go through: the ops that the tensor was computed by and that a gradient flows through, down to the
 * leaves that collect it. An operand that needs no gradient is not on the tape, and shown as `·`. The note of each op
 * says which tensors it keeps for its derivative rules; none, once a backward pass has let go of them.
 *
 * @throws GradientError if the tensor requires no gradient: then there is no tape.
 * @example
 * const w = tensor([1, 2], { requiresGrad: true });
 * const loss = sum(mul(w, w));
 * backwardDiagram(loss, { names: [['w', w]] }).toString().includes('%0 = mul(%w, %w)'); // true
 */
export function backwardDiagram(output: Tensor, options: BackwardDiagramOptions = noOptions): Diagram {
  requireOptions('backwardDiagram', options, { names: 'own' });
  requireTensor('backwardDiagram', 'output', output);
  const { names = [] } = options;
  if (output.node === null) {
    throw new GradientError(
      `the tensor of shape ${formatShape(output.shape)} requires no gradient, so nothing was recorded; compute it from a tensor with requiresGrad, outside of noGrad. To show any function, trace it.`,
      { op: 'backwardDiagram', operand: 'output', expected: 'a tensor computed from one with requiresGrad' },
    );
  }
  const given: TensorNames = new Map([...names].map(([name, tensor]) => [tensor, name]));
  const order = [...ancestors(output.node)].sort((a, b) => a.id - b.id);
  const place = new Map(order.map((node, i) => [node, i]));
  let leaves = 0;
  let ops = 0;
  const nodes = order.map((node): DiagramNode => {
    const { op, leaf, shape, dtype, parents } = node;
    if (op === null) {
      const name = (leaf === null ? undefined : given.get(leaf)) ?? `w${leaves++}`;
      return { kind: 'parameter', name, label: 'leaf', operands: [], shape, dtype, note: '' };
    }
    const operands = parents.map((parent, i): DiagramOperand => {
      const label = op.operandName(i).replaceAll("'", '');
      return { label, source: parent === null ? '·' : place.get(parent)! };
    });
    const kind = op.view === null ? 'op' : 'view';
    const note = [formatAttrs(node.attrs), savesOf(op, node)].filter((part) => part !== '').join(' ');
    return { kind, name: String(ops++), label: op.name, operands, shape, dtype, note };
  });
  const { shape, dtype } = output;
  return new Diagram({
    title: 'tape',
    nodes,
    outputs: [{ name: '', source: place.get(output.node)!, shape, dtype }],
  });
}

// The operands (or output, or kept tensors) that the rules of the operands with a gradient will read.
function savesOf(op: AnyOp, { parents, savedTensors }: Node): string {
  const slots = parents.flatMap((parent, i) => (parent === null ? [] : (op.slots[i] ?? [])));
  if (slots.length === 0) return '';
  const names = [...new Set(slots)].map((slot) =>
    op.slotName(slot).replace('operand ', '').replaceAll("'", ''),
  );
  return savedTensors.length > 0 ? `saves=[${names.join(', ')}]` : 'saves=[] (let go)';
}
