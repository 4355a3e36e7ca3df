import { pino } from 'pino';
import { afterEach, expect, it } from 'vitest';
import { createDiskSpace, type DiskSpace } from '../../server/disk-space.ts';
import type { BlobStore } from '../../server/stores/blob-store.ts';
import type { KvMutation, KvStore } from '../../server/stores/kv-store.ts';
import { guardBlobs, guardStore } from '../../server/stores/space-guard.ts';

const MIN = 10_000;
let space: DiskSpace | undefined;
afterEach(() => space?.close());

async function watch(frees: Record<string, number>): Promise<DiskSpace> {
  space = createDiskSpace({
    folders: Object.keys(frees),
    minFreeBytes: MIN,
    log: pino({ level: 'silent' }),
    look: async (folder) => frees[folder] ?? 0,
  });
  await space.watch();
  return space;
}

it('counts what is written between two looks', async () => {
  const watched = await watch({ '/data': MIN + 1_000 });
  watched.checkMayWrite(600);
  expect(watched.isLow()).toBe(false);
  expect(() => watched.checkMayWrite(600)).toThrow('The disk is full');
  expect(watched.isLow()).toBe(true);
  expect(() => watched.checkMayWrite(0)).toThrow('The disk is full');
  watched.checkMayRemove();
});

it('takes the fullest of several disks', async () => {
  const watched = await watch({ '/data': 10 * MIN, '/data/blobs': MIN - 1 });
  expect(watched.freeBytes()).toBe(MIN - 1);
  expect(watched.isLow()).toBe(true);
});

it('refuses nothing before it has looked, and where there is no disk', async () => {
  const none = await watch({});
  none.checkMayWrite(Number.MAX_SAFE_INTEGER);
  expect(none.freeBytes()).toBeUndefined();
});

it('a disk that cannot be looked at is as it was', async () => {
  space = createDiskSpace({
    folders: ['/gone'],
    minFreeBytes: MIN,
    log: pino({ level: 'silent' }),
    look: () => Promise.reject(new Error('ENOENT')),
  });
  await space.watch();
  space.checkMayWrite(1);
  expect(space.isLow()).toBe(false);
});

it.each<[string, KvMutation[], boolean]>([
  ['a document', [put('data/a', 2)], false],
  ['a document that is removed', [del('data/a')], true],
  [
    'an object in parts that is removed, with the mark of its parts',
    [del('o'), put('m', 60)],
    true,
  ],
  ['a small object that is replaced', [put('o', 200), put('bytes/n', 5), del('bytes/o')], false],
  ['a large value beside a deletion', [del('a'), put('b', 2_000)], false],
])('of a nearly full disk: %s (%#)', async (_what, mutations, isTaken) => {
  const watched = await watch({ '/data': MIN - 1 });
  let commits = 0;
  const store = guardStore(
    // @ts-expect-error nothing else of a store is asked for.
    { commit: async () => (commits += 1) } satisfies Partial<KvStore>,
    watched,
  );
  const outcome = await store.commit([], mutations).then(
    () => true,
    ({ code }) => code,
  );
  expect([outcome, commits]).toEqual(isTaken ? [true, 1] : ['disk-full', 0]);
});

it('a blob is refused as soon as it would not fit', async () => {
  const watched = await watch({ '/data': MIN + 1_000 });
  let taken = 0;
  const blobs = guardBlobs(
    // @ts-expect-error nothing else of a store is asked for.
    {
      async put(source) {
        for await (const chunk of source) taken += chunk.length;
        return { id: 'a', size: taken };
      },
    } satisfies Partial<BlobStore>,
    watched,
  );
  async function* chunks() {
    for (;;) yield Buffer.alloc(400);
  }
  await expect(blobs.put(chunks())).rejects.toMatchObject({ code: 'disk-full' });
  expect(taken).toBe(800);
});

function put(key: string, bytes: number): KvMutation {
  return { type: 'put', key, value: Buffer.alloc(bytes) };
}

function del(key: string): KvMutation {
  return { type: 'delete', key };
}
