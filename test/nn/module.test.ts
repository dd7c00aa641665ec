// Modules: what is registered and under which name, modes, conversion, hooks, the printed form.

import {
  AdjointError,
  ArgumentError,
  mul,
  noGrad,
  ones,
  sum,
  type Tensor,
  tensor,
  zeros,
} from '@adjoint/core';
import {
  BatchNorm2d,
  Buffer,
  Conv2d,
  Linear,
  Module,
  ModuleDict,
  ModuleList,
  Parameter,
  ReLU,
  Sequential,
} from '@adjoint/nn';
import { SGD } from '@adjoint/nn/optim';
import { describe, expect, test } from 'vitest';

class Block extends Module {
  readonly linear = new Linear(2, 2);
  readonly scale = new Parameter(ones([2]));
  readonly seen = new Buffer(zeros([], { dtype: 'int32' }));
  readonly scratch = new Buffer(zeros([3]), { persistent: false });
  readonly plain = zeros([4]);
  readonly numbers = [1, 2, 3];
  readonly #teacher = new Linear(2, 2);

  forward(x: Tensor): Tensor {
    return mul(this.linear.forward(x), this.scale);
  }

  teach(x: Tensor): Tensor {
    return this.#teacher.forward(x);
  }
}

class Net extends Module {
  readonly blocks = [new Block(), new Block()];
  readonly heads = new ModuleDict({ a: new Linear(2, 1), b: new Linear(2, 1) });
  readonly tail = new ModuleList([new Linear(1, 1)]);
  tied = this.tail.at(0);

  forward(x: Tensor): Tensor {
    let y = x;
    for (const block of this.blocks) y = block.forward(y);
    return this.tied.forward(this.heads.get('a').forward(y));
  }
}

describe('registration', () => {
  test('fields, arrays, lists and dictionaries, own ones before those of children; private fields and plain tensors are not', () => {
    const net = new Net();
    expect(net.namedParameters().map(([name]) => name)).toEqual([
      'blocks.0.scale',
      'blocks.0.linear.weight',
      'blocks.0.linear.bias',
      'blocks.1.scale',
      'blocks.1.linear.weight',
      'blocks.1.linear.bias',
      'heads.a.weight',
      'heads.a.bias',
      'heads.b.weight',
      'heads.b.bias',
      'tail.0.weight',
      'tail.0.bias',
    ]);
    expect(net.namedBuffers().map(([name]) => name)).toEqual([
      'blocks.0.seen',
      'blocks.0.scratch',
      'blocks.1.seen',
      'blocks.1.scratch',
    ]);
    expect(net.namedModules().map(([name]) => name)).toEqual([
      '',
      'blocks.0',
      'blocks.0.linear',
      'blocks.1',
      'blocks.1.linear',
      'heads',
      'heads.a',
      'heads.b',
      'tail',
      'tail.0',
    ]);
    expect(net.children().length).toBe(5);
  });

  test('what is assigned later is registered, what is removed is not', () => {
    const net = new Net() as Net & { extra?: Linear };
    const before = net.parameters().length;
    net.extra = new Linear(1, 1);
    expect(net.parameters().length).toBe(before + 2);
    delete net.extra;
    expect(net.parameters().length).toBe(before);
  });

  test('a shared module counts once among parameters, and comes under both names in the state dict', () => {
    const net = new Net();
    expect(new Set(net.parameters()).size).toBe(net.parameters().length);
    const keys = Object.keys(net.stateDict());
    expect(keys).toContain('tail.0.weight');
    expect(keys).toContain('tied.weight');
    expect(keys).not.toContain('blocks.0.scratch');
  });

  test('a module that contains itself is refused by name', () => {
    class Child extends Module {
      parent: Module | null = null;
      forward(x: Tensor): Tensor {
        return x;
      }
    }
    class Parent extends Module {
      readonly child = new Child();
      forward(x: Tensor): Tensor {
        return this.child.forward(x);
      }
    }
    const parent = new Parent();
    parent.child.parent = parent;
    expect(() => parent.parameters()).toThrow(/'child\.parent' contains itself/);
  });

  test('containers refuse what is no module, missing names and indices', () => {
    expect(() => new Sequential(7 as never)).toThrow(ArgumentError);
    expect(() => new ModuleDict({ 'a.b': new ReLU() })).toThrow(/a\.b/);
    expect(() => new ModuleDict({ a: new ReLU() }).get('b')).toThrow(/there are: a/);
    expect(() => new ModuleList([new ReLU()]).at(1)).toThrow(/index is 1/);
    expect(() => new ModuleList([]).forward()).toThrow(AdjointError);
    expect(new Sequential(new ReLU(), new Linear(1, 1)).at(-1)).toBeInstanceOf(Linear);
  });
});

describe('modes and gradients', () => {
  test('train and eval reach every module', () => {
    const net = new Net().eval();
    expect(net.modules().map(({ training }) => training)).not.toContain(true);
    expect(
      net
        .train()
        .modules()
        .map(({ training }) => training),
    ).not.toContain(false);
  });

  test('frozen parameters collect no gradient, unfrozen ones do; zeroGrad forgets', () => {
    const net = new Net();
    net.heads.freeze();
    const loss = (): Tensor => sum(net.forward(ones([3, 2])));
    loss().backward();
    expect(net.heads.get('a').weight.grad).toBeNull();
    expect(net.blocks[0].scale.grad).not.toBeNull();
    net.zeroGrad();
    expect(net.parameters().map(({ grad }) => grad)).toEqual(net.parameters().map(() => null));
    net.unfreeze();
    loss().backward();
    expect(net.heads.get('a').weight.grad).not.toBeNull();
  });

  test('apply visits children before their parents', () => {
    const visited: string[] = [];
    new Sequential(new Linear(1, 1), new ReLU()).apply((module) => visited.push(module.constructor.name));
    expect(visited).toEqual(['Linear', 'ReLU', 'Sequential']);
  });
});

describe('conversion', () => {
  test('converts floating-point tensors, keeps integers, sharing and frozenness', () => {
    const net = new Net();
    net.tail.freeze();
    net.to('float64');
    expect(net.blocks[0].linear.weight.dtype).toBe('float64');
    expect(net.blocks[0].seen.dtype).toBe('int32');
    expect(net.blocks[0].scratch.persistent).toBe(false);
    expect(net.tied.weight).toBe(net.tail.at(0).weight);
    expect(net.tied.weight.requiresGrad).toBe(false);
    expect(net.forward(ones([3, 2], { dtype: 'float64' })).dtype).toBe('float64');
  });

  test('tied parameters of different modules stay tied', () => {
    const a = new Conv2d(1, 2, 3);
    const pair = new Sequential(a, new Conv2d(1, 2, 3, { weight: a.weight }));
    pair.to('float64');
    const [first, second] = [...pair] as Conv2d[];
    expect(first.weight).toBe(second.weight);
  });

  test('an optimiser that holds replaced parameters says so', () => {
    const layer = new Linear(2, 1);
    const optimiser = new SGD(layer.parameters(), { lr: 0.1 });
    layer.to('float64');
    expect(() => optimiser.step()).toThrow(/replaced by module\.to\('float64'\)/);
  });
});

describe('hooks', () => {
  test('see and replace inputs and outputs in order, until removed', () => {
    const layer = new Linear(2, 2);
    const x = tensor([[1, 2]]);
    const plain = layer.forward(x).toArray();
    const log: string[] = [];
    const before = layer.registerForwardPreHook((_, [input]) => {
      log.push('before');
      return [mul(input, 0)];
    });
    const after = layer.registerForwardHook((module, [input], output) => {
      log.push(`after ${module.constructor.name} ${input.shape}`);
      return mul(output, 2);
    });
    const expected = [0, 1].map((i) => 2 * (layer.bias!.toArray() as number[])[i]);
    expect(layer.forward(x).toArray()).toEqual([expected]);
    expect(log).toEqual(['before', 'after Linear 1,2']);
    before.remove();
    after.remove();
    after.remove();
    expect(layer.forward(x).toArray()).toEqual(plain);
    expect(Object.hasOwn(layer, 'forward')).toBe(false);
    expect(log.length).toBe(2);
  });

  test('run inside containers, and leave the names of parts as they are', () => {
    const net = new Sequential(new Linear(2, 2), new ReLU());
    const shapes: (readonly number[])[] = [];
    net.at(0).registerForwardHook((_, __, output) => {
      shapes.push(output.shape);
      return undefined;
    });
    net.forward(ones([3, 2]));
    expect(shapes).toEqual([[3, 2]]);
    expect(Object.keys(net.stateDict())).toEqual(['0.weight', '0.bias']);
  });
});

test('the printed form shows the tree, shapes, and counts of parameters', () => {
  const net = new Sequential(new Conv2d(1, 8, 3, { stride: [2, 1] }), new BatchNorm2d(8), new ReLU());
  net.at(0).freeze();
  expect(String(net)).toBe(`Sequential(
  (0): Conv2d(1, 8, kernelSize=3, stride=[2, 1])  weight (8, 1, 3, 3) frozen, bias (1, 8, 1, 1) frozen  80 parameters
  (1): BatchNorm2d(8)  weight (8,), bias (8,)  buffers runningMean (8,), runningVar (8,), numBatchesTracked ()  16 parameters
  (2): ReLU()
)
96 parameters, 16 of them trained, 17 numbers in buffers`);
  expect(String(new Linear(1000, 2, { bias: false }))).toBe(
    'Linear(1000, 2, bias=false)  weight (2, 1000)  2,000 parameters\n2,000 parameters',
  );
});

test('a module with options, parameters and children shows all three', () => {
  class Scaled extends Module {
    readonly scale = new Parameter(ones([1]));
    readonly inner = new ReLU();
    forward(x: Tensor): Tensor {
      return this.inner.forward(x);
    }
    override extraRepr(): string {
      return 'by=1';
    }
  }
  expect(String(new Scaled())).toBe(`Scaled(by=1)  scale (1,)  1 parameter (
  (inner): ReLU()
)
1 parameter`);
});

test('a parameter shares the array of contiguous values and copies others; changing it is no graph', () => {
  const values = tensor([
    [1, 2],
    [3, 4],
  ]);
  expect(new Parameter(values).data).toBe(values.data);
  const turned = new Parameter(values.transpose());
  expect(turned.data).not.toBe(values.data);
  noGrad(() => turned.fill_(0));
  expect(values.toArray()).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect(turned.requiresGrad && turned.isLeaf).toBe(true);
});
