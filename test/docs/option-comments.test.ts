// What a user may write into an options object says what it is where the cursor is: every field of every exported interface of
// options has a comment of its own.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { filesBelow, folders, root } from '../packaging/packages.ts';

/** The fields of exported interfaces named `…Options` that stand below no comment. */
function bareFields(code: string): string[] {
  return [...code.matchAll(/^export interface (\w*Options)\b[^\n]*\{\n([\s\S]*?)^\}/gm)].flatMap(
    ([, name, body]) => {
      const lines = body.split('\n');
      return lines.flatMap((line, i) => {
        const field = /^ {2}(?:readonly )?(\w+)\??:/.exec(line);
        return field === null || lines[i - 1]?.trimEnd().endsWith('*/') ? [] : [`${name}.${field[1]}`];
      });
    },
  );
}

test('a field without a comment is found', () => {
  const code = 'export interface XOptions {\n  /** So. */\n  readonly a: 1;\n  readonly b?: 2;\n}\n';
  expect(bareFields(code)).toEqual(['XOptions.b']);
});

test('every option has a comment', () => {
  const sources = folders.flatMap((folder) => {
    const directory = `${root}/packages/${folder}/src`;
    return filesBelow(directory)
      .filter((file) => file.endsWith('.ts'))
      .map((file) => `${directory}/${file}`);
  });
  expect(sources.length).toBeGreaterThan(200);
  expect(sources.flatMap((file) => bareFields(readFileSync(file, 'utf8')))).toEqual([]);
});
