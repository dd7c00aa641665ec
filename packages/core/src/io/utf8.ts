// UTF-8, by the platform's own coders, which every browser and Node have and ECMAScript's library does not declare.

declare const TextDecoder: new (
  label: 'utf-8',
  options: { readonly fatal: boolean; readonly ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };
declare const TextEncoder: new () => { encode(text: string): Uint8Array };

/** The text that `bytes` encode; null if they are not UTF-8. A byte order mark is a character like others. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** The bytes of a text of whole characters; see {@link isWellFormed}. */
export function encodeUtf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Whether no surrogate stands alone in the text: what UTF-8 can hold. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** The order of the texts' bytes in UTF-8, which is that of code points; the order of UTF-16 differs beyond U+FFFF. */
export function compareUtf8(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // A surrogate belongs to a character above all that one code unit holds.
    const [highX, highY] = [isSurrogate(x), isSurrogate(y)];
    return highX === highY ? x - y : highX ? 1 : -1;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
