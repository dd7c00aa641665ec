// A graph as text, in the form of a program in which every value is given once.

import { type DiagramContent, type DiagramNode, typeOf } from './content.ts';

/** One line per node, and one for what the graph gives. */
export function drawText({ title, nodes, outputs }: DiagramContent): string {
  const ref = (index: number): string => `%${nodes[index].name}`;
  const left = nodes.map((node) => `  ${statement(node, ref)}`);
  const types = nodes.map(typeOf);
  const leftWidth = Math.max(0, ...left.map(({ length }) => length));
  const typeWidth = Math.max(0, ...types.map(({ length }) => length));
  const lines = nodes.map(({ note }, i) =>
    `${left[i].padEnd(leftWidth)}  : ${types[i].padEnd(typeWidth)}  ${note === '' ? '' : `{${note}}`}`.trimEnd(),
  );
  const results = outputs.map(({ name, source }) => (name === '' ? ref(source) : `${name}: ${ref(source)}`));
  return [`${title} {`, ...lines, `  return ${results.join(', ')}`, '}'].join('\n');
}

function statement({ name, kind, label, operands }: DiagramNode, ref: (index: number) => string): string {
  const args = operands.map(({ source }) => (typeof source === 'number' ? ref(source) : source)).join(', ');
  // A change in place gives no new value.
  if (kind === 'write') return `${label}(${args})`;
  const computed = kind === 'op' || kind === 'view' || kind === 'made';
  return `%${name} = ${computed ? `${label}(${args})` : label}`;
}
