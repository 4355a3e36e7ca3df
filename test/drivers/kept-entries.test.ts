import { beforeEach, describe, expect, it } from 'vitest';
import { keepEntries } from '../../server/stores/kept-entries.ts';
import type { KvEntry, KvMutation, KvStore } from '../../server/stores/kv-store.ts';

/** Entries in memory, whose reads and commits end when a test lets them. */
function createHeldStore() {
  const entries = new Map<string, KvEntry>();
  const held: (() => void)[] = [];
  let isHolding = false;
  let version = 0;
  const reads: string[] = [];
  const turn = (): Promise<void> =>
    isHolding ? new Promise((resolve) => held.push(resolve)) : Promise.resolve();

  const store: KvStore = {
    async get(key) {
      reads.push(key);
      const entry = entries.get(key);
      await turn();
      return entry;
    },
    async commit(_checks, mutations) {
      await turn();
      for (const mutation of mutations) {
        version += 1;
        if (mutation.type === 'delete') entries.delete(mutation.key);
        else entries.set(mutation.key, { key: mutation.key, value: mutation.value, version });
      }
      return version;
    },
    range: () => {
      throw new Error('Nobody asks for this.');
    },
    keys: () => {
      throw new Error('Nobody asks for this.');
    },
    sequence: () => Promise.resolve(version),
    changes: () => Promise.resolve([]),
    oldestChange: () => Promise.resolve(0),
    onCommit: () => () => {},
    snapshot: () => {
      throw new Error('Nobody asks for this.');
    },
    close: () => Promise.resolve(),
  };
  return {
    store,
    reads,
    hold: () => {
      isHolding = true;
    },
    /** Lets what waits go on, in its order. */
    letGo: () => {
      isHolding = false;
      for (const go of held.splice(0)) go();
    },
    /** Lets go one of those that wait. */
    letGoOne: (at: number) => held.splice(at, 1)[0]?.(),
  };
}

function put(key: string, text: string): KvMutation {
  return { type: 'put', key, value: Buffer.from(text) };
}

let held: ReturnType<typeof createHeldStore>;
let kept: KvStore;

async function read(key: string): Promise<string | undefined> {
  return (await kept.get(key))?.value.toString();
}

beforeEach(() => {
  held = createHeldStore();
  kept = keepEntries(held.store, ['user/', 'bucket/']);
});

describe('entries that are kept', () => {
  it('are read once, those under other prefixes every time', async () => {
    await kept.commit([], [put('user/a', 'one'), put('data/a', 'two')]);
    const first = await kept.get('user/a');
    expect(await kept.get('user/a')).toBe(first);
    await kept.get('data/a');
    await kept.get('data/a');
    expect(held.reads).toEqual(['user/a', 'data/a', 'data/a']);
  });

  it('are changed and removed with the commit that does it', async () => {
    await kept.commit([], [put('user/a', 'one')]);
    expect(await read('user/a')).toBe('one');
    await kept.commit([], [put('data/x', 'x'), put('user/a', 'two')]);
    expect(await read('user/a')).toBe('two');
    await kept.commit([], [{ type: 'delete', key: 'user/a' }]);
    expect(await read('user/a')).toBeUndefined();
  });

  it('are not those of a read that a commit overtook', async () => {
    await kept.commit([], [put('user/a', 'one')]);
    held.hold();
    const before = read('user/a');
    const commit = kept.commit([], [put('user/a', 'two')]);
    held.letGoOne(1);
    await commit;
    held.letGo();
    expect(await before).toBe('one');
    expect(await read('user/a')).toBe('two');
  });

  it('are not those of a read during a commit, which may see either', async () => {
    await kept.commit([], [put('user/a', 'one')]);
    held.hold();
    const commit = kept.commit([], [put('user/a', 'two')]);
    const during = read('user/a');
    held.letGoOne(1);
    expect(await during).toBe('one');
    held.letGo();
    await commit;
    expect(await read('user/a')).toBe('two');
  });

  it('are read anew after a commit that failed', async () => {
    await kept.commit([], [put('user/a', 'one')]);
    await read('user/a');
    const failing = keepEntries({ ...held.store, commit: () => Promise.reject(new Error('no')) }, [
      'user/',
    ]);
    await failing.get('user/a');
    await expect(failing.commit([], [put('user/a', 'two')])).rejects.toThrow('no');
    const reads = held.reads.length;
    await failing.get('user/a');
    expect(held.reads.length).toBe(reads + 1);
  });

  it('are bounded in number and in bytes, the oldest going first', async () => {
    for (let at = 0; at <= 4_096; at += 1) {
      await kept.commit([], [put(`user/${at}`, 'x')]);
      await kept.get(`user/${at}`);
    }
    for (let at = 0; at <= 40; at += 1) {
      await kept.commit([], [put(`bucket/${at}`, 'x'.repeat(65_536))]);
      await kept.get(`bucket/${at}`);
    }
    await kept.commit([], [put('bucket/large', 'x'.repeat(65_537))]);
    await kept.get('bucket/large');
    const before = held.reads.length;
    for (const key of ['bucket/40', 'user/0', 'bucket/0', 'bucket/large']) await kept.get(key);
    expect(held.reads.slice(before)).toEqual(['user/0', 'bucket/0', 'bucket/large']);
  });
});
