// What L-BFGS remembers of past steps, and the direction that follows from it.

/** One past change: of the gradient, of the parameters, and one over their product. */
export interface Change {
  readonly gradient: Float64Array;
  readonly step: Float64Array;
  readonly rho: number;
}

/** What goes on from one iteration to the next. */
export interface Memory {
  iterations: number;
  evaluations: number;
  changes: Change[];
  /** The scale of the first guess at the inverse Hessian. */
  scale: number;
  /** The last direction and how far along it the parameters went. */
  direction: Float64Array | null;
  step: number;
  previousGradient: Float64Array | null;
}

/** The memory of a run that has not begun. */
export function freshMemory(): Memory {
  return {
    iterations: 0,
    evaluations: 0,
    changes: [],
    scale: 1,
    direction: null,
    step: 0,
    previousGradient: null,
  };
}

/**
 * Takes the last change into the memory, and gives minus the approximate inverse Hessian times the gradient. Nocedal and Wright 2006,
 * Algorithm 7.4 (the two-loop recursion).
 */
export function newton(memory: Memory, gradient: Float64Array, historySize: number): Float64Array {
  const change = gradient.map((value, i) => value - memory.previousGradient![i]);
  const step = memory.direction!.map((value) => value * memory.step);
  const curvature = dot(change, step);
  if (curvature > 1e-10) {
    if (memory.changes.length >= historySize) memory.changes.shift();
    memory.changes.push({ gradient: change, step, rho: 1 / curvature });
    memory.scale = curvature / dot(change, change);
  }
  const { changes, scale } = memory;
  const q = negated(gradient);
  const weights = new Float64Array(changes.length);
  for (let k = changes.length - 1; k >= 0; k--) {
    weights[k] = dot(changes[k].step, q) * changes[k].rho;
    addScaled(q, changes[k].gradient, -weights[k]);
  }
  for (let i = 0; i < q.length; i++) q[i] *= scale;
  changes.forEach((past, k) => {
    addScaled(q, past.step, weights[k] - dot(past.gradient, q) * past.rho);
  });
  return q;
}

/** The sum of products. */
export function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}

/** The vector with all signs changed. */
export function negated(a: Float64Array): Float64Array {
  return a.map((value) => -value);
}

function addScaled(target: Float64Array, a: Float64Array, scale: number): void {
  for (let i = 0; i < target.length; i++) target[i] += scale * a[i];
}

/** The largest element by absolute value. */
export function largest(a: Float64Array): number {
  let result = 0;
  for (const value of a) result = Math.max(result, Math.abs(value));
  return result;
}

/** The sum of absolute values. */
export function absoluteSum(a: Float64Array): number {
  let total = 0;
  for (const value of a) total += Math.abs(value);
  return total;
}
