// The main job: trains a convolutional autoencoder on handwritten digits, shows how it goes, and keeps what it made.
//
//     pnpm start --data DIR --epochs 2 --batch 64 --lr 0.002 --seed 0 --out out/autoencoder --resume
//
// The checkpoint is written after each epoch, and when Ctrl-C (or SIGTERM) stops the run after its step; `--resume` then goes
// on to the same bits that an uninterrupted run would have reached.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { AdjointError, ArgumentError, manualSeed, type Tensor } from '@adjoint/core';
import { Adam } from '@adjoint/nn/optim';
import { createProgress } from '@adjoint/nn/progress';
import { type History, resume, save } from './checkpoint.ts';
import { type Digits, loadDigits } from './digits.ts';
import { type LossPoint, lossCurveSvg } from './loss-curve.ts';
import { Autoencoder } from './model.ts';
import { type Options, readOptions } from './options.ts';
import { reconstructionsPng } from './pictures.ts';
import { reconstruct, type Step, stepsPerEpoch, train } from './train.ts';

const SHOWN = 48;

async function main(options: Options): Promise<void> {
  const digits = await loadDigits(options);
  requireSize(digits);
  const checkpoint = join(options.out, 'checkpoint.safetensors');

  manualSeed(options.seed);
  const model = new Autoencoder();
  const optimizer = new Adam(model.parameters(), { lr: options.lr });
  const images = digits.training.shape[0];
  const { digest } = digits;
  const settings = { seed: options.seed, batch: options.batch, lr: options.lr, images, digest };
  const before: History = options.resume
    ? await resume(checkpoint, { model, optimizer }, settings)
    : { position: { epoch: 0, step: 0 }, training: [], heldOut: [] };

  await makeFolder(options.out);

  const steps = stepsPerEpoch(images, options.batch);
  const plan = `${counted(options.epochs, 'epoch')} of ${counted(steps, 'step')}`;
  console.log(`${counted(images, 'image')} from ${digits.source}; ${plan}.`);
  const { epoch: done } = before.position;
  const isDone = done >= options.epochs;
  if (isDone) {
    console.log(
      `Nothing is left to do: the checkpoint is of ${counted(done, 'epoch')}; give more with --epochs to go on.`,
    );
  }
  const keep = (history: History): Promise<void> => save(checkpoint, { model, optimizer }, settings, history);
  const { history, stopped } = isDone
    ? { history: before, stopped: null }
    : await run(options, { model, optimizer, digits, before, keep });
  if (!isDone) await keep(history);
  const loss = await writePictures(options.out, model, digits, history);
  console.log(
    `Loss ${loss.toFixed(4)} on ${counted(Math.min(SHOWN, digits.heldOut.shape[0]), 'image')} held out. ` +
      `Wrote reconstructions.png, loss.svg and checkpoint.safetensors to ${options.out}.`,
  );
  if (stopped === null) return;
  const { epoch, step } = history.position;
  console.log(`Stopped after step ${step} of ${steps} in epoch ${epoch + 1}; go on with --resume.`);
  process.exitCode = stopped === 'SIGINT' ? 130 : 143;
}

interface Run {
  readonly model: Autoencoder;
  readonly optimizer: Adam;
  readonly digits: Digits;
  readonly before: History;
  /** Writes the checkpoint. */
  readonly keep: (history: History) => Promise<void>;
}

type StopSignal = 'SIGINT' | 'SIGTERM';

// Trains until the last epoch is done or a signal asks to stop, and keeps a checkpoint of each epoch.
async function run(
  options: Options,
  { model, optimizer, digits, before, keep }: Run,
): Promise<{ readonly history: History; readonly stopped: StopSignal | null }> {
  let { position } = before;
  const training: LossPoint[] = [...before.training];
  const heldOut: LossPoint[] = [...before.heldOut];
  const count = digits.training.shape[0];
  const seen = (): number => position.epoch * count + position.step * options.batch;
  const progress = createProgress({ total: options.epochs * count, initial: seen(), stream: process.stdout });
  let stopped: StopSignal | null = null;
  const stop = (signal: StopSignal): void => {
    stopped = signal;
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    for (const step of train({ ...options, model, optimizer, images: digits.training, from: position })) {
      requireFinite(step);
      position = step.position;
      training.push({ step: training.length + 1, loss: step.loss });
      progress.update(seen(), { epoch: `${step.epoch}/${options.epochs}`, loss: step.loss });
      if (position.step === 0) {
        heldOut.push({ step: training.length, loss: reconstruct(model, digits.heldOut).loss });
        await keep({ position, training, heldOut });
      }
      // The display and signals get their turn.
      await setImmediate();
      if (stopped !== null) break;
    }
  } finally {
    progress.stop();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
  return { history: { position, training, heldOut }, stopped };
}

// Originals beside reconstructions, and the loss curve; gives the loss on the images shown.
async function writePictures(
  out: string,
  model: Autoencoder,
  { heldOut, height, width }: Digits,
  history: History,
): Promise<number> {
  const originals: Tensor = heldOut.narrow(0, 0, Math.min(SHOWN, heldOut.shape[0]));
  const { images, loss } = reconstruct(model, originals);
  const png = reconstructionsPng({
    originals: originals.toTypedArray(),
    reconstructions: images.toTypedArray(),
    height,
    width,
  });
  const svg = lossCurveSvg({
    title: 'Autoencoder on handwritten digits',
    training: history.training,
    heldOut: history.heldOut,
    yLabel: 'cross-entropy per pixel',
  });
  await writeFile(join(out, 'reconstructions.png'), png);
  await writeFile(join(out, 'loss.svg'), svg);
  return loss;
}

async function makeFolder(out: string): Promise<void> {
  try {
    await mkdir(out, { recursive: true });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const error = new ArgumentError(`the folder ${out} cannot be made (${why}); give another.`, {
      op: 'autoencoder',
      operand: '--out',
      actual: out,
    });
    error.cause = cause;
    throw error;
  }
}

function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

function requireFinite({ loss, epoch }: Step): void {
  if (Number.isFinite(loss)) return;
  throw new ArgumentError(
    `the loss became ${loss} in epoch ${epoch}: training diverged; use a smaller --lr. The checkpoint of the last whole epoch, if any, is kept.`,
    { op: 'autoencoder', operand: '--lr', actual: loss, expected: 'a finite loss' },
  );
}

function requireSize({ height, width }: Digits): void {
  if (height === 28 && width === 28) return;
  throw new AdjointError(
    `the images are ${height} × ${width}, and this model takes 28 × 28; use MNIST or data laid out like it.`,
    { op: 'autoencoder', operand: '--data', actual: [height, width], expected: '28 × 28' },
  );
}

try {
  await main(readOptions(process.argv.slice(2)));
} catch (error) {
  // What the user can act on is a sentence; anything else is a bug and keeps its stack.
  if (!(error instanceof AdjointError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
