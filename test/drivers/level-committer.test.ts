import { rm } from 'node:fs/promises';
import { Level } from 'level';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCommitter } from '../../server/drivers/level/committer.ts';
import type { Database } from '../../server/drivers/level/integrity.ts';
import { CommitConflict, type KvMutation } from '../../server/stores/kv-store.ts';
import { MAX_QUEUED_COMMITS } from '../../shared/limits.ts';
import { makeFolder } from '../support/make-folder.ts';

/** The committer over a database whose writes the test holds back or lets fail. */

let folder: string;
let database: Database;
let batches: number[];
let gate: (() => Promise<void>) | undefined;
let failures: Error[];

beforeEach(async () => {
  folder = await makeFolder();
  const real: Database = new Level(folder, { keyEncoding: 'utf8', valueEncoding: 'buffer' });
  await real.open();
  batches = [];
  failures = [];
  gate = undefined;
  database = new Proxy(real, {
    get(target, name) {
      if (name !== 'batch') {
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      }
      return () => {
        const batch = target.batch();
        return {
          put: (key: string, value: Buffer) => batch.put(key, value),
          del: (key: string) => batch.del(key),
          async write() {
            batches.push(batch.length);
            await gate?.();
            await batch.write({ sync: true });
          },
        };
      };
    },
  });
});

afterEach(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

function create() {
  return createCommitter({
    database,
    now: () => 0,
    sequence: 0,
    oldest: 1,
    checkpoint: 0,
    changesKeep: 1_000,
    onWriting: () => {},
    onSynced: () => undefined,
    onFailed: (error) => failures.push(error),
    checkpointOperation: () => ({ type: 'del', key: 'm:checkpoint' }),
  });
}

test('what waits while the disk works is one batch, answered after its sync', async () => {
  const committer = create();
  let release = (): void => {};
  const entered = new Promise<void>((arrived) => {
    gate = () => {
      arrived();
      return new Promise((resolve) => {
        release = resolve;
      });
    };
  });
  const first = committer.commit([], [put('a')]);
  await entered;
  let answered = 0;
  const rest = Array.from({ length: 500 }, (_, i) =>
    committer.commit([], [put(`b${i}`)]).then(() => {
      answered += 1;
    }),
  );
  expect(answered).toBe(0);
  gate = undefined;
  release();
  await Promise.all([first, ...rest]);
  expect(batches).toEqual([2, 1_000]);
});

test('even a refusal waits for the sync of what it was refused for', async () => {
  const committer = create();
  const order: string[] = [];
  gate = async () => {
    order.push('sync');
  };
  await Promise.allSettled([
    committer.commit([{ key: 'a', version: null }], [put('a')]).then(() => order.push('created')),
    committer
      .commit([{ key: 'a', version: null }], [put('a')])
      .catch((error: unknown) => order.push(error instanceof CommitConflict ? 'refused' : 'other')),
  ]);
  expect(order).toEqual(['sync', 'created', 'refused']);
});

describe('after a failed write', () => {
  test.each([
    ['unavailable', 'IO error: /data/level/000003.log: Input/output error'],
    ['disk-full', 'IO error: /data/level/000003.log: No space left on device'],
  ])(
    '%s: nothing is acknowledged, nothing more is written, nothing leaks',
    async (code, reason) => {
      const committer = create();
      await committer.commit([], [put('before')]);
      gate = async () => {
        throw new Error(reason);
      };
      const together = [committer.commit([], [put('a')]), committer.commit([], [put('b')])];
      for (const commit of together) await expect(commit).rejects.toMatchObject({ code });
      gate = undefined;
      const later = committer.commit([], [put('c')]);
      await expect(later).rejects.toMatchObject({ code });
      await expect(later).rejects.not.toThrow('/data');
      expect(batches).toHaveLength(2);
      expect(failures.map(({ message }) => message)).toEqual([reason]);
      expect(committer.sequence()).toBe(1);
      expect(await database.get('ebefore')).toBeDefined();
      expect(await database.get('ea')).toBeUndefined();
    },
  );
});

test('the queue is bounded: more is refused at once', async () => {
  const committer = create();
  const commits = Array.from({ length: MAX_QUEUED_COMMITS + 10 }, (_, i) =>
    committer.commit([], [put(String(i))]),
  );
  const outcomes = await Promise.allSettled(commits);
  const refused = outcomes.filter(({ status }) => status === 'rejected');
  expect(refused).toHaveLength(10);
  expect(refused[0]).toMatchObject({
    reason: { code: 'unavailable', headers: { 'Retry-After': '1' } },
  });
});

function put(key: string, value: Buffer = Buffer.from('value')): KvMutation {
  return { type: 'put', key, value };
}
