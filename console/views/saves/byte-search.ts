/** What is looked for in a save: bytes as hexadecimal digits, or text in UTF-8. */
export function parsePattern(typed: string, kind: 'text' | 'hex'): Uint8Array | undefined {
  if (kind === 'text') return typed === '' ? undefined : new TextEncoder().encode(typed);
  const digits = typed.replace(/[\s,]|0x/gi, '');
  if (!/^(?:[0-9a-f]{2})+$/i.test(digits)) return undefined;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Where the pattern is next, from `from` on; undefined where it is not. */
export function findBytes(
  bytes: Uint8Array,
  pattern: Uint8Array,
  from: number,
): number | undefined {
  const [first] = pattern;
  if (first === undefined) return undefined;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (at + pattern.length > bytes.length) return undefined;
    if (pattern.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return undefined;
}
