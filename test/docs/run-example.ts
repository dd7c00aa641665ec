// Runs the code of a document: an example is a list of statements, and a comment at the end of one says its value.
//
//     add(tensor([1, 2]), 10).toArray(); // [11, 12]          the value of the statement
//     const y = noGrad(() => mul(x, 2)); // y.requiresGrad === false      an assertion
//
// A comment that is neither a literal nor holds `===` is prose, and the statement is only run.

import { transformWithEsbuild } from 'vite';

/** A piece of code in a document, and where it stands. */
export interface Example {
  readonly name: string;
  readonly code: string;
}

interface Statement {
  readonly code: string;
  readonly comment: string;
}

// Names that a module exports and a function cannot have as a parameter.
const reserved = new Set(['default', 'var']);

/** Runs `code` with `scope` in reach and throws if a comment does not hold. */
export async function runExample(code: string, scope: Readonly<Record<string, unknown>>): Promise<number> {
  let claims = 0;
  const check = (actual: unknown, expected: unknown, source: string): void => {
    claims++;
    if (!same(plain(actual), plain(expected))) {
      throw new Error(`the example says ${source}, and the value is ${JSON.stringify(plain(actual))}`);
    }
  };
  const lines = split(withoutImports(code)).map(({ code: statement, comment }) => {
    const source = JSON.stringify(comment);
    if (comment.includes('===')) return `${statement}\n__check(${comment}, true, ${source});`;
    const literal = literalOf(comment);
    if (literal === null) return statement;
    const declared = /^(?:export )?(?:const|let) (\w+)/.exec(statement);
    if (declared) return `${statement}\n__check(${declared[1]}, ${literal}, ${source});`;
    if (statement.startsWith('console.log('))
      return `${statement}\n__check(__printed(), ${literal}, ${source});`;
    return `__check((${statement.trim().replace(/;$/, '')}), ${literal}, ${source});`;
  });
  const { code: script } = await transformWithEsbuild(
    lines.join('\n').replace(/^export /gm, ''),
    'example.ts',
    {
      loader: 'ts',
      target: 'es2022',
      sourcemap: false,
    },
  );
  const names = Object.keys(scope).filter((name) => !reserved.has(name));
  // What the last console.log printed; a number that was formatted counts as the number.
  let printed: unknown;
  const console = {
    log: (...values: unknown[]): void => {
      const last = values.at(-1);
      printed = typeof last === 'string' && Number.isFinite(Number(last)) ? Number(last) : last;
    },
    warn: (): void => {},
    error: (): void => {},
  };
  const AsyncFunction = (async () => {}).constructor as new (
    ...args: string[]
  ) => (...args: unknown[]) => unknown;
  // The body is a block of its own, so that an example may declare a name that is also in reach.
  await new AsyncFunction(...names, 'console', '__check', '__printed', `{\n${script}\n}`)(
    ...names.map((name) => scope[name]),
    console,
    check,
    () => printed,
  );
  return claims;
}

/** The names that a document's import lines bring in; the caller provides them. */
export function importsOf(code: string): { readonly names: readonly string[]; readonly from: string }[] {
  return [...code.matchAll(/^import (?:type )?\{([^}]*)\} from '([^']+)';$/gm)].map(([, list, from]) => ({
    names: list
      .split(',')
      .map((name) => name.trim().replace(/^type /, ''))
      .filter((name) => name !== ''),
    from,
  }));
}

function withoutImports(code: string): string {
  return code.replace(/^import [^;]*;$/gm, '');
}

// Cuts code into statements: a statement ends with the line on which all brackets are closed.
function split(code: string): Statement[] {
  const statements: Statement[] = [];
  let open: string[] = [];
  let depth = 0;
  for (const line of code.split('\n')) {
    const [, text, comment] = /^(.*?)(?:\s*\/\/ ?(.*))?$/.exec(hideStrings(line))!;
    const bare = line.slice(0, text.length);
    for (const char of text) depth += '([{'.includes(char) ? 1 : ')]}'.includes(char) ? -1 : 0;
    open.push(bare);
    if (depth > 0 || /^\s*\./.test(line)) continue;
    const note = comment === undefined ? '' : line.slice(line.length - comment.length);
    statements.push({ code: open.join('\n'), comment: note });
    open = [];
  }
  if (open.length > 0) statements.push({ code: open.join('\n'), comment: '' });
  return statements;
}

// The same line with what stands in quotes blanked, so that brackets and slashes in strings do not count.
function hideStrings(line: string): string {
  return line.replace(/'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|"(?:[^"\\]|\\.)*"/g, (text) =>
    ' '.repeat(text.length),
  );
}

// The literal at the start of a comment: `[63, 63]: the extents` is [63, 63].
function literalOf(comment: string): string | null {
  const match =
    /^(?:Float32Array|Float64Array|Int32Array|Uint8Array)?\s*(\[.*\]|-?(?:\d[\d.e+-]*|Infinity)|NaN|true|false|null|'[^']*')(?=$|[\s,:;(.])/.exec(
      comment,
    );
  if (match === null || match[1].includes('...')) return null;
  return match[1];
}

function plain(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && 'toArray' in value) {
    return (value as { toArray(): unknown }).toArray();
  }
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>);
  return Array.isArray(value) ? value.map(plain) : value;
}

// Documents round: six significant digits must agree.
function same(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') {
    return Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-6 * Math.max(Math.abs(a), Math.abs(b));
  }
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, i) => same(item, b[i]));
  return a === b;
}
