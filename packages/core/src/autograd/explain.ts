// explain: why a parameter gets no gradient.
//
// The recorded graph shows what is connected. Where a connection was lost shows only while the loss is being computed: so
// explain takes the computation rather than its result, watches every op, recorded or not, and follows the data.

import { isFloat } from '../dtype.ts';
import { ArgumentError, formatShape, GradientError, quote } from '../errors.ts';
import { isNoGradient } from '../registry.ts';
import type { Shape } from '../shape.ts';
import { enableGrad, gradMode } from '../tape/mode.ts';
import type { Node } from '../tape/node.ts';
import { type OpRun, observe } from '../tape/observer.ts';
import { requireTensor, type Storage, Tensor } from '../tensor.ts';
import { callSite, withDeepStacks } from './call-site.ts';
import { ancestors } from './paths.ts';

/** A place where the way from the loss to a parameter is cut. */
export interface Obstacle {
  /**
   * - `noRule`: an op without a gradient for this operand; backward throws when it gets there.
   * - `integer`: an op whose result is not floating-point.
   * - `noGrad`: an op that ran under noGrad.
   * - `detach`: an op that read a detached copy.
   */
  readonly kind: 'noRule' | 'integer' | 'noGrad' | 'detach';
  /** The op that stands there. */
  readonly op: string;
  /** The operand through which the parameter comes in. */
  readonly operand: string;
  /** What happens there, and what to use in its place. */
  readonly text: string;
  /** The line of user code; null where it is not known. */
  readonly callSite: string | null;
}

/** How the loss depends on one parameter. */
export interface ParameterExplanation {
  /** The parameter's name, or `parameters[i]`. */
  readonly name: string;
  /** The parameter's shape. */
  readonly shape: Shape;
  /** Whether a gradient reaches it. */
  readonly reached: boolean;
  /** Why not; or that all is well. */
  readonly text: string;
  /** Where the way is cut; every cut on every way, nearest to the parameter first. Also on ways beside one that is open. */
  readonly obstacles: readonly Obstacle[];
}

/** What {@link explain} answers. */
export interface Explanation {
  /** Whether a gradient reaches every parameter, and backward meets no op without a rule on the way. */
  readonly ok: boolean;
  /** What is known of each parameter, in the order in which they were given. */
  readonly parameters: readonly ParameterExplanation[];
  /** All of it as text. */
  readonly message: string;
}

/**
 * Says for each parameter whether a gradient of the loss reaches it and, if not, why: not used at all, not requiring a
 * gradient, or cut off by an op without a gradient, an integer result, `noGrad` or `detach`, with the line that did it.
 *
 * @param loss computes the loss; run once, with recording on. A loss that was computed before can be given too; then only
 *   its graph is known: what is connected, and ops without a rule, but not where a connection was lost.
 * @param parameters tensors in a list, or by name.
 * @throws GradientError if the loss is not a tensor.
 * @example
 * const w = tensor([1.4, 2.6], { requiresGrad: true });
 * const b = tensor([0.5, 0.5], { requiresGrad: true });
 * const { parameters } = explain(() => sum(add(cast(cast(w, 'int32'), 'float32'), b)), { w, b });
 * parameters.map(({ name, reached }) => [name, reached]); // [['w', false], ['b', true]]
 * parameters[0].obstacles[0].kind; // 'integer'
 */
export function explain(
  loss: Tensor | (() => Tensor),
  parameters: readonly Tensor[] | Readonly<Record<string, Tensor>>,
): Explanation {
  const flow = new Flow();
  const result =
    loss instanceof Tensor
      ? loss
      : withDeepStacks(() => observe({ opRan: (run) => flow.note(run) }, () => enableGrad(loss)));
  if (!(result instanceof Tensor)) {
    throw new GradientError('the loss is not a tensor; give a tensor or a function that returns one.', {
      op: 'explain',
      operand: 'loss',
      actual: result,
      expected: 'a tensor',
    });
  }
  if (typeof parameters !== 'object' || parameters === null) {
    throw new ArgumentError(
      `parameters is ${quote(parameters)}; give an array of tensors, or an object of them by name.`,
      {
        op: 'explain',
        operand: 'parameters',
        actual: parameters,
        expected: 'tensors, in an array or by name',
      },
    );
  }
  const named: [string, Tensor][] = Array.isArray(parameters)
    ? Array.from(parameters, (tensor, i) => [`parameters[${i}]`, tensor])
    : Object.entries(parameters as Readonly<Record<string, Tensor>>);
  for (const [name, tensor] of named) requireTensor('explain', name, tensor);
  const explained = named.map(([name, tensor]) =>
    explainOne(name, tensor, result, loss instanceof Tensor ? null : flow),
  );
  const bad = explained.filter(({ reached, obstacles }) => !reached || obstacles.some(isFatal));
  const message =
    bad.length === 0
      ? `a gradient reaches all ${explained.length} parameters.`
      : [
          `${bad.length} of ${explained.length} parameters are in trouble:`,
          ...bad.map(({ name, shape, text }) => `  ${name} ${formatShape(shape)}: ${text}`),
        ].join('\n');
  return { ok: bad.length === 0, parameters: explained, message };
}

const isFatal = ({ kind }: Obstacle): boolean => kind === 'noRule';

function explainOne(name: string, parameter: Tensor, loss: Tensor, flow: Flow | null): ParameterExplanation {
  const explained = (reached: boolean, text: string, obstacles: readonly Obstacle[] = []) => ({
    name,
    shape: parameter.shape,
    reached,
    text,
    obstacles,
  });
  const blocked = loss.node === null || parameter.node === null ? [] : ruleless(loss.node, parameter.node);
  const cuts = flow === null ? [] : flow.cuts(loss, parameter);
  const obstacles = [...blocked, ...cuts];
  const listed = obstacles.map(({ text, callSite: site }) => (site === null ? text : `${text} At ${site}.`));
  if (parameter.node === null) {
    return explained(false, 'It does not require a gradient; set requiresGrad before the loss is computed.');
  }
  const open = loss.node !== null && differentiableAncestors(loss.node).has(parameter.node);
  if (open) {
    return obstacles.length === 0
      ? explained(true, 'A gradient reaches it.')
      : explained(true, `A gradient reaches it, but not on every way: ${listed.join(' ')}`, obstacles);
  }
  if (obstacles.length > 0) return explained(false, listed.join(' '), obstacles);
  return explained(
    false,
    flow === null
      ? 'No recorded op leads from it to the loss. Give explain the function that computes the loss, to see where the connection is lost.'
      : 'The loss is computed without it.',
  );
}

// Nodes that backward gets to by rules alone.
function differentiableAncestors(root: Node): Set<Node> {
  const found = new Set([root]);
  for (const node of found) {
    node.parents.forEach((parent, i) => {
      if (parent !== null && !isNoGradient(node.op!.vjpOf(i))) found.add(parent);
    });
  }
  return found;
}

// The operands without a rule on recorded ways from the loss to the parameter.
function ruleless(root: Node, target: Node): Obstacle[] {
  const obstacles: Obstacle[] = [];
  for (const node of ancestors(root)) {
    node.parents.forEach((parent, i) => {
      if (parent === null) return;
      const rule = node.op!.vjpOf(i);
      if (!isNoGradient(rule) || !ancestors(parent).has(target)) return;
      obstacles.push({
        kind: 'noRule',
        op: node.op!.name,
        operand: node.op!.operandName(i),
        text: `'${node.op!.name}' has no gradient for its operand ${node.op!.operandName(i)}: ${rule.reason}.`,
        callSite: null,
      });
    });
  }
  return obstacles;
}

interface Step {
  readonly run: OpRun;
  readonly recording: boolean;
  readonly site: string | null;
}

/** Which op computed which tensor, whether or not a graph was recorded. */
class Flow {
  private readonly steps = new Map<Tensor, Step>();
  /** The first tensor seen over an array: what others over it are detached copies of. */
  private readonly owners = new Map<Storage, Tensor>();

  note(run: OpRun): void {
    for (const operand of run.operands) this.own(operand);
    this.own(run.output);
    this.steps.set(run.output, { run, recording: gradMode.enabled, site: callSite() });
  }

  /** Every place on a way from `loss` to `parameter` where the graph does not follow the data. */
  cuts(loss: Tensor, parameter: Tensor): Obstacle[] {
    const dependent = this.dependents(loss, parameter);
    const obstacles: Obstacle[] = [];
    for (const tensor of dependent) {
      const step = this.steps.get(tensor);
      if (step === undefined) {
        if (tensor !== loss || tensor === parameter) continue;
        obstacles.push({
          kind: 'detach',
          op: 'detach',
          operand: 'loss',
          text: 'The loss itself is a detached copy; leave detach() out.',
          callSite: null,
        });
        continue;
      }
      const { op, operands, output } = step.run;
      operands.forEach((operand, i) => {
        const place = { op: op.name, operand: op.operandName(i), callSite: step.site };
        if (!dependent.has(operand)) return;
        if (operand.node === null) {
          // No op made it, and yet it depends on the parameter: it is a copy that shares its array with one that does.
          if (this.steps.has(operand) || operand === parameter) return;
          obstacles.push({
            ...place,
            kind: 'detach',
            text: `'${op.name}' reads a detached copy as its operand ${place.operand}; leave detach() out.`,
          });
        } else if (!isFloat(output.dtype)) {
          obstacles.push({
            ...place,
            kind: 'integer',
            text: `'${op.name}' gives ${output.dtype}, and integers and bools carry no gradient; keep to floating-point ops on the way.`,
          });
        } else if (output.node === null && !step.recording) {
          obstacles.push({
            ...place,
            kind: 'noGrad',
            text: `'${op.name}' runs under noGrad; compute it outside.`,
          });
        }
      });
    }
    return obstacles.reverse();
  }

  private own(tensor: Tensor): void {
    if (!this.owners.has(tensor.storage)) this.owners.set(tensor.storage, tensor);
  }

  // The tensors on ways from the loss to the parameter, the loss first.
  private dependents(loss: Tensor, parameter: Tensor): Set<Tensor> {
    const above = new Set([loss]);
    const users = new Map<Tensor, Tensor[]>();
    for (const tensor of above) {
      for (const source of this.sources(tensor, parameter)) {
        above.add(source);
        const known = users.get(source);
        if (known === undefined) users.set(source, [tensor]);
        else known.push(tensor);
      }
    }
    const on = new Set(above.has(parameter) ? [parameter] : []);
    for (const tensor of on) for (const user of users.get(tensor) ?? []) on.add(user);
    return new Set([...above].filter((tensor) => on.has(tensor)));
  }

  private sources(tensor: Tensor, parameter: Tensor): readonly Tensor[] {
    const step = this.steps.get(tensor);
    if (step !== undefined) return step.run.operands;
    if (tensor === parameter) return [];
    if (tensor.storage === parameter.storage) return [parameter];
    const owner = this.owners.get(tensor.storage);
    return owner === undefined || owner === tensor ? [] : [owner];
  }
}
