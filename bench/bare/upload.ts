import { createReadStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { HashStep } from './hash-worker.ts';

// What Node.js needs at least to store a file durably and to name its MD5: blocks of shared memory
// are filled from the socket; each is then written, and hashed by a worker at the same time.

const BLOCK_BYTES = 1_048_576;
const BLOCKS = 4;

const [port, folder = ''] = process.argv.slice(2);

const server = createServer(async (request, response) => {
  const path = join(folder, request.url ?? '');
  if (request.method === 'PUT') {
    response.setHeader('etag', `"${await store(request, path)}"`);
    response.writeHead(201).end();
  } else if (request.url === '/ready') response.end();
  else createReadStream(path).pipe(response);
});
server.listen(Number(port), '127.0.0.1');

/** Its MD5, once it is on the disk. */
async function store(request: IncomingMessage, path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'w');
  const hasher = await takeHasher();
  const free = Array.from({ length: BLOCKS }, () => new SharedArrayBuffer(BLOCK_BYTES));
  const busy: Promise<SharedArrayBuffer>[] = [];
  let position = 0;
  for await (const { block, length } of blocksOf(request, free, busy)) {
    const written = file.write(new Uint8Array(block), 0, length, position);
    position += length;
    busy.push(Promise.all([written, hasher.add(block, length)]).then(() => block));
  }
  await Promise.all(busy);
  const [md5] = await Promise.all([hasher.end(), file.sync()]);
  await file.close();
  idle.push(hasher);
  return md5;
}

/** The body in blocks; a block that is in use is waited for. */
async function* blocksOf(
  request: IncomingMessage,
  free: SharedArrayBuffer[],
  busy: Promise<SharedArrayBuffer>[],
): AsyncGenerator<{ block: SharedArrayBuffer; length: number }> {
  const nextBlock = async () => free.pop() ?? (await busy.shift());
  let block = await nextBlock();
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    for (let from = 0; from < chunk.length; ) {
      if (block === undefined) throw new Error('There is no block.');
      const part = chunk.subarray(from, from + BLOCK_BYTES - length);
      new Uint8Array(block).set(part, length);
      length += part.length;
      from += part.length;
      if (length < BLOCK_BYTES) continue;
      yield { block, length };
      block = await nextBlock();
      length = 0;
    }
  }
  if (block && length > 0) yield { block, length };
}

interface Hasher {
  add(block: SharedArrayBuffer, length: number): Promise<void>;
  end(): Promise<string>;
}

const idle: Hasher[] = [];

async function takeHasher(): Promise<Hasher> {
  return idle.pop() ?? startHasher();
}

/** A worker that hashes one file at a time; it answers in the order in which it was asked. */
function startHasher(): Hasher {
  const worker = new Worker(new URL('./hash-worker.js', import.meta.url));
  const waiting: ((answer: string) => void)[] = [];
  worker.on('message', (answer: string) => waiting.shift()?.(answer));
  const ask = (step: HashStep) =>
    new Promise<string>((resolve) => {
      waiting.push(resolve);
      worker.postMessage(step);
    });
  return {
    add: async (block, length) => {
      await ask({ block, length });
    },
    end: () => ask('end'),
  };
}
