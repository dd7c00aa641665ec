// A graph that can be shown: one object, all printed forms.

import type { DiagramContent, DiagramNode, DiagramOutput } from './content.ts';
import { drawDot } from './dot.ts';
import { drawHtml } from './html.ts';
import { drawMermaid } from './mermaid.ts';
import { drawSvg } from './svg.ts';
import { drawText } from './text.ts';

/** A graph that can be shown, as text or as a picture. */
export class Diagram implements DiagramContent {
  readonly title: string;
  readonly nodes: readonly DiagramNode[];
  readonly outputs: readonly DiagramOutput[];

  constructor({ title, nodes, outputs }: DiagramContent) {
    this.title = title;
    this.nodes = nodes;
    this.outputs = outputs;
  }

  /**
   * One line per value: what gives it, its dtype and shape, and the op's attributes.
   *
   * @example
   * import { trace } from '@adjoint/core/graph';
   * const graph = trace((x) => mul(x, 2), { shape: [3], name: 'x' });
   * graph.toString().includes('%0 = mul(%x, 2)'); // true
   */
  toString(): string {
    return drawText(this);
  }

  /** The graph in Graphviz's language: `dot -Tsvg`. */
  toDot(): string {
    return drawDot(this);
  }

  /** The graph as a Mermaid flowchart, which GitHub and many editors draw. */
  toMermaid(): string {
    return drawMermaid(this);
  }

  /** The graph as a picture: an SVG document that needs nothing else. */
  toSvg(): string {
    return drawSvg(this);
  }

  /** The picture and the text as one HTML page that needs nothing else. */
  toHtml(): string {
    return drawHtml(this);
  }
}
