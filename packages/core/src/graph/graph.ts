// A traced graph: runs on real tensors, sums up what it costs, and shows itself.

import type { Tensor } from '../tensor.ts';
import type { DiagramNode } from './content.ts';
import { type Description, describe, type TensorNames } from './describe.ts';
import { Diagram } from './diagram.ts';
import { drawHtml } from './html.ts';
import { Program } from './run.ts';
import { isParameter, type Outputs, type Step } from './steps.ts';
import { type Summary, summarise } from './summary.ts';

/**
 * What {@link trace} gives: the ops of a function in the order in which they run.
 *
 * `Returned` is what the function returns, `Inputs` the tensors it takes.
 */
export class Graph<Returned, Inputs extends readonly Tensor[]> extends Diagram {
  readonly #steps: readonly Step[];
  readonly #outputs: Outputs<Returned>;
  readonly #description: Description;
  #program: Program | null = null;

  /** Made by `trace`. */
  constructor(steps: readonly Step[], outputs: Outputs<Returned>, names: TensorNames = new Map()) {
    const description = describe(steps, outputs, names);
    super(description.content);
    this.#steps = steps;
    this.#outputs = outputs;
    this.#description = description;
  }

  /** The inputs, in order: name, shape and dtype of each. */
  get inputs(): readonly DiagramNode[] {
    return this.nodes.filter(({ kind }) => kind === 'input');
  }

  /** The tensors from outside that collect gradients, in the order in which the function uses them, and their names here. */
  get parameters(): readonly { readonly name: string; readonly tensor: Tensor }[] {
    return this.#steps.flatMap((step, id) =>
      step.kind === 'captured' && isParameter(step)
        ? [{ name: this.#description.nameOf(id), tensor: step.tensor }]
        : [],
    );
  }

  /**
   * Runs the graph: the same ops in the same order as the function itself, so the same bits, and gradients flow as they do
   * there.
   *
   * @param inputs one tensor per input, of its shape and dtype.
   * @returns what the function returns.
   * @throws ArgumentError, ShapeError, DTypeError for inputs that the graph was not traced for, before any work; and whatever
   *   its ops find wrong with values.
   * @example
   * import { trace } from '@adjoint/core/graph';
   * const w = tensor([[1], [2]], { requiresGrad: true });
   * const graph = trace((x) => sum(matmul(x, w)), { shape: [3, 2] });
   * graph.run(ones([3, 2])).backward();
   * w.grad!.toArray(); // [[3], [3]]
   */
  run(...inputs: Inputs): Returned {
    this.#program ??= new Program(this.#steps, this.#outputs.steps);
    return this.#outputs.build(this.#program.run(inputs));
  }

  /**
   * The same graph, in which tensors from outside have names.
   *
   * @param names such as a module's `namedParameters()`; names of tensors that the graph does not use are not used.
   * @example
   * import { trace } from '@adjoint/core/graph';
   * const weight = ones([2, 2], { requiresGrad: true });
   * const graph = trace((x) => matmul(x, weight), { shape: [1, 2] }).named([['weight', weight]]);
   * graph.parameters[0].name; // 'weight'
   */
  named(names: Iterable<readonly [name: string, tensor: Tensor]>): Graph<Returned, Inputs> {
    const byTensor = new Map([...names].map(([name, tensor]) => [tensor, name]));
    return new Graph(this.#steps, this.#outputs, byTensor);
  }

  /**
   * Per op: shapes, parameters, FLOPs, bytes read and written, bytes saved for backward; and their totals.
   *
   * FLOPs are those of the op's record: two per multiplication and addition of a product or a convolution, else one per
   * element of the result (of the operand, for reductions), and none for views. Saved bytes are counted where gradients are
   * needed: from parameters on, and from inputs that were traced with `requiresGrad`.
   *
   * @example
   * import { trace } from '@adjoint/core/graph';
   * const w = zeros([784, 10], { requiresGrad: true });
   * const { totals } = trace((x) => matmul(x, w), { shape: [8, 784] }).summary();
   * totals.flops; // 125440
   * totals.parameters; // 7840
   * totals.bytesSaved; // 25088, which are the input
   */
  summary(): Summary {
    return summarise(this.#steps, this.#description.nameOf);
  }

  /** The picture, the table of costs and the text as one HTML page that needs nothing else. */
  override toHtml(): string {
    return drawHtml(this, this.summary().toString());
  }
}
