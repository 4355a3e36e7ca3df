import { MAX_BATCH_BYTES } from '../../../shared/limits.ts';
import { isBlank, splitLines } from '../../../shared/ndjson/lines.ts';
import { BrokenLineError, type ImportRecord, parseRecord } from '../../../shared/ndjson/record.ts';
import { whyNoDocument } from './record-rules.ts';

/** A line of a file that is imported, in which there is something. */
export type ReadLine = {
  /** Counted from 1. */
  readonly number: number;
  /** Bytes of the file up to and with it. */
  readonly end: number;
} & (
  | { readonly record: ImportRecord; readonly bytes: number }
  /** Why it cannot be imported. */
  | { readonly problem: string }
);

/** A batch has to have room for it. */
const MAX_LINE_BYTES = MAX_BATCH_BYTES - 65_536;

/** The lines of a file, read as it streams: no more than one of them is in memory. */
export async function* readRecords(
  chunks: AsyncIterable<Uint8Array>,
  maxLineBytes = MAX_LINE_BYTES,
): AsyncGenerator<ReadLine, void> {
  for await (const { number, bytes, end } of splitLines(chunks, maxLineBytes)) {
    if (bytes && isBlank(bytes)) continue;
    yield { number, end, ...read(bytes, maxLineBytes) };
  }
}

/** The bytes of a file, or of whatever streams. Throws the signal's reason. */
export async function* chunksOf<Chunk>(
  stream: ReadableStream<Chunk>,
  signal?: AbortSignal,
): AsyncGenerator<Chunk, void> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal?.throwIfAborted();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function read(bytes: Uint8Array | undefined, maxLineBytes: number) {
  if (!bytes) return { problem: `the line has more than ${maxLineBytes} bytes.` };
  try {
    const record = parseRecord(bytes);
    const problem = whyNoDocument(record);
    return problem ? { problem } : { record, bytes: bytes.length };
  } catch (error) {
    if (error instanceof BrokenLineError) return { problem: error.message };
    throw error;
  }
}
