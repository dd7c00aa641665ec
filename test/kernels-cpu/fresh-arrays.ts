// Allocates and fills 400 arrays of 1 MB; prints how many pages the system handed out per array. Run by fresh-arrays.test.ts.

import { openTier } from '@adjoint/kernels-cpu';

const { kernels } = openTier('native');
const length = 2 ** 18;
const ones = { data: new Float32Array(length).fill(1), shape: [length], strides: [1], offset: 0 };
const fill = (arrays: number): void => {
  for (let i = 0; i < arrays; i++) kernels.add(ones, ones, new Float32Array(length), [length]);
};
const faults = (): number => process.resourceUsage().minorPageFault;

fill(200);
const before = faults();
fill(400);
process.stdout.write(String((faults() - before) / 400));
