// What each kind of node looks like: one table for all pictures.

import type { NodeKind } from './content.ts';

/** Colours of a box: dark text is read well on every fill. */
export const colours: Readonly<Record<NodeKind, { readonly fill: string; readonly line: string }>> = {
  input: { fill: '#dbeafe', line: '#2563eb' },
  parameter: { fill: '#fef3c7', line: '#d97706' },
  constant: { fill: '#f1f5f9', line: '#94a3b8' },
  op: { fill: '#ffffff', line: '#475569' },
  view: { fill: '#ffffff', line: '#cbd5e1' },
  made: { fill: '#f3e8ff', line: '#9333ea' },
  write: { fill: '#fee2e2', line: '#dc2626' },
};
