// Where in the user's code a call came from: the innermost stack frame that is not of this framework.

/** Runs `fn` with stacks deep enough that a frame of the user's is among them. */
export function withDeepStacks<T>(fn: () => T): T {
  const limits = Error as { stackTraceLimit?: number };
  const before = limits.stackTraceLimit;
  if (before !== undefined) limits.stackTraceLimit = 100;
  try {
    return fn();
  } finally {
    if (before !== undefined) limits.stackTraceLimit = before;
  }
}

/** The calling line outside of the framework's packages, as the engine writes it; null if the stack shows none. */
export function callSite(): string | null {
  const frames = framesOf(new Error('call site').stack);
  const home = homeOf(frames[0] ?? '');
  const user = frames.find((frame) => !frame.includes(home) && !/[\\/]@adjoint[\\/+]/.test(frame));
  return user === undefined ? null : user.replace(/^at /, '');
}

function framesOf(stack: string | undefined): string[] {
  return (stack ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /:\d+:\d+\)?$/.test(line));
}

// The first frame is in this file: two folders up from it begins the package, beside which lie the others.
function homeOf(frame: string): string {
  const path = /(?:\(|at |@)?((?:file:\/\/)?[^\s()@]*)[\\/](?:src|dist)[\\/]autograd[\\/]/.exec(frame)?.[1];
  const packages = path?.replace(/^file:\/\//, '').replace(/[\\/][^\\/]*$/, '');
  return packages === undefined || packages === '' ? '\0' : `${packages}/`;
}
