// The printed form of a module: its tree, with options, shapes and numbers of parameters.

import { formatShape } from '@adjoint/core';
import { type Buffer, Parameter } from './parameter.ts';

/** What has a printed form, as modules have. */
export interface Describable {
  extraRepr(): string;
  namedChildren(): readonly (readonly [string, Describable])[];
  ownMembers(): Iterable<{ readonly name: string; readonly value: Describable | Parameter | Buffer }>;
  parameters(): readonly Parameter[];
  buffers(): readonly Buffer[];
}

/**
 * Writes the tree of a module, and below it what it holds in all:
 *
 *     Sequential(
 *       (0): Linear(784, 100)  weight (100, 784), bias (100,)  78,500 parameters
 *       (1): ReLU()
 *     )
 *     78,500 parameters
 */
export function describeModule(root: Describable): string {
  return `${tree(root, '')}\n${totals(root)}`;
}

function tree(module: Describable, indent: string): string {
  const head = `${module.constructor.name}(${module.extraRepr()})${own(module)}`;
  const children = module.namedChildren();
  if (children.length === 0) return head;
  const inner = `${indent}  `;
  const lines = children.map(([name, child]) => `${inner}(${name}): ${tree(child, inner)}`);
  const bare = `${module.constructor.name}()`;
  return `${head === bare ? bare.slice(0, -1) : `${head} (`}\n${lines.join('\n')}\n${indent})`;
}

function own(module: Describable): string {
  const parameters: string[] = [];
  const buffers: string[] = [];
  let count = 0;
  for (const { name, value } of module.ownMembers()) {
    if (value instanceof Parameter) {
      parameters.push(`${name} ${formatShape(value.shape)}${value.requiresGrad ? '' : ' frozen'}`);
      count += value.size;
    } else if ('shape' in value) {
      buffers.push(`${name} ${formatShape(value.shape)}`);
    }
  }
  const notes: string[] = [];
  if (parameters.length > 0) notes.push(parameters.join(', '));
  if (buffers.length > 0) notes.push(`buffers ${buffers.join(', ')}`);
  if (parameters.length > 0) notes.push(counted(count, 'parameter'));
  return notes.map((note) => `  ${note}`).join('');
}

function totals(root: Describable): string {
  const parameters = root.parameters();
  const count = parameters.reduce((sum, { size }) => sum + size, 0);
  const trained = parameters.reduce((sum, { size, requiresGrad }) => sum + (requiresGrad ? size : 0), 0);
  const buffered = root.buffers().reduce((sum, { size }) => sum + size, 0);
  const parts = [counted(count, 'parameter')];
  if (trained !== count) parts.push(`${grouped(trained)} of them trained`);
  if (buffered > 0) parts.push(`${counted(buffered, 'number')} in buffers`);
  return parts.join(', ');
}

function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}

// Thousands parted by commas, on every locale.
function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}
