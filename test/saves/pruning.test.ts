import { afterAll, beforeAll, expect, it } from 'vitest';
import { contentOf, keyOf, LARGE, type SaveServer, SLOT, startSaveServer } from './save-server.ts';

/** `keepVersions`: the oldest go. */

let server: SaveServer;

beforeAll(async () => {
  server = await startSaveServer();
});

afterAll(() => server.stop());

it('keeps all without it, so many with it, and all again with null', async () => {
  await server.makeSaves('pruned');
  await server.saveAll('pruned', 1, 5);
  expect(await server.versions('pruned')).toEqual([1, 2, 3, 4, 5]);

  await server.makeSaves('pruned', { keepVersions: 4 });
  await server.saveAll('pruned', 6, 7);
  expect(await server.versions('pruned')).toEqual([4, 5, 6, 7]);
  for (const version of [1, 2, 3]) await server.expectAbsent('pruned', keyOf(version));

  await server.makeSaves('pruned', { keepVersions: 1 });
  await server.saveAll('pruned', 8, 8);
  expect(await server.versions('pruned')).toEqual([8]);

  await server.makeSaves('pruned', { keepVersions: null });
  await server.saveAll('pruned', 9, 11);
  expect(await server.versions('pruned')).toEqual([8, 9, 10, 11]);
});

it('counts each slot by itself', async () => {
  await server.makeSaves('slots', { keepVersions: 2 });
  await server.saveAll('slots', 1, 3, '1');
  await server.saveAll('slots', 1, 2, '10');
  await server.saveAll('slots', 7, 9, '2');
  expect(await server.versions('slots', '1')).toEqual([2, 3]);
  expect(await server.versions('slots', '10')).toEqual([1, 2]);
  expect(await server.versions('slots', '2')).toEqual([8, 9]);
});

it('removes the files of large versions, never that of the latest', async () => {
  await server.makeSaves('large', { keepVersions: 2 });
  for (let version = 1; version <= 6; version += 1) {
    const answer = await server.save('large', keyOf(version), Buffer.alloc(LARGE, `${version}`));
    expect(answer.status, answer.text).toBe(204);
  }
  await expect.poll(async () => (await server.blobs()).length).toBe(2);
  const latest = await server.read('large', keyOf(6));
  expect(latest.bytes.equals(Buffer.alloc(LARGE, '6'))).toBe(true);
});

it('a repeat of the latest prunes nothing', async () => {
  await server.makeSaves('repeats');
  await server.saveAll('repeats', 1, 3);
  await server.makeSaves('repeats', { keepVersions: 1 });
  await server.saveAll('repeats', 3, 3);
  expect((await server.read('repeats', keyOf(3))).text).toBe(contentOf(3));
});

it('a restored version prunes as well', async () => {
  await server.makeSaves('restored', { keepVersions: 3 });
  await server.saveAll('restored', 1, 3);
  const path = `/api/saves/restored/${SLOT}/restore`;
  const restored = await server.admin('POST', path, { version: 1 });
  expect(restored.status, restored.text).toBe(201);
  expect(await server.versions('restored')).toEqual([2, 3, 4]);
  expect((await server.read('restored', keyOf(4))).text).toBe(contentOf(1));
  expect((await server.admin('POST', path, { version: 1 })).status).toBe(404);
});

it('what lay there before the bucket had saves is neither counted nor removed', async () => {
  await server.makeSaves('before', { saves: false });
  const others = [`${keyOf(1)}.bak`, `${keyOf(1).slice(0, -5)}zzz`, keyOf(9)];
  for (const key of others) await server.save('before', key, key);
  await server.makeSaves('before', { keepVersions: 1 });
  await server.saveAll('before', 1, 3);
  expect((await server.read('before', keyOf(3))).text).toBe(contentOf(3));
  await server.expectAbsent('before', keyOf(2));
  for (const key of others) expect((await server.read('before', key)).text).toBe(key);
});

it('of many who save at once everybody is answered, and the latest is kept', async () => {
  await server.makeSaves('at-once', { keepVersions: 1 });
  const versions = Array.from({ length: 60 }, (_, at) => at + 1);
  let next = 1;
  const worker = async (): Promise<void> => {
    while (next <= versions.length) {
      const version = next;
      const { status } = await server.save('at-once', keyOf(version), contentOf(version));
      expect([204, 403]).toContain(status);
      if (status === 204) next = Math.max(next, version + 1);
    }
  };
  await Promise.all([worker(), worker(), worker(), ahead()]);
  async function ahead(): Promise<void> {
    while (next <= versions.length) {
      const { status } = await server.save('at-once', keyOf(next + 1), contentOf(next + 1));
      expect([204, 403]).toContain(status);
    }
  }
  const latest = await server.admin('GET', `/api/saves/at-once/${SLOT}/latest`);
  expect(latest.status).toBe(200);
  const kept = await server.versions('at-once');
  expect(kept).toHaveLength(1);
  expect(latest.text).toBe(contentOf(kept[0] ?? 0));
});
