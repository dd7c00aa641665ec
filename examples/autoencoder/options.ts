// The command line of the main job.

import { Command, InvalidArgumentError, Option } from 'commander';

/** What the main job was asked to do. */
export interface Options {
  /** Folder with MNIST's files; without it digits are drawn from strokes. */
  readonly data: string | undefined;
  readonly epochs: number;
  readonly batch: number;
  readonly lr: number;
  readonly seed: number;
  /** Images to train on at the most. */
  readonly limit: number;
  /** Folder for the pictures, the curve and the checkpoint. */
  readonly out: string;
  /** Go on from the checkpoint in `out`. */
  readonly resume: boolean;
}

const whole =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`Give a whole number of at least ${least}.`);
  };

function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Give a number above 0.');
}

function folder(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError("Give a folder with MNIST's files, or leave it out: digits are drawn then.");
}

/** Reads the arguments; prints help, or what is wrong with them, and ends the process where there is no more to do. */
export function readOptions(argv: readonly string[]): Options {
  const command = new Command('autoencoder')
    .description('Trains a convolutional autoencoder on handwritten digits.')
    .addOption(
      new Option('--data <dir>', "folder with MNIST's files, gzipped or not (default: draw digits)")
        .env('ADJOINT_DATA')
        .argParser(folder),
    )
    .option('--epochs <n>', 'passes over the images', whole(1), 2)
    .option('--batch <n>', 'images in a step', whole(2), 64)
    .option('--lr <x>', "Adam's step size", positive, 2e-3)
    .option('--seed <n>', 'weights, order of images and drawn digits follow from it', whole(0), 0)
    .option('--limit <n>', 'images to train on at the most', whole(2), 8000)
    .option('--out <dir>', 'folder for the results', 'out/autoencoder')
    .option('--resume', 'go on from the checkpoint in the folder for the results', false)
    .helpOption('-h, --help', 'show this')
    .allowExcessArguments(false);
  // npm's users write `start -- --epochs 1`, and pnpm hands the dashes on.
  const own = argv[0] === '--' ? argv.slice(1) : argv;
  return command.parse(own, { from: 'user' }).opts<Options>();
}
