const NEWLINE = 0x0a;

export interface Line {
  /** Counted from 1. */
  number: number;
  /** Without its newline; undefined when it was longer than allowed, and so was thrown away. */
  bytes: Uint8Array | undefined;
  /** Bytes of the input up to and with this line. */
  end: number;
}

/** Splits a stream of bytes into lines, holding no more than `maxLineBytes` of one in memory. */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  maxLineBytes: number,
): AsyncGenerator<Line> {
  let number = 1;
  let end = 0;
  let parts: Uint8Array[] = [];
  let length = 0;
  const add = (part: Uint8Array): void => {
    length += part.length;
    end += part.length;
    if (length > maxLineBytes) {
      parts = [];
    } else {
      parts.push(part);
    }
  };
  const line = (): Line => {
    const bytes = length > maxLineBytes ? undefined : concat(parts, length);
    parts = [];
    length = 0;
    return { number: number++, bytes, end };
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, start)) {
      add(chunk.subarray(start, at));
      end += 1;
      start = at + 1;
      yield line();
    }
    add(chunk.subarray(start));
  }
  if (length > 0) {
    yield line();
  }
}

/** Whether there is nothing but white space in it. */
export function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

function concat(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = parts;
  if (first && parts.length === 1) {
    return first;
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
