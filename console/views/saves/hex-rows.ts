/** Bytes as rows of hexadecimal digits and of ASCII. */

export type Mark = 'different' | 'found' | 'different found';

/** Bytes side by side that are marked in the same way. */
export interface HexRun {
  readonly hex: string;
  readonly ascii: string;
  readonly mark: Mark | undefined;
}

/** The bytes from `start` to before `end`, spaces between their digits. */
export function hexRuns(
  bytes: Uint8Array,
  start: number,
  end: number,
  markOf: (offset: number) => Mark | undefined,
): HexRun[] {
  const runs: HexRun[] = [];
  const last = Math.min(end, bytes.length);
  for (let from = start; from < last; ) {
    const mark = markOf(from);
    let to = from + 1;
    while (to < last && markOf(to) === mark) to += 1;
    const part = bytes.subarray(from, to);
    runs.push({ hex: Array.from(part, hexByte).join(' '), ascii: asciiText(part), mark });
    from = to;
  }
  return runs;
}

export function hexOffset(offset: number): string {
  return offset.toString(16).padStart(8, '0');
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/** A dot for what is not printable. */
function asciiText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.',
  ).join('');
}

/** An offset as one types it: decimal, or hexadecimal with `0x` or with letters in it. */
export function parseOffset(typed: string): number | undefined {
  const text = typed.trim().toLowerCase();
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const [, digits] = /^(?:0x)?([0-9a-f]{1,12})$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number.parseInt(digits, 16);
}
