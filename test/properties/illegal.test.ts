// Every illegal call throws a typed error that names the op, the option or operand and the numbers, before any work.

import { AdjointError, conv2d, convTranspose2d, GeometryError, type Tensor, zeros } from '@adjoint/core';
import { kernels } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

type Options = Record<string, unknown>;
interface Call {
  readonly op: 'conv2d' | 'convTranspose2d';
  readonly input: number[];
  readonly weight: number[];
  readonly options: Options;
}

const legal: Record<Call['op'], Call> = {
  conv2d: { op: 'conv2d', input: [2, 4, 6, 5], weight: [6, 2, 3, 2], options: { groups: 2 } },
  convTranspose2d: {
    op: 'convTranspose2d',
    input: [2, 4, 6, 5],
    weight: [4, 3, 3, 2],
    options: { groups: 2 },
  },
};
const ops = fc.constantFrom<Call['op']>('conv2d', 'convTranspose2d');

function run({ op, input, weight, options }: Call): Tensor {
  const f = op === 'conv2d' ? conv2d : convTranspose2d;
  return f(zeros(input), zeros(weight), options);
}

function thrown(call: Call): AdjointError | GeometryError {
  try {
    run(call);
  } catch (error) {
    expect(error).toSatisfy((e) => e instanceof AdjointError || e instanceof GeometryError);
    return error as AdjointError | GeometryError;
  }
  throw new Error(`no error for ${JSON.stringify(call)}`);
}

let spies: ReturnType<typeof vi.spyOn>[];
beforeEach(() => {
  const names = ['convForward', 'convInputGrad', 'convWeightGrad', 'copy', 'add'] as const;
  spies = names.map((name) => vi.spyOn(kernels, name));
});
afterEach(() => {
  vi.restoreAllMocks();
});

// The complaint names op, what is wrong and its value, and no kernel has run.
function expectComplaint(call: Call, what: string, value: unknown): void {
  const error = thrown(call);
  expect(error.op).toBe(call.op);
  expect('parameter' in error ? error.parameter : error.operand).toBe(what);
  expect(error.message).toContain(call.op);
  expect(error.message).toContain(what);
  expect(error.message).toContain(Array.isArray(value) ? value.join(', ') : String(value));
  for (const spy of spies) expect(spy).not.toHaveBeenCalled();
}

const notPositive = fc.oneof(
  fc.integer({ max: 0 }),
  fc.double({ noInteger: true }),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0),
);
const notNatural = fc.oneof(fc.integer({ max: -1 }), fc.double({ noInteger: true }), fc.constant(Number.NaN));

describe('the call that the others vary', () => {
  it('is legal', () => {
    expect(run(legal.conv2d).shape).toEqual([2, 6, 4, 4]);
    expect(run(legal.convTranspose2d).shape).toEqual([2, 6, 8, 6]);
  });
});

describe('an option that is no legal number', () => {
  it.each(['stride', 'dilation', 'groups'])('is an error: %s below 1 or not whole', (option) => {
    fc.assert(
      fc.property(ops, notPositive, (op, value) => {
        expectComplaint({ ...legal[op], options: { ...legal[op].options, [option]: value } }, option, value);
      }),
    );
  });

  it('is an error: padding below 0 or not whole', () => {
    fc.assert(
      fc.property(ops, notNatural, (op, padding) => {
        expectComplaint({ ...legal[op], options: { groups: 2, padding } }, 'padding', padding);
      }),
    );
  });

  it('is an error on one axis alone, and in the wrong number', () => {
    fc.assert(
      fc.property(ops, fc.constantFrom('stride', 'dilation'), notPositive, (op, option, value) => {
        expectComplaint({ ...legal[op], options: { groups: 2, [option]: [1, value] } }, option, value);
      }),
    );
    fc.assert(
      fc.property(
        ops,
        fc.constantFrom('stride', 'dilation', 'padding'),
        fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 4 }).filter((list) => list.length !== 2),
        (op, option, list) => {
          expectComplaint({ ...legal[op], options: { groups: 2, [option]: list } }, option, list);
        },
      ),
    );
  });
});

describe('outputPadding and outputSize', () => {
  it('must lie in their interval, which the error states with the formula', () => {
    fc.assert(
      fc.property(
        fc.record({
          stride: fc.integer({ min: 1, max: 4 }),
          dilation: fc.integer({ min: 1, max: 4 }),
          above: fc.integer({ min: 0, max: 5 }),
        }),
        ({ stride, dilation, above }) => {
          const limit = Math.max(stride, dilation);
          const call = (options: Options): Call => ({
            ...legal.convTranspose2d,
            options: { groups: 2, stride, dilation, ...options },
          });
          const outputPadding = [0, limit + above];
          expectComplaint(call({ outputPadding }), 'outputPadding', limit + above);
          expect(thrown(call({ outputPadding })).message).toContain(`[0, ${limit - 1}]`);
          const [, , height, width] = run(call({})).shape;
          for (const spy of spies) spy.mockClear();
          expectComplaint(
            call({ outputSize: [height, width + limit + above] }),
            'outputSize',
            width + limit + above,
          );
          expectComplaint(
            call({ outputSize: [height - 1 - above, width] }),
            'outputSize',
            height - 1 - above,
          );
        },
      ),
    );
  });

  it('exclude each other', () => {
    const options = { groups: 2, stride: 2, outputPadding: 1, outputSize: [14, 11] };
    const error = thrown({ ...legal.convTranspose2d, options });
    expect(error.message).toMatch(/outputSize.*outputPadding/s);
  });
});

describe('an option that does not exist', () => {
  it('is an error that lists those that do', () => {
    for (const op of ['conv2d', 'convTranspose2d'] as const) {
      const error = thrown({ ...legal[op], options: { groups: 2, strides: 2 } });
      expect(error.message).toMatch(/no option 'strides'.*stride, padding/);
    }
    expect(thrown({ ...legal.conv2d, options: { groups: 2, outputPadding: 0 } }).op).toBe('conv2d');
  });
});

describe('modes', () => {
  it('other than those there are do not pass', () => {
    fc.assert(
      fc.property(ops, fc.constantFrom('convMode', 'computeMode'), fc.string(), (op, option, value) => {
        fc.pre(!['crossCorrelation', 'default', 'float32'].includes(value));
        const call = { ...legal[op], options: { groups: 2, [option]: value } };
        expectComplaint(call, option, JSON.stringify(value));
      }),
    );
    expectComplaint(
      { ...legal.conv2d, options: { groups: 2, convMode: 'convolution' } },
      'convMode',
      'convolution',
    );
  });
});

describe('operands', () => {
  it('of the wrong rank are named with their shape', () => {
    fc.assert(
      fc.property(
        ops,
        fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 7 }),
        fc.constantFrom<'input' | 'weight'>('input', 'weight'),
        (op, shape, operand) => {
          const ranks = operand === 'input' ? [3, 4] : [4, 5];
          fc.pre(!ranks.includes(shape.length));
          expectComplaint({ ...legal[op], [operand]: shape }, operand, shape.join(', '));
        },
      ),
    );
  });

  it('whose channels do not agree or do not divide into groups are errors', () => {
    fc.assert(
      fc.property(
        ops,
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 6 }),
        (op, channels, groups) => {
          const call = { ...legal[op], input: [2, channels, 6, 5], options: { groups } };
          const [first, second] = call.weight;
          const takes = op === 'conv2d' ? second * groups : first;
          const divides = channels % groups === 0 && first % groups === 0;
          fc.pre(channels !== takes || !divides);
          const error = thrown(call);
          expect(error.op).toBe(op);
          expect(error.message).toMatch(/channels|Channels/);
        },
      ),
    );
  });

  it('that leave nothing of the output are errors', () => {
    const error = thrown({ ...legal.conv2d, input: [2, 4, 2, 5] });
    expect(error.message).toMatch(/empty.*floor/s);
    const transposed = thrown({
      ...legal.convTranspose2d,
      input: [2, 4, 1, 5],
      options: { groups: 2, padding: [2, 0] },
    });
    expect(transposed.message).toMatch(/empty/);
  });

  it('of mixed or integer types are errors that name the conversion', () => {
    const integer = zeros([1, 1, 3, 3], { dtype: 'int32' });
    const double = zeros([1, 1, 3, 3], { dtype: 'float64' });
    const single = zeros([1, 1, 3, 3]);
    expect(() => conv2d(integer, integer)).toThrow(/conv2d: input is int32.*float/);
    expect(() => conv2d(single, double)).toThrow(/conv2d: weight is float64.*to\('float32'\)/);
    expect(() => conv2d(single, single, { bias: zeros([1], { dtype: 'float64' }) })).toThrow(
      /bias is float64/,
    );
    expect(() => conv2d(single, single, { bias: zeros([2]) })).toThrow(
      /bias has shape \(2,\).*\(1,\) or \(1, 1, 1, 1\)/,
    );
  });
});
