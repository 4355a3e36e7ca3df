import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BatchWriter, createBatchWriter } from '../../server/drivers/file/batch-writer.ts';

type Target = Parameters<typeof createBatchWriter>[0];

/** Takes what `room` says of each write; throws where it says nothing. */
function diskOf(room: (bytes: number) => number | undefined) {
  const written: Buffer[] = [];
  let isWriting = false;
  const handle: Target = {
    async writev(chunks) {
      if (isWriting) throw new Error('Two writes at once.');
      isWriting = true;
      await new Promise((resolve) => setImmediate(resolve));
      isWriting = false;
      const all = Buffer.concat(chunks);
      const bytesWritten = room(all.length);
      if (bytesWritten === undefined) throw new Error('full');
      written.push(all.subarray(0, bytesWritten));
      return { bytesWritten };
    },
  };
  return { handle, written };
}

async function writeAll(writer: BatchWriter, chunks: readonly Buffer[]): Promise<void> {
  for (const chunk of chunks) await writer.write(chunk);
  await writer.end();
}

test('every byte is written once and in order, also where the disk takes less', async () => {
  const sizes = fc.array(fc.oneof(fc.nat(70_000), fc.integer({ min: 1, max: 9 })), {
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 1, max: 4 }), async (lengths, part) => {
      const { handle, written } = diskOf((bytes) => Math.ceil(bytes / part));
      const chunks = lengths.map((length, index) => Buffer.alloc(length, index + 1));
      const writer = createBatchWriter(handle);
      await writeAll(writer, chunks);
      expect(Buffer.concat(written).equals(Buffer.concat(chunks))).toBe(true);
      expect(writer.bytes).toBe(Buffer.concat(chunks).length);
    }),
    { numRuns: 50 },
  );
});

test('what comes byte by byte is written in few calls', async () => {
  const { handle, written } = diskOf((bytes) => bytes);
  await writeAll(
    createBatchWriter(handle),
    Array.from({ length: 1_000 }, () => Buffer.of(1)),
  );
  expect(written.map(({ length }) => length)).toEqual([256, 256, 256, 232]);
});

test('a write that fails is told to who writes on, and to who ends', async () => {
  const big = Buffer.alloc(300_000);
  let calls = 0;
  const { handle } = diskOf((bytes) => {
    calls += 1;
    return calls === 1 ? bytes : undefined;
  });
  await expect(writeAll(createBatchWriter(handle), [big, big, big, big])).rejects.toThrow('full');
  expect(calls).toBe(2);
  await expect(writeAll(createBatchWriter(handle), [Buffer.of(1)])).rejects.toThrow('full');
});
