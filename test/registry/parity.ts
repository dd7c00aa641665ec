// Which ops PyTorch vouches for: those that run while the cases of the parity table do.

import { type OpRun, observe } from '../../packages/core/src/tape/observer.ts';
import { adapters } from '../parity/adapters/index.ts';
import { families } from '../parity/families.ts';
import { loadFixtures, type ParityCase } from '../parity/oracle.ts';
import { checkCase, operandsOf } from '../parity/suite.ts';
import type { AnyOp } from './sample.ts';

/** All committed cases that can be called. */
function callable(): ParityCase[] {
  return families.flatMap((family) => loadFixtures(family)).filter(({ op }) => op in adapters);
}

/** Per op, the functions of the parity table that run it forward. */
export function functionsByOp(): ReadonlyMap<AnyOp, ReadonlySet<string>> {
  const found = new Map<AnyOp, Set<string>>();
  for (const parityCase of callable()) {
    const opRan = ({ op }: OpRun): void => {
      const names = found.get(op) ?? new Set();
      found.set(op, names.add(parityCase.op));
    };
    observe({ opRan }, () => adapters[parityCase.op](operandsOf(parityCase), parityCase.options));
  }
  return found;
}

/** The ops that run in derivative rules while gradients and second gradients are compared with PyTorch's. */
export function opsOfRules(): ReadonlySet<AnyOp> {
  const found = new Set<AnyOp>();
  let rules = 0;
  const watch = {
    opRan: ({ op }: OpRun): void => {
      if (rules > 0) found.add(op);
    },
    ruleStarts: (): void => {
      rules++;
    },
    ruleEnds: (): void => {
      rules--;
    },
  };
  for (const parityCase of callable()) {
    if (parityCase.grads !== undefined) observe(watch, () => checkCase(parityCase, adapters[parityCase.op]));
  }
  return found;
}
