import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { createChecksum } from '../../server/s3/checksum.ts';
import { type ChecksumAlgorithm, checksumAlgorithms } from '../../server/s3/expected-checksums.ts';
import { createBodyHash } from '../../server/services/body-hash.ts';
import {
  BLOCK_BYTES,
  createHashThreads,
  type HashThreads,
} from '../../server/services/hash-threads.ts';
import { startHashWorker } from '../support/hash-worker.ts';

const open: HashThreads[] = [];
afterEach(async () => {
  for (const threads of open.splice(0)) await threads.close();
});

function hashThreads(start: () => Worker): HashThreads {
  const threads = createHashThreads(start);
  open.push(threads);
  return threads;
}

/** A thread that is no good. */
function scripted(script: string): Worker {
  const head = "const { parentPort } = require('node:worker_threads');";
  return new Worker(head + script, { eval: true });
}
const DEAF = "parentPort.on('message', () => {});";
const DIES_OF_UPDATES =
  "parentPort.on('message', ({ kind }) => { if (kind === 'update') throw new Error('died'); });";
const EXITS = "parentPort.on('message', () => process.exit());";

const bytes = Buffer.alloc(5 * BLOCK_BYTES + 3);
for (let at = 0; at < bytes.length; at += 1) bytes[at] = (at * 2_654_435_761) >>> 13;

/** Sent in pieces of these sizes, in turn. */
async function digestsOf(
  threads: HashThreads,
  algorithm: ChecksumAlgorithm | undefined,
  body: Buffer,
  pieces: readonly number[],
) {
  const hash = createBodyHash(threads, algorithm);
  try {
    let at = 0;
    for (let index = 0; at < body.length; index += 1) {
      const end = at + (pieces[index % pieces.length] ?? body.length);
      await hash.update(body.subarray(at, end));
      at = end;
    }
    return await hash.digest();
  } finally {
    hash.close();
  }
}

function expected(algorithm: ChecksumAlgorithm | undefined, body: Buffer) {
  const checksum = algorithm && createChecksum(algorithm);
  checksum?.update(body);
  return { md5: createHash('md5').update(body).digest('hex'), checksum: checksum?.digest() };
}

describe('the digests of a body', () => {
  test.each([0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES])(
    'are right for %d bytes, whatever the pieces',
    async (length) => {
      const threads = hashThreads(startHashWorker);
      const body = bytes.subarray(0, length);
      for (const pieces of [[65_536], [BLOCK_BYTES], [length + 1], [1_000, 7]]) {
        const digests = await digestsOf(threads, 'crc32c', body, pieces);
        expect(digests).toEqual(expected('crc32c', body));
      }
    },
  );

  test('are right for any sizes near the borders of blocks, many bodies at once', async () => {
    const threads = hashThreads(startHashWorker);
    const nearBorder = fc
      .tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: -3, max: 3 }))
      .map(([blocks, more]) => Math.max(0, blocks * BLOCK_BYTES + more));
    const piece = fc.oneof(fc.integer({ min: 500, max: 70_000 }), nearBorder.filter(Boolean));
    const upload = fc.record({
      length: nearBorder,
      pieces: fc.array(piece, { minLength: 1, maxLength: 5 }),
      algorithm: fc.constantFrom(undefined, ...checksumAlgorithms),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(upload, { minLength: 1, maxLength: 12 }), async (uploads) => {
        const all = uploads.map(async ({ length, pieces, algorithm }) => {
          const body = bytes.subarray(0, length);
          const digests = await digestsOf(threads, algorithm, body, pieces);
          expect(digests).toEqual(expected(algorithm, body));
        });
        await Promise.all(all);
      }),
      { numRuns: 30 },
    );
  });

  test('are right for a body that comes byte by byte', async () => {
    const body = bytes.subarray(0, 3_000);
    const digests = await digestsOf(hashThreads(startHashWorker), 'sha256', body, [1]);
    expect(digests).toEqual(expected('sha256', body));
  });
});

describe('a thread', () => {
  test('is not started for a small body', async () => {
    const threads = hashThreads(() => {
      throw new Error('started');
    });
    const body = bytes.subarray(0, BLOCK_BYTES);
    expect(await digestsOf(threads, undefined, body, [65_536])).toEqual(expected(undefined, body));
  });

  test.each([DIES_OF_UPDATES, EXITS])(
    'that ends is the error of its bodies, and the next body gets another one',
    async (script) => {
      let isFirst = true;
      const threads = hashThreads(() => {
        const worker = isFirst ? scripted(script) : startHashWorker();
        isFirst = false;
        return worker;
      });
      await expect(digestsOf(threads, undefined, bytes, [65_536])).rejects.toMatchObject({
        code: 'unavailable',
      });
      expect(await digestsOf(threads, undefined, bytes, [65_536])).toEqual(
        expected(undefined, bytes),
      );
    },
  );

  test('holds no more than 8 MiB: further bytes wait, until there is room or it ends', async () => {
    const threads = hashThreads(() => scripted(DEAF));
    const hash = threads.begin(undefined);
    const block = bytes.subarray(0, BLOCK_BYTES);
    for (let index = 0; index < 32; index += 1) await hash.update([block]);
    const waiting = hash.update([block]).then(
      () => 'taken',
      (error) => error.code,
    );
    const first = await Promise.race([waiting, new Promise((resolve) => setImmediate(resolve))]);
    expect(first).toBeUndefined();
    await threads.close();
    expect(await waiting).toBe('unavailable');
  });

  test('that is closed while it hashes is an error, and so is every body after', async () => {
    const threads = hashThreads(() => scripted(DEAF));
    const digests = digestsOf(threads, undefined, bytes, [65_536]);
    const refused = expect(digests).rejects.toMatchObject({ code: 'unavailable' });
    await threads.close();
    await refused;
    await expect(digestsOf(threads, undefined, bytes, [65_536])).rejects.toMatchObject({
      code: 'unavailable',
    });
  });

  test('gives back what a body took that is closed early', async () => {
    const threads = hashThreads(startHashWorker);
    for (let index = 0; index < 40; index += 1) {
      const hash = threads.begin('crc32');
      await hash.update([bytes.subarray(0, BLOCK_BYTES)]);
      hash.close();
    }
    expect(await digestsOf(threads, 'crc32', bytes, [65_536])).toEqual(expected('crc32', bytes));
  });
});
