// No op slips by: each stands in the table of records, has samples of every kind, and a value that something independent
// vouches for.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { builtinOps } from '@adjoint/core/ops';
import { describe, expect, it } from 'vitest';
import { Op } from '../../packages/core/src/registry.ts';
import { functionsByOp, opsOfRules } from './parity.ts';
import { samples as table } from './samples/index.ts';

const folder = join(import.meta.dirname, '../../packages/core/src/ops');

describe('the table of records', () => {
  it('holds every op that a file of ops exports, once', async () => {
    const modules: object[] = await Promise.all(
      readdirSync(folder).map((file) => import(join(folder, file))),
    );
    const exported = modules
      .flatMap((module) => Object.values(module))
      .filter((value) => value instanceof Op);
    expect(new Set(exported)).toEqual(new Set(builtinOps));
    expect(builtinOps.length).toBe(new Set(builtinOps).size);
  });

  it('gives no two ops one name', () => {
    const names = builtinOps.map(({ name }) => name);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });
});

describe('the table of samples', () => {
  it('holds every record, once, and nothing else', () => {
    const sampled = table.map(({ op }) => op);
    expect(builtinOps.filter((op) => !sampled.includes(op)).map(({ name }) => name)).toEqual([]);
    expect(sampled.filter((op, i) => !builtinOps.includes(op) || sampled.indexOf(op) !== i)).toEqual([]);
  });

  it.each(table.map((entry) => ({ name: entry.op.name, ...entry })))(
    'of $name has an operand without elements and a 0-d one, or says why not',
    ({ samples, neverEmpty, neverScalar }) => {
      const shapes = samples.flatMap(({ operands }) => operands.map(({ shape }) => shape));
      expect(shapes.some((shape) => shape.includes(0))).toBe(neverEmpty === undefined);
      expect(shapes.some((shape) => shape.length === 0)).toBe(neverScalar === undefined);
      expect(shapes.some((shape) => !shape.includes(0))).toBe(true);
    },
  );
});

describe('the value of every op', () => {
  it('is compared with that of PyTorch, in a call or in a derivative, or with a formula in a sample', () => {
    const vouched = new Set([...functionsByOp().keys(), ...opsOfRules()]);
    const alone = table.filter(
      ({ op, samples }) => !vouched.has(op) && samples.every(({ expected }) => expected === undefined),
    );
    expect(alone.map(({ op }) => op.name)).toEqual([]);
  });
});
