// Checkpoints: all that a training run needs to go on with the same bits, as the bytes of one safetensors file.
//
// For browsers and Node; ./checkpoint-node.ts is the way to disk. The tensors stand in the file under the names of their parts
// (`model.encoder.0.weight`), so that any reader of safetensors finds the weights; the rest is JSON in the metadata.

import {
  AdjointError,
  ArgumentError,
  clone,
  DataFormatError,
  noGrad,
  requireArgument,
  requireOptions,
} from '@adjoint/core';
import { parseSafetensors, requireBytes, serializeSafetensors } from '@adjoint/core/io';
import {
  DEFAULT_GENERATOR,
  isRecord,
  type Part,
  partsOf,
  slotKinds,
  type TrainingParts,
} from './checkpoint-parts.ts';
import { packTree, unpackTree } from './checkpoint-tree.ts';

/** What {@link encodeCheckpoint} and `saveCheckpoint` keep. */
export interface CheckpointContent extends TrainingParts {
  /** Counters: epochs, steps, samples seen. */
  readonly progress?: Readonly<Record<string, number>> | undefined;
  /** Anything of yours in plain data (and tensors, typed arrays): the history of the loss, the options of the run. */
  readonly extra?: object | undefined;
}

/** A checkpoint that was read; {@link restoreCheckpoint} puts its parts back. */
export interface Checkpoint {
  /** The file, as the caller named it. */
  readonly name: string;
  /** The counters that were saved. */
  readonly progress: Readonly<Record<string, number>>;
  /** What was saved as `extra`; empty if nothing was. */
  readonly extra: Readonly<Record<string, unknown>>;
  /** The states by part: `model`, `optimizer`, `generators.default`, …; `states.model` is what `loadStateDict` takes. */
  readonly states: Readonly<Record<string, unknown>>;
}

/** Options of {@link restoreCheckpoint}. */
export interface RestoreOptions {
  /**
   * Whether the parts given must be all that the checkpoint has. Default true. With false, those that are not given are passed
   * over, the default generator among them: `{ model }` alone loads the weights, as for inference.
   */
  readonly strict?: boolean | undefined;
}

/** A checkpoint that cannot be written or read, or whose parts are not those of the run. */
export class CheckpointError extends AdjointError {
  override readonly name = 'CheckpointError';
  /** The file, as the caller named it. */
  readonly file: string;

  constructor(
    message: string,
    details: { readonly op: string; readonly file: string },
    options?: ErrorOptions,
  ) {
    super(`${details.file}: ${message}`, { op: details.op, operand: details.file });
    if (options?.cause !== undefined) this.cause = options.cause;
    this.file = details.file;
  }
}

const VERSION = '1';
const DIGEST_LENGTH = 64;
const NO_DIGEST = '0'.repeat(DIGEST_LENGTH);
const HEADER_START = 8;
// What follows the length of the header in every checkpoint. The checksum is over all bytes behind it; and it is enough
// to compare those before it, for the length is known from what it covers.
const PREAMBLE = `{"__metadata__":{"adjoint.checkpoint":"${VERSION}","adjoint.checksum":"sha256:`;
const DIGEST_START = HEADER_START + PREAMBLE.length;
const COVERED_START = DIGEST_START + DIGEST_LENGTH;

/**
 * Takes the state of a run, as the bytes of a safetensors file with a SHA-256 checksum. The same state gives the same bytes.
 *
 * The state is taken at the call, before the promise is returned: training may go on while the checksum is computed.
 *
 * @throws ArgumentError for states and extras that hold what a checkpoint cannot (functions, class instances);
 * CheckpointError where the platform has no SHA-256 (browsers have it on secure pages only).
 * @example
 * const model = new Linear(2, 3);
 * const bytes = await encodeCheckpoint({ model, progress: { epoch: 4 }, extra: { loss: [0.5, 0.25] } });
 * const checkpoint = await decodeCheckpoint(bytes);
 * restoreCheckpoint(checkpoint, { model });
 * checkpoint.progress.epoch; // 4
 */
export async function encodeCheckpoint(content: CheckpointContent): Promise<Uint8Array<ArrayBuffer>> {
  const op = 'encodeCheckpoint';
  requireOptions(op, content, { ...slotKinds, generators: 'own', progress: 'own', extra: 'own' });
  const { progress = {}, extra = {} } = content;
  for (const [counter, value] of Object.entries(progress)) {
    if (typeof value === 'number') continue;
    throw new ArgumentError(
      `progress.${counter} is ${typeof value}; give a number, and other things in extra.`,
      {
        op,
        operand: `progress.${counter}`,
        actual: value,
        expected: 'a number',
      },
    );
  }
  const states = Object.fromEntries([...partsOf(content, op)].map(([name, part]) => [name, part.get()]));
  const { json, tensors } = packTree({ ...states, progress, extra }, op);
  const bytes = serializeSafetensors(tensors, {
    metadata: {
      'adjoint.checkpoint': VERSION,
      'adjoint.checksum': `sha256:${NO_DIGEST}`,
      'adjoint.state': JSON.stringify(json),
    },
  });
  bytes.set(ascii(await digest(bytes, op, 'checkpoint')), DIGEST_START);
  return bytes;
}

/**
 * Reads a checkpoint, once its checksum is found right. Changes nothing yet.
 *
 * @param options.name what to call the file in errors. Default `'checkpoint'`.
 * @throws DataFormatError for bytes that are no checkpoint, or not as they were written.
 */
export async function decodeCheckpoint(
  bytes: Uint8Array,
  options: { readonly name?: string | undefined } = {},
): Promise<Checkpoint> {
  requireOptions('decodeCheckpoint', options, { name: 'string' });
  requireBytes('decodeCheckpoint', bytes);
  const { name = 'checkpoint' } = options;
  const op = 'decodeCheckpoint';
  const flaw = (offset: number, expected: string, actual: string, remedy: string): DataFormatError =>
    new DataFormatError({ op, file: name, offset, expected, actual, remedy });
  const preamble = ascii(PREAMBLE);
  for (let i = 0; i < preamble.length; i++) {
    const offset = HEADER_START + i;
    if (bytes[offset] === preamble[i]) continue;
    const actual =
      offset < bytes.length ? `the byte ${bytes[offset]}` : `the end of the file after ${bytes.length} bytes`;
    const expected = `what a checkpoint of version ${VERSION} begins with`;
    throw flaw(
      Math.min(offset, bytes.length),
      expected,
      actual,
      'Is this a checkpoint? Plain weights are read by parseSafetensors.',
    );
  }
  const expected = await digest(bytes, op, name);
  const actual = String.fromCharCode(...bytes.subarray(DIGEST_START, COVERED_START));
  if (expected !== actual) {
    const remedy = 'The file was damaged or cut off after it was written: use an earlier one.';
    throw flaw(
      DIGEST_START,
      `the SHA-256 of the bytes from ${COVERED_START} on, ${expected}`,
      JSON.stringify(actual),
      remedy,
    );
  }
  const { tensors, metadata } = parseSafetensors(bytes, { name });
  const wrong = (what: string): DataFormatError =>
    flaw(
      HEADER_START,
      'the state of a run in "adjoint.state"',
      what,
      'Something else than saveCheckpoint wrote this file.',
    );
  const unpacked = unpackTree({ json: parseJson(metadata['adjoint.state'], wrong), tensors });
  if ('flaw' in unpacked) throw wrong(unpacked.flaw);
  if (!isRecord(unpacked.tree)) throw wrong('a tree that is no object');
  const { progress, extra, ...states } = unpacked.tree;
  if (!isRecord(progress) || !Object.values(progress).every((value) => typeof value === 'number'))
    throw wrong('progress that is no record of numbers');
  if (!isRecord(extra)) throw wrong('an extra that is no object');
  return { name, progress: progress as Record<string, number>, extra, states };
}

/**
 * Puts the states of a checkpoint back into the parts of a run: all of them, or, if anything does not fit, none.
 *
 * @throws CheckpointError that lists the parts that only one of both has; whatever a part's own `loadStateDict` throws, after
 * the parts before it have their old state again.
 */
export function restoreCheckpoint(
  checkpoint: Checkpoint,
  parts: TrainingParts,
  options: RestoreOptions = {},
): void {
  requireRestorable(parts, options);
  const { strict = true } = options;
  const op = 'restoreCheckpoint';
  requireArgument(op, 'checkpoint.states', checkpoint?.states, Object);
  const given = partsOf(parts, op);
  if (!strict && parts.generators?.default === undefined) given.delete(DEFAULT_GENERATOR);
  const missing = [...given.keys()].filter((name) => !Object.hasOwn(checkpoint.states, name));
  const surplus = strict ? Object.keys(checkpoint.states).filter((name) => !given.has(name)) : [];
  if (missing.length > 0 || surplus.length > 0) {
    const flaws = [
      ...(missing.length > 0 ? [`it has no ${missing.join(', ')}`] : []),
      ...(surplus.length > 0 ? [`it also has ${surplus.join(', ')}`] : []),
    ];
    throw new CheckpointError(
      `the checkpoint is not of the parts given: ${flaws.join('; ')}. Nothing was restored. Give the parts that were saved; { strict: false } passes over what is not given.`,
      { op, file: checkpoint.name },
    );
  }
  const before = new Map<string, unknown>();
  for (const [name, part] of given) {
    before.set(name, copyState(part.get(), op));
    try {
      part.set(checkpoint.states[name]);
    } catch (cause) {
      const stuck = [...before].filter(([other, state]) => !putBack(given.get(other)!, state));
      if (stuck.length === 0 && cause instanceof AdjointError) throw cause;
      const rest =
        stuck.length === 0
          ? 'Nothing was restored.'
          : `Of the others, nothing was restored; the old state was not taken back by ${stuck.map(([other]) => other).join(', ')}.`;
      throw new CheckpointError(
        `${name} cannot load its state (${cause instanceof Error ? cause.message : String(cause)}). ${rest}`,
        { op, file: checkpoint.name },
        { cause },
      );
    }
  }
}

/** Throws for parts or options that are none: before a file is looked for, where one is to be. */
export function requireRestorable(parts: TrainingParts, options: RestoreOptions): void {
  requireOptions('restoreCheckpoint', options, { strict: 'boolean' });
  requireOptions('restoreCheckpoint', parts, { ...slotKinds, generators: 'own' });
}

// Whether the part took the state that it gave before.
function putBack(part: Part, state: unknown): boolean {
  try {
    part.set(state);
    return true;
  } catch {
    return false;
  }
}

// A state dict shares the arrays of what it was taken from.
function copyState(state: unknown, op: string): unknown {
  const { json, tensors } = packTree(state, op);
  const copies = noGrad(() => Object.entries(tensors).map(([name, x]) => [name, clone(x)]));
  const copy = unpackTree({ json, tensors: Object.fromEntries(copies) });
  if ('flaw' in copy) throw new ArgumentError(`the state cannot be copied: ${copy.flaw}.`, { op });
  return copy.tree;
}

async function digest(bytes: Uint8Array, op: string, file: string): Promise<string> {
  if (globalThis.crypto?.subtle === undefined) {
    throw new CheckpointError(
      'this platform has no crypto.subtle to compute a SHA-256 with; browsers have it on pages served by https only.',
      { op, file },
    );
  }
  const covered = bytes.subarray(COVERED_START) as Uint8Array<ArrayBuffer>;
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', covered));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function parseJson(text: string | undefined, wrong: (what: string) => DataFormatError): unknown {
  if (text === undefined) throw wrong('no such entry');
  try {
    return JSON.parse(text);
  } catch {
    throw wrong('text that is not JSON');
  }
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
