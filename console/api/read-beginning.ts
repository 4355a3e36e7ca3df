export interface Beginning {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** There were more. */
  readonly isCut: boolean;
}

/** At most so many bytes of a stream; the rest is not waited for. */
export async function readBeginning(
  stream: ReadableStream<Uint8Array>,
  most: number,
): Promise<Beginning> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (length <= most) {
    const { value, done } = await reader.read();
    if (done) break;
    chunks.push(value);
    length += value.length;
  }
  if (length > most) await reader.cancel();
  const bytes = new Uint8Array(Math.min(length, most));
  let offset = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(0, most - offset);
    bytes.set(part, offset);
    offset += part.length;
  }
  return { bytes, isCut: length > most };
}
