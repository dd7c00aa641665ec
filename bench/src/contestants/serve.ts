// One contestant in a process of its own: reads commands, one JSON object per line, and answers each with a line.

import { createInterface } from 'node:readline';
import type { CaseSpec } from '../cases.ts';
import { digest } from '../data.ts';
import type { Contestant, Prepared } from './contestant.ts';

/** What the main process asks for. */
export type Command =
  | { readonly do: 'describe' }
  | { readonly do: 'prepare'; readonly spec: CaseSpec }
  | { readonly do: 'time'; readonly runs: number }
  | { readonly do: 'release' };

const [, , module, threads] = process.argv;
const answer = (value: object): void => {
  process.stdout.write(`@${JSON.stringify(value)}\n`);
};

let current: Prepared | null = null;

async function obey(contestant: Contestant, command: Command): Promise<object> {
  switch (command.do) {
    case 'describe':
      return { description: contestant.describe() };
    case 'prepare': {
      current = await contestant.prepare(command.spec);
      if (current === null) return { unsupported: true };
      return { digests: (await current.results()).map(digest) };
    }
    case 'time': {
      const { run } = current!;
      const start = process.hrtime.bigint();
      for (let i = 0; i < command.runs; i++) {
        const pending = run();
        if (pending !== undefined) await pending;
      }
      return { milliseconds: Number(process.hrtime.bigint() - start) / 1e6 };
    }
    case 'release':
      current?.release?.();
      current = null;
      return {};
  }
}

const { open } = (await import(`./${module}.ts`)) as { open(threads: number): Promise<Contestant> };
const contestant = await open(Number(threads));
for await (const line of createInterface({ input: process.stdin })) {
  try {
    answer(await obey(contestant, JSON.parse(line) as Command));
  } catch (error) {
    answer({ error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
  }
}
process.exit(0);
