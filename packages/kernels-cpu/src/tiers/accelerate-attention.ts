// Attention on a machine: a unit is a sample, and operands are read by their strides wherever they lie.

import type { AttentionKernels, AttentionOperands, AttentionRule, Kernels, Strided } from '../kernels.ts';
import { reference } from '../reference/index.ts';
import type { Machine } from './machine.ts';
import { sameFloats } from './status.ts';
import { reads, runUnits, type UnitArray, writes } from './units.ts';

/** Multiply-adds from which a call is worth it. */
const LEAST = 256;

export function attention(machine: Machine): Pick<Kernels, keyof AttentionKernels> {
  return {
    attention(rule, operands, out) {
      const perSample = out.length / operands.query.shape[0];
      const called = () => [...operandsOf(operands), writes(out, perSample)];
      if (fits(operands, out) && run(machine, 'attention', rule, operands, [], called())) return;
      reference.attention(rule, operands, out);
    },
    attentionGrad(rule, operands, cotangent, out) {
      const called = () => {
        const gradients: UnitArray[] = [];
        let offset = 0;
        for (const { shape } of [operands.query, operands.key, operands.value]) {
          const perSample = shape[1] * shape[2] * shape[3];
          gradients.push(writes(out, perSample, offset));
          offset += shape[0] * perSample;
        }
        return [...operandsOf(operands), reads(cotangent.data, 0), ...gradients];
      };
      const isFast = fits(operands, out) && sameFloats(cotangent.data, out, out);
      if (isFast && run(machine, 'attentionGrad', rule, operands, [cotangent], called())) return;
      reference.attentionGrad(rule, operands, cotangent, out);
    },
  };
}

/** Operands are seen whole by all units. */
const operandsOf = ({ query, key, value, mask }: AttentionOperands): UnitArray[] =>
  [query, key, value, mask].map(({ data }) => reads(data, 0));

/** Whether there is enough to do, and all arrays are of one type. */
function fits({ query, key, value, mask }: AttentionOperands, out: unknown): boolean {
  const [samples, queries, heads, features] = query.shape;
  const products = samples * queries * heads * key.shape[1] * Math.min(features, value.shape[3]);
  return products >= LEAST && sameFloats(query.data, key.data, out) && sameFloats(value.data, mask.data, out);
}

function run(
  machine: Machine,
  kernel: keyof AttentionKernels,
  { scale, causal }: AttentionRule,
  { query, key, value, mask }: AttentionOperands,
  further: readonly Strided[],
  arrays: readonly UnitArray[],
): boolean {
  const [samples, queries, heads, features] = query.shape;
  const masked = mask.shape.some((extent) => extent !== 1) || mask.data[mask.offset] !== 0;
  const sizes = [heads, queries, key.shape[1], features, value.shape[3]];
  const [ofSamples, ofHeads, ofQueries, ofKeys] = mask.strides.map((stride, axis) =>
    mask.shape[axis] === 1 ? 0 : stride,
  );
  const own = [...sizes, scale, causal ? 1 : 0, masked ? 1 : 0, samples];
  for (const { offset, strides } of [query, key, value]) own.push(offset, ...strides);
  own.push(mask.offset, ofSamples, ofQueries, ofHeads, ofKeys);
  for (const { offset, strides } of further) own.push(offset, ...strides);
  return runUnits(machine, kernel, samples, own, arrays);
}
