// A graph in the DOT language of Graphviz.

import { colours } from './colours.ts';
import { captionOf, type DiagramContent, typeOf } from './content.ts';

/** Writes a digraph; operands are named on the edges of ops that have several. */
export function drawDot({ title, nodes, outputs }: DiagramContent): string {
  const lines = nodes.flatMap((node, i) => {
    const { fill, line } = colours[node.kind];
    const style = [
      `label=${quote(`${captionOf(node)}\n${typeOf(node)}`)}`,
      `shape=${node.kind === 'input' ? 'oval' : 'box'}`,
      `fillcolor="${fill}"`,
      `color="${line}"`,
      ...(node.note === '' ? [] : [`tooltip=${quote(node.note)}`]),
    ];
    const edges = node.operands.flatMap(({ label, source }) =>
      typeof source === 'string'
        ? []
        : [`n${source} -> n${i}${node.operands.length > 1 ? ` [label=${quote(label)}]` : ''};`],
    );
    return [`n${i} [${style.join(', ')}];`, ...edges];
  });
  const ends = outputs.flatMap(({ name, source }, i) => [
    `out${i} [label=${quote(name === '' ? 'output' : name)}, shape=oval, style=dashed];`,
    `n${source} -> out${i};`,
  ]);
  return [
    `digraph ${quote(title)} {`,
    '  node [style="filled,rounded", fontname="Helvetica", fontsize=11];',
    '  edge [fontname="Helvetica", fontsize=9];',
    ...[...lines, ...ends].map((line) => `  ${line}`),
    '}',
  ].join('\n');
}

function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}
