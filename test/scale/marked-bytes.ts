/** Bytes that tell whose they are, and whether they are whole: a mark that ends in their size, repeated. */
export function markedBytes(mark: string): Buffer {
  return Buffer.alloc(sizeOf(mark), `${mark}\n`);
}

const TORN = 'torn bytes';

/** `torn bytes` for what nobody sent so. */
export function markOf(bytes: Buffer): string {
  const mark = bytes.subarray(0, bytes.indexOf('\n')).toString();
  return bytes.length === sizeOf(mark) && bytes.equals(markedBytes(mark)) ? mark : TORN;
}

function sizeOf(mark: string): number {
  return Number(/\.(\d+)$/.exec(mark)?.[1] ?? 0);
}
