// Where a derivative is cut off: ops that read a detached copy of a tensor in the graph, or ran under noGrad.
//
// detach() leaves the array in place, so the cut shows: an operand without a graph over an array that the graph knows.

import { isFloat } from '../dtype.ts';
import type { Node } from '../tape/node.ts';
import type { Observer, OpRun } from '../tape/observer.ts';
import type { Storage, Tensor } from '../tensor.ts';

/** Collects where graphs are cut while it watches. */
export class Detachments implements Observer {
  private readonly known = new WeakSet<Storage>();
  private readonly places = new Set<string>();
  private readonly rules: string[] = [];

  constructor(sources: readonly Tensor[]) {
    for (const source of sources) if (source.node !== null) this.known.add(source.storage);
  }

  opRan({ op, operands, output }: OpRun): void {
    const inGraph = operands.some(({ node }) => node !== null);
    operands.forEach(({ node, storage, dtype }, i) => {
      if (node === null && isFloat(dtype) && this.known.has(storage)) {
        this.note(`'${op.name}' reads a detached copy of its operand ${op.operandName(i)}`);
      }
    });
    if (output.node !== null) this.known.add(output.storage);
    else if (inGraph && isFloat(output.dtype)) this.note(`'${op.name}' runs under noGrad`);
  }

  ruleStarts({ op }: Node, index: number): void {
    this.rules.push(`the derivative rule of operand ${op!.operandName(index)} of '${op!.name}'`);
  }

  ruleEnds(): void {
    this.rules.pop();
  }

  /** One phrase per cut. */
  get found(): readonly string[] {
    return [...this.places];
  }

  private note(what: string): void {
    const rule = this.rules.at(-1);
    this.places.add(rule === undefined ? what : `${what} in ${rule}`);
  }
}
