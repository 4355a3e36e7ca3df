import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { partKey, putPart as putPartRecord } from '../../server/services/part-records.ts';
import type { KvMutation } from '../../server/stores/kv-store.ts';
import { MAX_PARTS, MIN_PART_BYTES, UPLOAD_LIFE_MS } from '../../shared/limits.ts';
import { runs } from '../support/long-runs.ts';
import { BUCKET, type ObjectServices, openObjectServices, readAll } from './object-services.ts';

/** Where the bytes of parts lie: never copied, read whole, and gone once they are nobody's. */

let services: ObjectServices;

beforeEach(async () => {
  services = await openObjectServices();
});

afterEach(() => services.close());

const FULL = Buffer.alloc(MIN_PART_BYTES, 'a full part ');
/** Large enough for a file of its own. */
const LARGE = Buffer.alloc(70_000, 'large ');

describe('completing', () => {
  it('copies nothing: the files are the same ones', async () => {
    const { begin, putPart, complete, files, read } = services;
    const upload = await begin('same files');
    const parts = [await putPart(upload, 1, FULL), await putPart(upload, 2, LARGE)];
    const before = await files();
    expect(before).toHaveLength(2);
    await complete(upload, parts);
    expect(await files()).toEqual(before);
    expect((await read('same files'))?.equals(Buffer.concat([FULL, LARGE]))).toBe(true);
    await services.expectTidy();
  });

  it('removes the parts that the object does not have', async () => {
    const upload = await services.begin('some');
    const parts = [];
    for (const number of [1, 2, 3, 4]) {
      parts.push(await services.putPart(upload, number, number === 3 ? Buffer.from('3') : FULL));
    }
    await services.complete(
      upload,
      [parts[1], parts[3]].flatMap((part) => part ?? []),
    );
    await services.expectTidy();
    expect(await services.files()).toHaveLength(2);
    expect(await services.keys('part/')).toHaveLength(2);
    expect(await services.keys('upload/')).toEqual([]);
  });

  it('drops what a part of the same number had before', async () => {
    const upload = await services.begin('again');
    await services.putPart(upload, 1, LARGE);
    const part = await services.putPart(upload, 1, Buffer.concat([LARGE, LARGE]));
    await services.expectTidy();
    await services.complete(upload, [part]);
    await services.expectTidy();
    expect(await services.files()).toHaveLength(1);
  });

  it('of ten thousand parts takes no longer than a few seconds', async () => {
    const { store, begin, complete, objects } = services;
    const upload = await begin('ten thousand');
    const etag = 'd'.repeat(32);
    const parts = Array.from({ length: MAX_PARTS }, (_, at) => ({
      ...{ number: at + 1, etag, size: MIN_PART_BYTES, lastModified: 0, version: 0 },
      bytes: { id: String(at).padStart(32, '0'), isInline: true },
    }));
    for (let at = 0; at < parts.length; at += 1_000) {
      const some = parts.slice(at, at + 1_000);
      const mutations = some.map(
        ({ number, version: _, ...record }): KvMutation => putPartRecord(upload.id, number, record),
      );
      await store.commit([], mutations);
    }
    const began = performance.now();
    const object = await complete(upload, parts);
    const took = performance.now() - began;
    console.info(`completing ${MAX_PARTS} parts: ${took.toFixed(0)} ms`);
    expect(took).toBeLessThan(10_000);
    expect(object).toMatchObject({
      size: MAX_PARTS * MIN_PART_BYTES,
      etag: expect.stringMatching(/^\w{32}-10000$/),
      bytes: { numbers: [[1, MAX_PARTS]] },
    });
    expect(await objects.part(object, MAX_PARTS)).toEqual({
      start: (MAX_PARTS - 1) * MIN_PART_BYTES,
      size: MIN_PART_BYTES,
    });
    await objects.remove(BUCKET, 'ten thousand', {});
    await expect.poll(() => services.keys('part/')).toEqual([]);
    await services.expectTidy();
  });
});

describe('reading', () => {
  it('any range gives the bytes across parts, whatever their sizes', async () => {
    const { begin, putPart, objectBytes } = services;
    const size = fc.oneof(
      fc.integer({ min: 0, max: 3 }),
      fc.constantFrom(65_535, 65_536, 65_537, 131_073),
    );
    const numbers = fc.uniqueArray(fc.integer({ min: 1, max: MAX_PARTS }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(
        numbers,
        fc.array(size, { minLength: 6, maxLength: 6 }),
        fc.array(fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: -2, max: 2 })), {
          minLength: 8,
          maxLength: 8,
        }),
        async (unordered, sizes, ranges) => {
          const upload = await begin('ranges');
          const ascending = [...unordered].sort((a, b) => a - b);
          const bodies = ascending.map((number, at) => Buffer.alloc(sizes[at] ?? 0, `${number} `));
          for (const [at, number] of ascending.entries()) {
            await putPart(upload, number, bodies[at] ?? Buffer.alloc(0));
          }
          const whole = Buffer.concat(bodies);
          const borders = bodies.map((_, at) => Buffer.concat(bodies.slice(0, at + 1)).length);
          const place = {
            uploadId: upload.id,
            numbers: ascending.map((number) => [number, number] as const),
          };
          for (const [first, length, shift] of whole.length === 0 ? [] : ranges) {
            const border = borders[first % borders.length] ?? 0;
            const start = Math.min(Math.max(0, border + shift), whole.length - 1);
            const end = Math.min(whole.length - 1, start + (length % 140_000));
            const bytes = await objectBytes.read(place, { start, end });
            const read = bytes && (await readAll(bytes));
            expect(read?.equals(whole.subarray(start, end + 1))).toBe(true);
          }
          for (const [at, number] of ascending.entries()) {
            const length = bodies[at]?.length ?? 0;
            const start = (borders[at] ?? 0) - length;
            expect(await objectBytes.part(place, whole.length, number)).toEqual({
              start,
              size: length,
            });
          }
          await services.uploads.abort(upload, {});
        },
      ),
      { numRuns: runs(15, 300) },
    );
    expect((await services.keys('upload/')).length).toBe(0);
    await services.expectTidy();
  });

  it.each(['deleted', 'replaced'])('goes on to the end while the object is %s', async (what) => {
    const { objects, begin, putPart, complete, read } = services;
    const upload = await begin('read');
    const parts = [];
    for (const number of [1, 2, 3]) parts.push(await putPart(upload, number, FULL));
    const object = await complete(upload, [...parts, await putPart(upload, 4, Buffer.from('end'))]);
    const bytes = await objects.read(object);
    if (!bytes || Buffer.isBuffer(bytes)) throw new Error('Parts are read as a stream.');
    const chunks = bytes[Symbol.asyncIterator]();
    const first = await chunks.next();
    if (what === 'deleted') await objects.remove(BUCKET, 'read', {});
    else await services.put('read', LARGE);
    // Who comes later does not get it any more.
    expect(await objects.part(object, 2)).toBe('gone');
    expect(await objects.part(object, 5)).toBeUndefined();
    expect(await objects.read(object)).toBeUndefined();
    expect((await read('read'))?.length).toBe(what === 'deleted' ? undefined : LARGE.length);
    const rest: Buffer[] = [first.value];
    for (let next = await chunks.next(); !next.done; next = await chunks.next())
      rest.push(next.value);
    const expected = Buffer.concat([FULL, FULL, FULL, Buffer.from('end')]);
    expect(Buffer.concat(rest).equals(expected)).toBe(true);
    await services.expectTidy();
    expect(await services.files()).toHaveLength(what === 'deleted' ? 0 : 1);
  });

  it.each([1, 2, 3])(
    'fails where the record of part %i is gone: nothing moves up',
    async (number) => {
      const { store, objects, begin, putPart, complete, read } = services;
      const upload = await begin('damaged');
      const parts = [await putPart(upload, 1, FULL), await putPart(upload, 2, FULL)];
      const object = await complete(upload, [...parts, await putPart(upload, 3, LARGE)]);
      await store.commit([], [{ type: 'delete', key: partKey(upload.id, number) }]);
      const missing = `Part ${number} of ${upload.id} is missing`;
      await expect(read('damaged')).rejects.toThrow(missing);
      const end = object.size - 1;
      await expect(read('damaged', { start: end, end })).rejects.toThrow(missing);
      await expect(objects.part(object, 3)).rejects.toThrow(missing);
      // What lies before it can be read.
      if (number === 3) expect((await read('damaged', { start: 0, end: 4 }))?.length).toBe(5);
    },
  );

  it('that is broken off holds nothing back', async () => {
    const { objects, begin, putPart, complete } = services;
    const upload = await begin('broken off');
    const object = await complete(upload, [await putPart(upload, 1, FULL)]);
    const bytes = await objects.read(object);
    if (!bytes || Buffer.isBuffer(bytes)) throw new Error('Parts are read as a stream.');
    await objects.remove(BUCKET, 'broken off', {});
    bytes.destroy();
    await services.expectTidy();
    expect(await services.files()).toEqual([]);
  });
});

describe('uploads that end by themselves', () => {
  it('those of a bucket that is removed', async () => {
    const { begin, putPart, buckets, uploads, bucket } = services;
    const upload = await begin('with its bucket');
    await putPart(upload, 1, FULL);
    await removeBucket();
    await buckets.makeOnce('another-one');
    await uploads.sweep();
    await services.expectTidy();
    expect([await services.files(), await services.keys('part/')]).toEqual([[], []]);
    await expect(putPart(upload, 1, LARGE)).rejects.toMatchObject({ code: 'NoSuchUpload' });
    await services.expectTidy();
    await expect(bucket()).rejects.toThrow('no bucket');
  });

  /** As an admin does it. */
  async function removeBucket(): Promise<void> {
    const principal = { name: 'admin', role: 'admin', grants: [], version: 0 } as const;
    const version = await services.store.commit(
      [],
      [{ type: 'put', key: 'user/admin', value: Buffer.from('{}') }],
    );
    const by = { principal: { ...principal, version } };
    expect(await services.buckets.remove(BUCKET, by)).toBe('removed');
  }

  it('those that nobody completed for a week', async () => {
    const { begin, putPart, uploads, clock } = services;
    const old = await begin('old');
    await putPart(old, 1, LARGE);
    clock.now += UPLOAD_LIFE_MS - 1_000;
    const young = await begin('young');
    await putPart(young, 1, LARGE);
    await uploads.sweep();
    expect(await services.keys('upload/')).toHaveLength(2);
    clock.now += 2_000;
    await uploads.sweep();
    expect((await services.keys('upload/')).map((key) => key.slice(-32))).toEqual([young.id]);
    await services.expectTidy();
    expect(await services.files()).toHaveLength(1);
  });
});
