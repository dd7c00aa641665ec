// @adjoint/core/graph: what a function computes, without computing it; and what a tensor was computed from.

export { type BackwardDiagramOptions, backwardDiagram } from './backward-diagram.ts';
export type { DiagramNode, DiagramOperand, DiagramOutput, NodeKind } from './content.ts';
export type { Cost } from './costs.ts';
export { Diagram } from './diagram.ts';
export { Graph } from './graph.ts';
export { Summary, type SummaryRow } from './summary.ts';
export { type TensorSpec, type TensorsOf, trace } from './trace.ts';
