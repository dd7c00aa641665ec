// Containers: modules that hold other modules by number or name.

import { ArgumentError, describeValue, quote, type Tensor } from '@adjoint/core';
import { Module, type UnaryModule } from './module.ts';

/**
 * Runs modules one after another, each on the output of the one before. PyTorch's `nn.Sequential`.
 *
 * @example
 * const net = new Sequential(new Linear(784, 100), new ReLU(), new Linear(100, 10));
 * net.forward(zeros([16, 784])).shape; // [16, 10]
 * net.at(0).parameters();
 */
export class Sequential extends Module {
  readonly #items: readonly UnaryModule[];

  constructor(...modules: readonly UnaryModule[]) {
    super();
    this.#items = modules.map((module, i) => requireModule('Sequential', String(i), module));
  }

  protected override fields(): Iterable<readonly [string, unknown]> {
    return this.#items.map((module, i) => [String(i), module]);
  }

  forward(x: Tensor): Tensor {
    let value = x;
    for (const module of this.#items) value = module.forward(value);
    return value;
  }

  /** Number of modules. */
  get length(): number {
    return this.#items.length;
  }

  /** The module at a position; negative ones count from the end. */
  at(index: number): UnaryModule {
    return itemAt('Sequential', this.#items, index);
  }

  /** The modules, in order. */
  [Symbol.iterator](): IterableIterator<UnaryModule> {
    return this.#items[Symbol.iterator]();
  }
}

/**
 * A list of modules. PyTorch's `nn.ModuleList`. (A plain array in a field is registered as well, under the same names.)
 *
 * @example
 * class Net extends Module {
 *   readonly blocks = new ModuleList([new Linear(8, 8), new Linear(8, 8)]);
 *   forward(x: Tensor): Tensor {
 *     for (const block of this.blocks) x = relu(block.forward(x));
 *     return x;
 *   }
 * }
 */
export class ModuleList<M extends Module = UnaryModule> extends Module {
  readonly #items: M[] = [];

  constructor(modules: Iterable<M> = []) {
    super();
    requireIterable(modules);
    for (const module of modules) this.push(module);
  }

  protected override fields(): Iterable<readonly [string, unknown]> {
    return this.#items.map((module, i) => [String(i), module]);
  }

  /** Number of modules. */
  get length(): number {
    return this.#items.length;
  }

  /** Adds a module at the end. */
  push(module: M): this {
    requireModule('ModuleList', String(this.#items.length), module);
    this.#items.push(module);
    return this;
  }

  /** The module at a position; negative ones count from the end. */
  at(index: number): M {
    return itemAt('ModuleList', this.#items, index);
  }

  /** The modules, in order. */
  [Symbol.iterator](): IterableIterator<M> {
    return this.#items[Symbol.iterator]();
  }

  /** @throws ArgumentError always: a list says nothing of the order in which its modules run. */
  forward(): never {
    throw noForward('ModuleList');
  }
}

/**
 * Modules by name. PyTorch's `nn.ModuleDict`.
 *
 * @example
 * const heads = new ModuleDict({ digits: new Linear(64, 10), letters: new Linear(64, 26) });
 * heads.get('digits').forward(zeros([16, 64])).shape; // [16, 10]
 */
export class ModuleDict<M extends Module = UnaryModule> extends Module {
  readonly #items = new Map<string, M>();

  constructor(modules: Readonly<Record<string, M>> = {}) {
    super();
    if (typeof modules !== 'object' || modules === null || Symbol.iterator in modules) {
      throw new ArgumentError(`modules is ${quote(modules)}; give an object of modules by name.`, {
        op: 'ModuleDict',
        operand: 'modules',
        actual: modules,
        expected: 'modules by name',
      });
    }
    for (const [name, module] of Object.entries(modules)) this.set(name, module);
  }

  protected override fields(): Iterable<readonly [string, unknown]> {
    return this.#items;
  }

  /** The names, in the order in which they were set. */
  keys(): string[] {
    return [...this.#items.keys()];
  }

  /** Whether there is a module of that name. */
  has(name: string): boolean {
    return this.#items.has(name);
  }

  /**
   * The module of a name.
   *
   * @throws ArgumentError if there is none; the message lists those there are.
   */
  get(name: string): M {
    const module = this.#items.get(name);
    if (module !== undefined) return module;
    throw new ArgumentError(
      `there is no module ${named(name)}; there are: ${this.keys().join(', ') || 'none'}.`,
      {
        op: 'ModuleDict',
        operand: 'name',
        actual: name,
        expected: this.keys().join(' | '),
      },
    );
  }

  /** Adds a module, or replaces the one of that name. Names may not be empty or contain a dot, which parts paths. */
  set(name: string, module: M): this {
    if (typeof name !== 'string' || name === '' || name.includes('.')) {
      throw new ArgumentError(`the name is ${named(name)}; use one that is not empty and has no dot.`, {
        op: 'ModuleDict',
        operand: 'name',
        actual: name,
        expected: 'a name without dots',
      });
    }
    requireModule('ModuleDict', name, module);
    this.#items.set(name, module);
    return this;
  }

  /** @throws ArgumentError always: a dictionary says nothing of how its modules run. */
  forward(): never {
    throw noForward('ModuleDict');
  }
}

function requireModule<M extends Module>(op: string, name: string, value: M): M {
  if (value instanceof Module) return value;
  throw new ArgumentError(`element ${name} is ${describeValue(value)}; ${remedyFor(value)}.`, {
    op,
    operand: name,
    actual: value,
    expected: 'a Module',
  });
}

function requireIterable(modules: unknown): void {
  if (typeof modules === 'object' && modules !== null && Symbol.iterator in modules) return;
  throw new ArgumentError(
    `modules is ${describeValue(modules)}; give a list: new ModuleList([first, second]).`,
    {
      op: 'ModuleList',
      operand: 'modules',
      actual: modules,
      expected: 'an iterable of modules',
    },
  );
}

function remedyFor(value: unknown): string {
  if (Array.isArray(value)) return 'give the modules one by one: spread the array with ...';
  if (typeof value !== 'function') return 'give modules';
  return value.prototype instanceof Module
    ? 'make one of the class: new …()'
    : 'give modules, such as new ReLU() for relu';
}

function named(name: unknown): string {
  return typeof name === 'string' ? `'${name}'` : quote(name);
}

function itemAt<M>(op: string, items: readonly M[], index: number): M {
  const item = Number.isInteger(index) ? items.at(index) : undefined;
  if (item !== undefined) return item;
  throw new ArgumentError(
    `index is ${quote(index)}; there are ${items.length} modules, so give an integer from ${-items.length} to ${items.length - 1}.`,
    { op, operand: 'index', actual: index, expected: `integer in [${-items.length}, ${items.length - 1}]` },
  );
}

function noForward(op: string): ArgumentError {
  return new ArgumentError('it has no forward of its own; call forward on the modules in it.', {
    op,
    operand: 'forward',
  });
}
