import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { LoadTarget } from './prepared-request.ts';

/** One way to read every key of a store. */
export interface Reading {
  /** `list`: GET /data, an array of keys. `ndjson`: the export, with every document. */
  readonly format: 'list' | 'ndjson';
  /** How fast the client reads; absent: as fast as it can. */
  readonly bytesPerSecond?: number;
}

/**
 * Reads all keys and returns how many bytes the answer had. Throws unless the keys are exactly the
 * expected ones, in their order.
 */
export async function readKeys(
  target: LoadTarget,
  { format, bytesPerSecond = Number.POSITIVE_INFINITY }: Reading,
  expected: readonly string[],
): Promise<number> {
  const accept = format === 'list' ? 'application/json' : 'application/x-ndjson';
  const request = get(new URL('/data', target.url), { headers: { ...target.headers, accept } });
  const [response]: IncomingMessage[] = await once(request, 'response');
  if (response?.statusCode !== 200) throw new Error(`GET /data: status ${response?.statusCode}.`);

  let bytes = 0;
  const chunks = (async function* () {
    for await (const chunk of paced(response, bytesPerSecond)) {
      bytes += chunk.length;
      yield chunk.toString('latin1');
    }
  })();
  const keys = format === 'list' ? await keysOfList(chunks) : await keysOfLines(chunks);
  checkKeys(keys, expected, format);
  return bytes;
}

/** The chunks of a stream, each only when its share of the time has passed. */
async function* paced(response: IncomingMessage, bytesPerSecond: number): AsyncGenerator<Buffer> {
  const start = performance.now();
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    const ahead = (bytes / bytesPerSecond) * 1_000 - (performance.now() - start);
    if (ahead > 0) await delay(ahead);
    yield chunk;
  }
}

async function keysOfList(chunks: AsyncIterable<string>): Promise<unknown[]> {
  let text = '';
  for await (const chunk of chunks) text += chunk;
  const keys: unknown = JSON.parse(text);
  if (!Array.isArray(keys)) throw new Error('GET /data did not answer an array.');
  return keys;
}

async function keysOfLines(chunks: AsyncIterable<string>): Promise<unknown[]> {
  const keys: unknown[] = [];
  let unfinished = '';
  for await (const chunk of chunks) {
    const lines = (unfinished + chunk).split('\n');
    unfinished = lines.pop() ?? '';
    for (const line of lines) {
      const { key }: { key: unknown } = JSON.parse(line);
      keys.push(key);
    }
  }
  if (unfinished !== '') throw new Error('The export ended in the middle of a line.');
  return keys;
}

function checkKeys(keys: readonly unknown[], expected: readonly string[], format: string): void {
  const wrong = expected.findIndex((key, index) => keys[index] !== key);
  if (keys.length !== expected.length || wrong !== -1) {
    const first = wrong === -1 ? '' : ` the first wrong one is ${String(keys[wrong])};`;
    throw new Error(
      `The ${format} gave ${keys.length} keys;${first} ${expected.length} are stored.`,
    );
  }
}
