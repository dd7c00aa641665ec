// A line search that satisfies the strong Wolfe conditions: it brackets a good step, then narrows the bracket by cubic
// interpolation. Nocedal and Wright 2006, Algorithms 3.5 and 3.6, with the choices of PyTorch's L-BFGS.

/** A point on the line: how far along, and value, gradient and slope (gradient · direction) there. */
export interface LinePoint {
  readonly step: number;
  readonly loss: number;
  readonly gradient: Float64Array;
  readonly slope: number;
}

/** What a line search found, and how often it evaluated the loss. */
export interface LineSearchResult {
  readonly point: LinePoint;
  readonly evaluations: number;
}

/** Options of {@link strongWolfe}. */
export interface LineSearchOptions {
  /** The step to try first. */
  readonly step: number;
  /** The largest element of the direction, by absolute value. */
  readonly directionSize: number;
  /** A bracket in which no element would move by more than this is not narrowed further. */
  readonly toleranceChange: number;
}

// Sufficient decrease, curvature, and the largest number of iterations.
const c1 = 1e-4;
const c2 = 0.9;
const maxIterations = 25;

/**
 * Finds a step along a direction from `start`, which has step 0 and a negative slope.
 *
 * @param evaluate gives the point at a step.
 */
export function strongWolfe(
  start: LinePoint,
  evaluate: (step: number) => LinePoint,
  { step, directionSize, toleranceChange }: LineSearchOptions,
): LineSearchResult {
  let evaluations = 0;
  const probe = (at: number): LinePoint => {
    evaluations++;
    return evaluate(at);
  };
  const decreases = (point: LinePoint): boolean => point.loss <= start.loss + c1 * point.step * start.slope;
  const isFlat = (point: LinePoint): boolean => Math.abs(point.slope) <= -c2 * start.slope;

  let previous = start;
  let current = probe(step);
  let iteration = 0;
  let bracket: [LinePoint, LinePoint] | null = null;
  while (iteration < maxIterations) {
    if (!decreases(current) || (iteration > 1 && current.loss >= previous.loss)) {
      bracket = [previous, current];
      break;
    }
    if (isFlat(current)) return { point: current, evaluations };
    if (current.slope >= 0) {
      bracket = [previous, current];
      break;
    }
    const nearest = current.step + 0.01 * (current.step - previous.step);
    const next = interpolate(previous, current, nearest, current.step * 10);
    previous = current;
    current = probe(next);
    iteration++;
  }
  bracket ??= [start, current];

  let stalled = false;
  let low = bracket[0].loss <= bracket[1].loss ? 0 : 1;
  while (iteration < maxIterations) {
    const [first, second] = bracket;
    if (Math.abs(second.step - first.step) * directionSize < toleranceChange) break;
    const smallest = Math.min(first.step, second.step);
    const largest = Math.max(first.step, second.step);
    let trial = interpolate(first, second, smallest, largest);
    // A trial close to an end of the bracket is let pass once, then moved inwards.
    const margin = 0.1 * (largest - smallest);
    if (Math.min(largest - trial, trial - smallest) < margin) {
      if (stalled || trial >= largest || trial <= smallest) {
        trial = Math.abs(trial - largest) < Math.abs(trial - smallest) ? largest - margin : smallest + margin;
        stalled = false;
      } else stalled = true;
    } else stalled = false;

    const point = probe(trial);
    iteration++;
    const high = 1 - low;
    if (!decreases(point) || point.loss >= bracket[low].loss) {
      bracket[high] = point;
      low = bracket[0].loss <= bracket[1].loss ? 0 : 1;
      continue;
    }
    if (!isFlat(point) && point.slope * (bracket[high].step - bracket[low].step) >= 0)
      bracket[high] = bracket[low];
    bracket[low] = point;
    if (isFlat(point)) break;
  }
  return { point: bracket[low], evaluations };
}

// Where the cubic through two points, with the slopes there, is least; within bounds.
function interpolate(a: LinePoint, b: LinePoint, lower: number, upper: number): number {
  const [left, right] = a.step <= b.step ? [a, b] : [b, a];
  const d1 = a.slope + b.slope - (3 * (a.loss - b.loss)) / (a.step - b.step);
  const square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return (lower + upper) / 2;
  const d2 = Math.sqrt(square);
  const least =
    right.step - (right.step - left.step) * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2));
  return Math.min(Math.max(least, lower), upper);
}
