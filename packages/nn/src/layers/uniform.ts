// The distribution that most layers draw their parameters from, as PyTorch's do.

import { type InitOptions, uniform_ } from '../init/fill.ts';
import type { Parameter } from '../module/parameter.ts';

/** Draws those parameters that there are anew, uniformly from ±1/sqrt(fanIn), one after the other. */
export function drawUniformly(
  parameters: readonly (Parameter | null)[],
  fanIn: number,
  { generator }: InitOptions,
): void {
  const bound = 1 / Math.sqrt(fanIn);
  for (const parameter of parameters)
    if (parameter !== null) uniform_(parameter, { low: -bound, high: bound, generator });
}
