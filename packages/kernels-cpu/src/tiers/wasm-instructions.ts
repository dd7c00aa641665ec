// Fits the compiled kernels to the instructions of a host. They are compiled once, for relaxed SIMD; for hosts without it a fused
// multiply-add becomes a multiplication and an addition, which is all that plain SIMD128 has.
//
// Relaxed minima and maxima, which the compiler takes for comparisons and choices, differ from processor to processor in what they make of
// NaN and of zeros: everywhere they become the instructions that do what C++ says.

/** What a module can be fitted to. */
export type InstructionSet = 'relaxed' | 'simd128';

const TYPES = 1;
const FUNCTIONS = 3;
const CODE = 10;
const V128 = 0x7b;
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const SIMD = 0xfd;

/** From this one on, the instructions with prefix SIMD are relaxed. */
const RELAXED = 0x100;

/** relaxed_madd of f32x4 and f64x2 (a · b + c): their multiplication and addition. */
const MULTIPLY_ADDS: Readonly<Record<number, readonly [number, number]>> = {
  261: [0xe6, 0xe4],
  263: [0xf2, 0xf0],
};

/** relaxed_min and relaxed_max of both: pmin and pmax, of the same operands in the same order. */
const EXTREMES: Readonly<Record<number, number>> = { 269: 0xea, 270: 0xeb, 271: 0xf6, 272: 0xf7 };

/** Reads a module from front to back. */
class Reader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  /** An unsigned LEB128; a signed one is passed over rightly. */
  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  }

  skip(numbers: number): void {
    for (let i = 0; i < numbers; i++) this.number();
  }
}

/** Passes over an instruction. Returns which one of those with prefix SIMD it is, and −1 for others. */
function passInstruction(r: Reader): number {
  const opcode = r.bytes[r.at++];
  if (opcode === SIMD) {
    const op = r.number();
    // Loads and stores, constants and shuffles, lanes, loads and stores of lanes.
    if (op <= 11 || op === 92 || op === 93) r.skip(2);
    else if (op === 12 || op === 13) r.at += 16;
    else if (op >= 21 && op <= 34) r.at++;
    else if (op >= 84 && op <= 91) r.skip(3);
    return op;
  }
  if (opcode === 0xfc) {
    // Conversions that saturate have nothing, operations on stretches of memory and tables one or two numbers.
    const op = r.number();
    if (op === 8 || op === 10 || op === 12 || op === 14) r.skip(2);
    else if (op > 8) r.skip(1);
  } else if (opcode === 0xfe) {
    // Atomics; the fence has one number alone.
    r.skip(r.number() === 3 ? 1 : 2);
  } else if (opcode === 0x0e) {
    r.skip(r.number() + 1);
  } else if (opcode === 0x1c) {
    r.skip(r.number());
  } else if (opcode === 0x11 || (opcode >= 0x28 && opcode <= 0x3e)) {
    r.skip(2);
  } else if (
    (opcode >= 0x02 && opcode <= 0x04) ||
    (opcode >= 0x0c && opcode <= 0x10) ||
    (opcode >= 0x20 && opcode <= 0x26) ||
    (opcode >= 0x3f && opcode <= 0x42)
  ) {
    if (opcode !== 0x0f) r.skip(1);
  } else if (opcode === 0x43) {
    r.at += 4;
  } else if (opcode === 0x44) {
    r.at += 8;
  }
  return -1;
}

/** The module for a host that has those instructions. */
export function fitModule(module: Uint8Array, instructionSet: InstructionSet): Uint8Array {
  const r = new Reader(module, 8);
  const parameters: number[] = [];
  const types: number[] = [];
  const parts: ArrayLike<number>[] = [module.subarray(0, 8)];
  while (r.at < module.length) {
    const start = r.at;
    const section = r.number();
    const end = r.number() + r.at;
    if (section === TYPES) {
      for (let count = r.number(); count > 0; count--) {
        r.at++;
        const before = r.number();
        r.skip(before);
        r.skip(r.number());
        parameters.push(before);
      }
    }
    if (section === FUNCTIONS) for (let count = r.number(); count > 0; count--) types.push(r.number());
    if (section === CODE) {
      const count = r.number();
      const functions = Array.from({ length: count }, (_, i) => {
        const body = fitFunction(r, parameters[types[i]], instructionSet);
        return concatenate([leb128(body.length), body]);
      });
      const code = concatenate([leb128(count), ...functions]);
      parts.push([CODE], leb128(code.length), code);
    } else parts.push(module.subarray(start, end));
    r.at = end;
  }
  return concatenate(parts);
}

/** The next function, without its length. */
function fitFunction(r: Reader, parameters: number, instructionSet: InstructionSet): Uint8Array {
  const end = r.number() + r.at;
  const start = r.at;
  const groups = r.number();
  const firstGroup = r.at;
  let locals = parameters;
  for (let g = 0; g < groups; g++) {
    locals += r.number();
    r.at++;
  }
  let done = r.at;
  const parts: ArrayLike<number>[] = [r.bytes.subarray(firstGroup, done)];
  let kept = false;
  while (r.at < end) {
    const at = r.at;
    const op = passInstruction(r);
    if (op < RELAXED) continue;
    const extreme = EXTREMES[op];
    const multiplyAdd = instructionSet === 'simd128' ? MULTIPLY_ADDS[op] : undefined;
    if (extreme === undefined && multiplyAdd === undefined) continue;
    parts.push(r.bytes.subarray(done, at));
    done = r.at;
    if (multiplyAdd === undefined) {
      parts.push([SIMD, ...leb128(extreme)]);
      continue;
    }
    // What is added lies on top of the factors, and waits in a local of its own.
    const [multiply, add] = multiplyAdd;
    const local = leb128(locals);
    parts.push([LOCAL_SET, ...local, SIMD, ...leb128(multiply), LOCAL_GET, ...local, SIMD, ...leb128(add)]);
    kept = true;
  }
  if (parts.length === 1) return r.bytes.subarray(start, end);
  parts.push(r.bytes.subarray(done, end));
  if (!kept) return concatenate([leb128(groups), ...parts]);
  const [declared, ...code] = parts;
  return concatenate([leb128(groups + 1), declared, [1, V128], ...code]);
}

function leb128(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return [...bytes, rest];
}

function concatenate(parts: readonly ArrayLike<number>[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
