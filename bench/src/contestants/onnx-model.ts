// ONNX models of one node, written down byte by byte: enough of protocol buffers for that.

const FLOAT = 1;

/** An attribute of a node: an integer, a number with a fraction, or a list of integers. */
export type Attribute = number | { readonly float: number } | readonly number[];

/** A model of one node. */
export interface OneNode {
  readonly op: string;
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** Sizes of the result. */
  readonly output: readonly number[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return bytes;
}

const integer = (field: number, value: number): number[] => [...varint(field << 3), ...varint(value)];

function bytes(field: number, value: readonly number[]): number[] {
  return [...varint((field << 3) | 2), ...varint(value.length), ...value];
}

const text = (field: number, value: string): number[] => bytes(field, [...new TextEncoder().encode(value)]);

function attribute(name: string, value: Attribute): number[] {
  if (typeof value === 'number') return [...text(1, name), ...integer(3, value), ...integer(20, 2)];
  if ('float' in value) {
    const raw = [...new Uint8Array(Float32Array.of(value.float).buffer)];
    return [...text(1, name), ...varint((2 << 3) | 5), ...raw, ...integer(20, 1)];
  }
  return [...text(1, name), ...value.flatMap((item) => integer(8, item)), ...integer(20, 7)];
}

function valueInfo(name: string, shape: readonly number[]): number[] {
  const dimensions = shape.flatMap((size) => bytes(1, integer(1, size)));
  const tensorType = [...integer(1, FLOAT), ...bytes(2, dimensions)];
  return [...text(1, name), ...bytes(2, bytes(1, tensorType))];
}

/** The model's bytes (ONNX opset 17; the result is called 'y'). */
export function encodeModel({ op, inputs, output, attributes = {} }: OneNode): Uint8Array {
  const names = Object.keys(inputs);
  const node = [
    ...names.flatMap((name) => text(1, name)),
    ...text(2, 'y'),
    ...text(4, op),
    ...Object.entries(attributes).flatMap(([name, value]) => bytes(5, attribute(name, value))),
  ];
  const graph = [
    ...bytes(1, node),
    ...text(2, 'one'),
    ...names.flatMap((name) => bytes(11, valueInfo(name, inputs[name]))),
    ...bytes(12, valueInfo('y', output)),
  ];
  const opset = [...text(1, ''), ...integer(2, 17)];
  return Uint8Array.from([...integer(1, 8), ...bytes(7, graph), ...bytes(8, opset)]);
}
