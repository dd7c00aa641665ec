// Learns a poem letter by letter with an LSTM, and recites it.
//
//     node --import tsx examples/char-lstm.ts --steps 400

import { parseArgs } from 'node:util';
import {
  crossEntropy,
  Generator,
  manualSeed,
  multinomial,
  noGrad,
  softmax,
  type Tensor,
  tensor,
} from '@adjoint/core';
import { Embedding, Linear, LSTM, type LSTMState, Module } from '@adjoint/nn';
import { DataLoader } from '@adjoint/nn/data';
import { Adam } from '@adjoint/nn/optim';
import { train } from '@adjoint/nn/train';

// Lewis Carroll, "Jabberwocky", 1871.
const poem = `'Twas brillig, and the slithy toves
Did gyre and gimble in the wabe:
All mimsy were the borogoves,
And the mome raths outgrabe.

"Beware the Jabberwock, my son!
The jaws that bite, the claws that catch!
Beware the Jubjub bird, and shun
The frumious Bandersnatch!"

He took his vorpal sword in hand;
Long time the manxome foe he sought-
So rested he by the Tumtum tree
And stood awhile in thought.
`;
const letters = [...new Set(poem)].sort();
const codes = Array.from(poem, (letter) => letters.indexOf(letter));
const length = 48;

/** (N, L) letters in, (N, letters, L) scores of the next ones out. */
class Reciter extends Module {
  readonly embedding = new Embedding(letters.length, 24);
  readonly lstm = new LSTM(24, 96, { batchFirst: true });
  readonly last = new Linear(96, letters.length);

  forward(x: Tensor): Tensor {
    return this.scores(x).scores.transpose(1, 2);
  }

  scores(x: Tensor, state?: LSTMState): { readonly scores: Tensor; readonly state: LSTMState } {
    const { output, ...next } = this.lstm.forward(this.embedding.forward(x), state);
    return { scores: this.last.forward(output), state: next };
  }
}

const { values: options } = parseArgs({ options: { steps: { type: 'string', default: '400' } } });
manualSeed(0);
const model = new Reciter();
const optimizer = new Adam(model.parameters(), { lr: 5e-3 });
// Every stretch of the poem, and the same one letter on.
const stretch = (start: number): Tensor => tensor(codes.slice(start, start + length), { dtype: 'int32' });
const stretches = Array.from(
  { length: codes.length - length },
  (_, i) => [stretch(i), stretch(i + 1)] as const,
);
const data = new DataLoader(stretches, { batchSize: 16, shuffle: true });
const steps = Number(options.steps);
for await (const { step, loss } of train({
  model,
  data,
  loss: crossEntropy,
  optimizer,
  steps,
  clipGradNorm: 1,
})) {
  if (step === 1 || step % 25 === 0 || step === steps) console.log(`step ${step}: loss ${loss.toFixed(4)}`);
}

/** The letters that the model goes on with, drawn by its odds. */
function recite(begin: string, count: number): string {
  const generator = new Generator(1);
  let text = begin;
  let input = begin;
  let state: LSTMState | undefined;
  for (let i = 0; i < count; i++) {
    const x = tensor([Array.from(input, (letter) => letters.indexOf(letter))], { dtype: 'int32' });
    const next = model.scores(x, state);
    const odds = softmax(next.scores.select(1, -1).div(0.5), { axis: -1 });
    input = letters[multinomial(odds, 1, { generator }).item()];
    text += input;
    state = next.state;
  }
  return text;
}
console.log(`\n${noGrad(() => recite("'Twas", 160))}`);
