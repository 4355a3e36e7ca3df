import { createHash, randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  BlobDamaged,
  BlobMissing,
  type BlobStore,
  type StoredBlob,
} from '../../server/stores/blob-store.ts';

/** What a driver gives the suite: a store of its own for each test, which can be opened again. */
export interface BlobStoreFixture {
  open(): Promise<BlobStore>;
  /** Everything that lies in the store, published or not: how many. */
  count(): Promise<number>;
  remove(): Promise<void>;
}

/** The contract of BlobStore: every driver runs it. */
export function testBlobStore(name: string, createFixture: () => Promise<BlobStoreFixture>): void {
  describe(`BlobStore: ${name}`, () => {
    let fixture: BlobStoreFixture;
    let store: BlobStore;

    beforeEach(async () => {
      fixture = await createFixture();
      store = await fixture.open();
    });

    afterEach(() => fixture.remove());

    test.each([1, 65_536, 5_000_001])('gives back %i bytes as they were put', async (size) => {
      const bytes = randomBytes(size);
      const blob = await store.put(chunks(bytes, 64_000));
      expect(blob.size).toBe(size);
      expect((await readWhole(store, blob)).equals(bytes)).toBe(true);
      store = await fixture.open();
      expect((await readWhole(store, blob)).equals(bytes)).toBe(true);
    });

    test.each([
      [0, 0],
      [0, 9],
      [90_000, 99_999],
      [12_345, 67_890],
    ])('gives the bytes from %i to %i, both included', async (start, end) => {
      const bytes = randomBytes(100_000);
      const { id } = await store.put(chunks(bytes, 7_777));
      const part = await read(await store.get(id, { start, end }));
      expect(part.equals(bytes.subarray(start, end + 1))).toBe(true);
    });

    test('a blob that ends before what is asked for is damaged', async () => {
      const { id } = await store.put(chunks(randomBytes(1_000), 100));
      await expect(store.get(id, { start: 0, end: 1_000 })).rejects.toBeInstanceOf(BlobDamaged);
    });

    test('names each blob anew, whatever it holds', async () => {
      const one = await store.put(chunks(Buffer.from('same'), 4));
      const other = await store.put(chunks(Buffer.from('same'), 4));
      expect(one.id).not.toBe(other.id);
      await store.delete(one.id);
      expect((await readWhole(store, other)).toString()).toBe('same');
    });

    test('a source that breaks off leaves nothing, and its error comes through', async () => {
      async function* broken(): AsyncGenerator<Buffer> {
        yield randomBytes(100_000);
        throw new Error('gone away');
      }
      await expect(store.put(broken())).rejects.toThrow('gone away');
      expect(await fixture.count()).toBe(0);
    });

    test('a deleted blob is missing, and deleting it again is no error', async () => {
      const { id } = await store.put(chunks(Buffer.from('x'), 1));
      await store.delete(id);
      await store.delete(id);
      await expect(store.get(id, FIRST)).rejects.toBeInstanceOf(BlobMissing);
      expect(await fixture.count()).toBe(0);
    });

    test('is empty as long as there is no blob', async () => {
      expect(await store.isEmpty()).toBe(true);
      const { id } = await store.put(chunks(Buffer.from('x'), 1));
      expect(await store.isEmpty()).toBe(false);
      await store.delete(id);
      expect(await store.isEmpty()).toBe(true);
    });

    test('who reads while the blob is deleted reads it whole', async () => {
      const bytes = randomBytes(2_000_000);
      const { id, size } = await store.put(chunks(bytes, 65_536));
      const stream = await store.get(id, { start: 0, end: size - 1 });
      await store.delete(id);
      expect((await read(stream)).equals(bytes)).toBe(true);
    });

    test('sweeping removes what is not referenced, and nothing else', async () => {
      const blobs = await Promise.all(
        Array.from({ length: 20 }, (_, i) => store.put(chunks(Buffer.from(String(i)), 1))),
      );
      const kept = new Set(blobs.filter((_, i) => i % 2 === 0).map(({ id }) => id));
      store = await fixture.open();
      expect(await store.sweep(async (prefix) => withPrefix(kept, prefix))).toBe(10);
      expect(await fixture.count()).toBe(10);
      for (const { id } of blobs) {
        if (kept.has(id)) expect((await read(await store.get(id, FIRST))).length).toBe(1);
        else await expect(store.get(id, FIRST)).rejects.toBeInstanceOf(BlobMissing);
      }
    });

    test('eight at a time do not mix', async () => {
      const all = Array.from({ length: 8 }, () => randomBytes(1_000_003));
      const blobs = await Promise.all(all.map((bytes) => store.put(chunks(bytes, 10_007))));
      for (const [i, { id }] of blobs.entries()) {
        const hash = createHash('md5')
          .update(await readWhole(store, { id, size: 1_000_003 }))
          .digest('hex');
        expect(hash).toBe(
          createHash('md5')
            .update(all[i] ?? '')
            .digest('hex'),
        );
      }
    });
  });
}

function withPrefix(ids: ReadonlySet<string>, prefix: string): ReadonlySet<string> {
  return new Set([...ids].filter((id) => id.startsWith(prefix)));
}

async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const FIRST = { start: 0, end: 0 };

async function readWhole(store: BlobStore, { id, size }: StoredBlob): Promise<Buffer> {
  return read(await store.get(id, { start: 0, end: size - 1 }));
}

async function read(stream: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}
