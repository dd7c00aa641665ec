// Hooks around a module's forward. A module without hooks pays nothing: the first hook lays a wrapper over its forward, and
// the last one to go takes it away.

/** What has a forward, as modules have. */
export interface Forwards {
  forward(...inputs: never[]): unknown;
}

/** Sees a call after it was computed; what it returns, if not undefined, replaces the output. */
export type ForwardHook<M extends Forwards> = (
  module: M,
  inputs: Parameters<M['forward']>,
  output: ReturnType<M['forward']>,
) => ReturnType<M['forward']> | undefined;

/** Sees a call before it is computed; a list that it returns replaces the inputs. */
export type ForwardPreHook<M extends Forwards> = (
  module: M,
  inputs: Parameters<M['forward']>,
) => readonly unknown[] | undefined;

/** Takes a hook away again. */
export interface HookHandle {
  /** Takes the hook away; a second call does nothing. */
  remove(): void;
}

type AnyHook = (module: Forwards, inputs: readonly unknown[], output: unknown) => unknown;
type AnyPreHook = (module: Forwards, inputs: readonly unknown[]) => readonly unknown[] | undefined;
type Forward = (...inputs: readonly unknown[]) => unknown;

interface Hooks {
  readonly before: Set<{ readonly hook: AnyPreHook }>;
  readonly after: Set<{ readonly hook: AnyHook }>;
  /** What `forward` was on the object itself, before the wrapper. */
  readonly own: PropertyDescriptor | undefined;
}

const hooksOf = new WeakMap<Forwards, Hooks>();

/** Calls `hook` after each forward of `module`, in the order in which hooks were added. */
export function addForwardHook<M extends Forwards>(module: M, hook: ForwardHook<M>): HookHandle {
  const hooks = wrap(module);
  const entry = { hook: hook as AnyHook };
  hooks.after.add(entry);
  return { remove: () => unwrapAfter(module, hooks, () => hooks.after.delete(entry)) };
}

/** Calls `hook` before each forward of `module`, in the order in which hooks were added. */
export function addForwardPreHook<M extends Forwards>(module: M, hook: ForwardPreHook<M>): HookHandle {
  const hooks = wrap(module);
  const entry = { hook: hook as AnyPreHook };
  hooks.before.add(entry);
  return { remove: () => unwrapAfter(module, hooks, () => hooks.before.delete(entry)) };
}

function wrap(module: Forwards): Hooks {
  const present = hooksOf.get(module);
  if (present !== undefined) return present;
  const own = Object.getOwnPropertyDescriptor(module, 'forward');
  const forward = module.forward as Forward;
  const hooks: Hooks = { before: new Set(), after: new Set(), own };
  hooksOf.set(module, hooks);
  Object.defineProperty(module, 'forward', {
    configurable: true,
    enumerable: false,
    writable: true,
    value: (...given: unknown[]): unknown => {
      let inputs: readonly unknown[] = given;
      for (const { hook } of [...hooks.before]) inputs = hook(module, inputs) ?? inputs;
      let output = forward.apply(module, inputs as unknown[]);
      for (const { hook } of [...hooks.after]) {
        const replaced = hook(module, inputs, output);
        if (replaced !== undefined) output = replaced;
      }
      return output;
    },
  });
  return hooks;
}

function unwrapAfter(module: Forwards, hooks: Hooks, remove: () => void): void {
  remove();
  if (hooks.before.size > 0 || hooks.after.size > 0 || hooksOf.get(module) !== hooks) return;
  hooksOf.delete(module);
  if (hooks.own === undefined) Reflect.deleteProperty(module, 'forward');
  else Object.defineProperty(module, 'forward', hooks.own);
}
