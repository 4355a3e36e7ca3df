/** How two versions differ, byte by byte at the same offsets. */
export interface ByteDifference {
  /** What one has and the other does not counts as different. */
  readonly count: number;
  readonly first: number | undefined;
  readonly isDifferent: (offset: number) => boolean;
  /** The next different byte from an offset on that follows one that is the same. */
  readonly nextFrom: (offset: number) => number | undefined;
}

export function differenceOf(a: Uint8Array, b: Uint8Array): ByteDifference {
  const common = Math.min(a.length, b.length);
  const length = Math.max(a.length, b.length);
  const isDifferent = (offset: number): boolean =>
    offset < length && (offset >= common || a[offset] !== b[offset]);
  let count = length - common;
  let first: number | undefined;
  for (let offset = 0; offset < common; offset += 1) {
    if (a[offset] === b[offset]) continue;
    count += 1;
    first ??= offset;
  }
  if (length > common) first ??= common;
  return {
    count,
    first,
    isDifferent,
    nextFrom(from) {
      for (let offset = from; offset < length; offset += 1) {
        if (isDifferent(offset) && (offset === 0 || !isDifferent(offset - 1))) return offset;
      }
      return undefined;
    },
  };
}

/** The numbers of the rows, each of so many bytes, that have a different byte. */
export function differentRows(
  { first, isDifferent }: ByteDifference,
  length: number,
  perRow: number,
): Uint32Array {
  const rows: number[] = [];
  if (first === undefined) return new Uint32Array();
  for (let row = Math.floor(first / perRow); row * perRow < length; row += 1) {
    const end = Math.min(length, (row + 1) * perRow);
    let offset = row * perRow;
    while (offset < end && !isDifferent(offset)) offset += 1;
    if (offset < end) rows.push(row);
  }
  return Uint32Array.from(rows);
}
