// From a decoded PNG to a tensor: samples unpacked, palettes looked up, greys and colours converted into each other.

import { type Tensor, tensor } from '@adjoint/core';
import type { DecodedPng } from 'fast-png';
import { DataFormatError } from './errors.ts';

/** The parts of one pixel, from 0 to 1. */
type Pixel = readonly [red: number, green: number, blue: number, opacity: number];

/** Float32 of shape (channels, H, W), from 0 to 1. */
export function pixelsOf(
  picture: DecodedPng,
  {
    file,
    indexed,
    channels: wanted,
  }: { readonly file: string; readonly indexed: boolean; readonly channels: 1 | 3 | 4 | undefined },
): Tensor {
  const { width, height } = picture;
  const colour = indexed || picture.channels >= 3;
  const channels = wanted ?? (colour ? 3 : 1);
  const pixels = width * height;
  const out = new Float32Array(channels * pixels);
  const at = indexed ? lookUp(picture, file) : direct(picture);
  for (let i = 0; i < pixels; i++) {
    const [red, green, blue, opacity] = at(i);
    if (channels === 1) {
      out[i] = colour ? 0.299 * red + 0.587 * green + 0.114 * blue : red;
      continue;
    }
    out[i] = red;
    out[pixels + i] = green;
    out[2 * pixels + i] = blue;
    if (channels === 4) out[3 * pixels + i] = opacity;
  }
  return tensor(out, { shape: [channels, height, width] });
}

function direct(picture: DecodedPng): (i: number) => Pixel {
  const { channels, depth, transparency } = picture;
  const sample = samplesOf(picture);
  const most = 2 ** depth - 1;
  const colours = channels >= 3 ? 3 : 1;
  return (i) => {
    const part = (c: number): number => sample(i, c) / most;
    // One colour may be declared transparent in a picture without opacity of its own.
    const clear =
      transparency !== undefined &&
      transparency.length === colours &&
      transparency.every((value, c) => value === sample(i, c));
    const opacity = channels > colours ? part(channels - 1) : clear ? 0 : 1;
    return colours === 1 ? [part(0), part(0), part(0), opacity] : [part(0), part(1), part(2), opacity];
  };
}

function lookUp(picture: DecodedPng, file: string): (i: number) => Pixel {
  const sample = samplesOf(picture);
  const palette = picture.palette ?? [];
  return (i) => {
    const colour = palette.at(sample(i, 0));
    if (colour === undefined) {
      throw new DataFormatError({
        op: 'decodePng',
        file,
        offset: 0,
        expected: `pixels that are among the ${palette.length} colours of the palette`,
        actual: `number ${sample(i, 0)} at pixel ${i}`,
        remedy: 'Fetch the file again.',
      });
    }
    const [red, green, blue, opacity = 255] = colour;
    return [red / 255, green / 255, blue / 255, opacity / 255];
  };
}

/** The samples as they stand in the file: below 8 bits several share a byte, and rows begin with a fresh one. */
function samplesOf({ data, width, channels, depth }: DecodedPng): (i: number, c: number) => number {
  if (depth >= 8) return (i, c) => data[i * channels + c];
  const line = Math.ceil((width * depth) / 8);
  const mask = 2 ** depth - 1;
  return (i) => {
    const bit = (i % width) * depth;
    return (data[Math.floor(i / width) * line + (bit >> 3)] >> (8 - depth - (bit & 7))) & mask;
  };
}
