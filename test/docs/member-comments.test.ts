// What a user may read off an object or call on it says what it is where the cursor is: every public member of every class and interface
// that an entry of core or nn offers has a comment, of its own or, as editors show it, that of the base it comes from.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { filesBelow, manifests, root } from '../packaging/packages.ts';

/** A class or interface as it is written: which of its public members stand below a comment. */
interface Declared {
  readonly file: string;
  readonly name: string;
  readonly exported: boolean;
  readonly bases: readonly string[];
  readonly members: ReadonlyMap<string, { readonly commented: boolean; readonly inherits: boolean }>;
}

const MODIFIERS = '(?:static |abstract |readonly |async |get |set |override |protected |private |declare )*';
const MEMBER = new RegExp(`^ {2}(${MODIFIERS})\\*?(\\[[\\w.]+\\]|\\w+)[?!]?(?:[(<:;]| =)`);

/** The declarations of a file that is laid out as the formatter does: heads at the margin, members two columns in. */
function declarationsOf(file: string, code: string): Declared[] {
  const pattern =
    /^(export )?(?:abstract )?(?:class|interface) (\w+)((?:(?!\{\}|^[^\s{])[\s\S])*?)\{\n([\s\S]*?)^\}/gm;
  return [...code.matchAll(pattern)].map(([, keyword, name, head, body]) => {
    let clauses = head.replaceAll('=>', '');
    while (/<[^<>]*>/.test(clauses)) clauses = clauses.replace(/<[^<>]*>/g, '');
    const members = new Map<string, { commented: boolean; inherits: boolean }>();
    const lines = body.split('\n');
    for (const [i, line] of lines.entries()) {
      const [, modifiers, member] = MEMBER.exec(line) ?? [];
      if (member === undefined || member === 'constructor' || /private|protected/.test(modifiers)) continue;
      // One comment does for all signatures, and for getter and setter.
      const commented = members.get(member)?.commented || lines[i - 1]?.trimEnd().endsWith('*/') === true;
      members.set(member, { commented, inherits: /override|declare/.test(modifiers) });
    }
    return {
      file,
      name,
      exported: keyword !== undefined,
      bases: clauses.match(/\b(?!extends|implements)\w+/g) ?? [],
      members,
    };
  });
}

/** Members without a comment, in `offered` declarations and all that these are based on. */
function bareMembers(offered: readonly Declared[], all: readonly Declared[]): string[] {
  const baseOf = (name: string, file: string) =>
    all.find((other) => other.name === name && other.file === file) ??
    all.find((other) => other.name === name);
  const basesOf = ({ bases, file }: Declared): Declared[] =>
    bases.flatMap((name) => {
      const base = baseOf(name, file);
      return base === undefined ? [] : [base, ...basesOf(base)];
    });
  const reached = new Set(offered.flatMap((declared) => [declared, ...basesOf(declared)]));
  return [...reached].flatMap((declared) =>
    [...declared.members]
      .filter(
        ([member, { commented, inherits }]) =>
          !commented && !inherits && !basesOf(declared).some(({ members }) => members.get(member)?.commented),
      )
      .map(([member]) => `${declared.name}.${member}`),
  );
}

/** The names that an entry offers, by file; null stands for all that a file exports. */
function offeredBy(file: string, names: ReadonlySet<string> | null, into: Map<string, Set<string> | null>) {
  const known = into.get(file);
  if (known === null) return;
  into.set(file, names === null ? null : new Set([...(known ?? []), ...names]));
  const exports = /^export (?:type )?(\*(?: as \w+)?|\{[^}]*\}) from '(\.[^']*)'/gm;
  for (const [, what, path] of readFileSync(file, 'utf8').matchAll(exports)) {
    const listed = what.match(/\w+(?=(?: as \w+)?[,\s}])(?<!\btype)/g);
    offeredBy(join(dirname(file), path), what.startsWith('*') ? null : new Set(listed), into);
  }
}

test('a member without a comment is found, of a base too, and inherited comments count', () => {
  const code = `
export interface Shown extends Base {
  readonly a: number;
  /** So. */
  b(x: string): void;
  b(x: number): void;
}
interface Base {
  /** So. */
  readonly a: number;
  get c(): number;
}
export class Empty extends Shown {}
export class Made<T extends Base>
  implements
    Shown,
    Of<{ readonly z: number }>
{
  override readonly name = 'Made';
  readonly #hidden = 1;
  private readonly d = 1;
  readonly e?: number;
  constructor(
    x: number,
  ) {}
  b(): void {}
  *[Symbol.iterator]() {}
}
`;
  const all = declarationsOf('x.ts', code);
  expect(all.map(({ name }) => name)).toEqual(['Shown', 'Base', 'Made']);
  expect(all[2].bases).toEqual(['Shown', 'Of']);
  expect(bareMembers(all.slice(0, 1), all)).toEqual(['Base.c']);
  expect(bareMembers(all.slice(2), all)).toEqual(['Made.e', 'Made.[Symbol.iterator]', 'Base.c']);
});

test.each(['core', 'nn'] as const)('every public member of %s has a comment', (folder) => {
  const source = join(root, 'packages', folder, 'src');
  const all = filesBelow(source)
    .map((file) => join(source, file))
    .flatMap((file) => declarationsOf(file, readFileSync(file, 'utf8')));
  const into = new Map<string, Set<string> | null>();
  for (const entry of Object.values(manifests[folder].exports))
    offeredBy(join(root, 'packages', folder, String(entry)), null, into);
  const offered = all.filter(
    ({ file, name, exported }) => exported && (into.get(file) === null || into.get(file)?.has(name)),
  );
  expect(offered.length).toBeGreaterThan(50);
  expect(bareMembers(offered, all)).toEqual([]);
});
