// How fixtures call the ops on axes, joins and parts: everything past the operands is an option there.

import {
  cat,
  chunk,
  flatten,
  flip,
  fold,
  type MeshgridOptions,
  meshgrid,
  narrow,
  type PadOptions,
  pad,
  repeat,
  roll,
  select,
  slice,
  split,
  squeeze,
  stack,
  tile,
  unbind,
  unfold,
  unsqueeze,
} from '@adjoint/core';
import type { Adapters } from '../suite.ts';
import { tensorOf, tensorsOf, withOptions } from './read.ts';

export const shapeAdapters: Adapters = {
  flatten: withOptions(flatten),
  squeeze: ([x], { axis }) => squeeze(tensorOf(x), axis === undefined ? {} : { axes: axis as number }),
  unsqueeze: ([x], { axis }) => unsqueeze(tensorOf(x), axis as number),
  repeat: ([x], { repeats }) => repeat(tensorOf(x), repeats as number[]),
  tile: ([x], { repeats }) => tile(tensorOf(x), repeats as number[]),
  cat: ([tensors], options) => cat(tensorsOf(tensors), options),
  stack: ([tensors], options) => stack(tensorsOf(tensors), options),
  split: ([x], { size, ...options }) => split(tensorOf(x), size as number | number[], options),
  chunk: ([x], { chunks, ...options }) => chunk(tensorOf(x), chunks as number, options),
  unbind: withOptions(unbind),
  narrow: ([x], { axis, start, length }) =>
    narrow(tensorOf(x), axis as number, start as number, length as number),
  slice: ([x], { axis = 0, start, end, step }) => {
    const source = tensorOf(x);
    const at = (axis as number) < 0 ? (axis as number) + source.ndim : (axis as number);
    const given = Object.entries({ start, stop: end, step }).filter(([, value]) => value !== undefined);
    return slice(source, [...new Array<null>(at).fill(null), Object.fromEntries(given)]);
  },
  select: ([x], { axis, index }) => select(tensorOf(x), axis as number, index as number),
  flip: ([x], { axes }) => flip(tensorOf(x), axes as number[]),
  roll: ([x], { shifts, ...options }) => roll(tensorOf(x), shifts as number[], options),
  meshgrid: ([tensors], options) => meshgrid(tensorsOf(tensors), options as MeshgridOptions),
  unfold: ([x], { kernelSize, ...options }) => unfold(tensorOf(x), kernelSize as number[], options),
  fold: ([x], { outputSize, kernelSize, ...options }) =>
    fold(tensorOf(x), outputSize as number[], kernelSize as number[], options),
  pad: ([x], { pad: amounts, ...options }) => pad(tensorOf(x), amounts as number[], options as PadOptions),
};
