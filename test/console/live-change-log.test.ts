import { describe, expect, it } from 'vitest';
import {
  type Beginning,
  type ChangeLog,
  createChangeLog,
  MAX_ENTRIES,
} from '../../console/views/live/change-log.ts';
import { isBelow, pathOf, placeOf } from '../../console/views/live/change-path.ts';
import type { Change } from '../../shared/changes.ts';
import { KeystowClientError, type WatchItem } from '../../shared/client/index.ts';

/** The change log of the console's live view, over a log in memory. */

function createSource({ count = 0, oldest = 0 } = {}) {
  const log = Array.from({ length: count }, (_, n) => change(n + 1));
  const listeners = new Set<(item: WatchItem) => void>();
  let frames: (() => void)[] = [];
  const made = {
    /** While a page is on its way. */
    onPage: () => {},
    write(key = 'a'): void {
      const written = change(log.length + 1, key);
      log.push(written);
      for (const listener of listeners) listener(written);
    },
    tell(item: WatchItem): void {
      for (const listener of listeners) listener(item);
    },
    /** Not heard of: the feed has not begun. */
    writeUnheard: () => log.push(change(log.length + 1)),
    paint(): void {
      const due = frames;
      frames = [];
      for (const frame of due) frame();
    },
    source: {
      head: async () => log.length,
      page: async ({
        since = oldest,
        prefix,
        limit,
      }: {
        since: number | undefined;
        prefix: string;
        limit: number;
      }) => {
        if (since < oldest) {
          throw new KeystowClientError('gone', 'Gone.', { status: 410, oldest });
        }
        const rest = log.filter(({ seq }) => seq > since);
        const changes = rest.filter(({ url }) => isBelow(url, prefix)).slice(0, limit);
        const isFull = changes.length === limit;
        const next = (isFull ? changes : rest).at(-1)?.seq ?? since;
        made.onPage();
        return { changes, next };
      },
      listen(listener: (item: WatchItem) => void) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      nextFrame: (frame: () => void) => frames.push(frame),
    },
  };
  return made;
}

function change(seq: number, key = 'a'): Change {
  return { seq, type: 'put', url: `/data/${key}`, at: '2026-11-21T20:43:19.000Z' };
}

function open(made: ReturnType<typeof createSource>, beginning: Beginning, prefix = ''): ChangeLog {
  return createChangeLog(made.source, { prefix, beginning });
}

function seqs(log: ChangeLog): number[] {
  return log.state.value.entries.map(({ seq }) => seq);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, n) => from + n);
}

const settled = (log: ChangeLog) => expect.poll(() => log.state.value.phase).not.toBe('reading');

describe('the change log', () => {
  it('shows the last hundred, and then what comes, with the next painting', async () => {
    const made = createSource({ count: 300 });
    const log = open(made, 'latest');
    await settled(log);
    expect(seqs(log)).toEqual(range(201, 300));
    made.write();
    made.write();
    expect(seqs(log)).toHaveLength(100);
    made.paint();
    expect(seqs(log)).toEqual(range(201, 302));
  });

  it('tells each once where it is read and heard of, and none is left out', async () => {
    const made = createSource({ count: 3 });
    let left = 5;
    made.onPage = () => {
      if (left > 0) made.write();
      left -= 1;
    };
    const log = open(made, 'latest');
    await settled(log);
    made.paint();
    expect(seqs(log)).toEqual(range(1, 8));
  });

  it('reads again what was written before the feed began', async () => {
    const made = createSource({ count: 3 });
    const log = open(made, 'latest');
    await settled(log);
    made.writeUnheard();
    made.tell({ type: 'begin', seq: 4 });
    await expect.poll(() => seqs(log)).toEqual(range(1, 4));
  });

  it('looks further back where the prefix hides most', async () => {
    const made = createSource();
    for (let n = 0; n < 3_000; n += 1) made.write(n % 100 === 0 ? 'rare/x' : 'a');
    const log = open(made, 'latest', '/data/rare/');
    await settled(log);
    expect(seqs(log)).toHaveLength(30);
    made.write();
    made.write('rare/y');
    made.paint();
    expect(seqs(log).at(-1)).toBe(3_002);
    expect(log.heard()).toBe(1);
  });

  it('shows what it has while it looks further back', async () => {
    const made = createSource({ count: 20_000 });
    made.write('rare');
    const shown: number[][] = [];
    const log = open(made, 'latest', 'data/rare');
    made.onPage = () => shown.push(seqs(log));
    await settled(log);
    expect(seqs(log)).toEqual([20_001]);
    expect(shown.length).toBeGreaterThan(3);
    expect(shown.slice(shown.findIndex(({ length }) => length > 0))).not.toContainEqual([]);
  });

  it('keeps a thousand, and counts what waits in a pause', async () => {
    const made = createSource({ count: 10 });
    const log = open(made, 'latest');
    await settled(log);
    log.setPaused(true);
    for (let n = 0; n < 5_000; n += 1) made.write();
    made.paint();
    expect(seqs(log)).toEqual(range(1, 10));
    expect(log.state.value.waiting).toBe(5_000);
    log.setPaused(false);
    expect(seqs(log)).toEqual(range(5_011 - MAX_ENTRIES, 5_010));
    expect(log.state.value).toMatchObject({ waiting: 0, total: expect.any(Number) });
  });

  it('reads forward from a number, a thousand at a time, until it has what comes', async () => {
    const made = createSource({ count: 2_500 });
    const log = open(made, 7);
    await settled(log);
    expect(log.state.value.phase).toBe('full');
    expect(seqs(log)).toEqual(range(8, 1_007));
    made.write();
    made.paint();
    expect(seqs(log).at(-1)).toBe(1_007);
    log.readOn();
    await settled(log);
    expect(seqs(log)).toEqual(range(1_008, 2_007));
    log.readOn();
    await settled(log);
    expect(log.state.value.phase).toBe('following');
    expect(seqs(log)).toEqual(range(1_502, 2_501));
  });

  it('begins with the oldest that is kept', async () => {
    const made = createSource({ count: 120, oldest: 100 });
    const log = open(made, 'oldest');
    await settled(log);
    expect(seqs(log)).toEqual(range(101, 120));
    const latest = open(made, 'latest');
    await settled(latest);
    expect(seqs(latest)).toEqual(range(101, 120));
    expect(latest.state.value.from).toBe(100);
  });

  it('is done with an empty log, and says what is gone', async () => {
    const empty = open(createSource(), 'oldest');
    await settled(empty);
    expect(empty.state.value).toMatchObject({ phase: 'following', entries: [] });
    const gone = open(createSource({ count: 120, oldest: 100 }), 3);
    await settled(gone);
    expect(gone.state.value).toMatchObject({ phase: 'failed', error: { oldest: 100 } });
  });

  it('goes on where the server counts from another number', async () => {
    const made = createSource({ count: 50 });
    const log = open(made, 'latest');
    await settled(log);
    made.tell({ type: 'resync', seq: 2 });
    made.tell(change(3));
    made.paint();
    expect(seqs(log).slice(-3)).toEqual([50, 2, 3]);
    expect(log.state.value.entries.at(-2)?.type).toBe('missed');
  });

  it('hears nothing any more once it has ended', async () => {
    const made = createSource({ count: 1 });
    const log = open(made, 'latest');
    await settled(log);
    log.end();
    made.write();
    made.paint();
    expect(seqs(log)).toEqual([1]);
  });
});

describe('the path of a change', () => {
  it('leads to where it is shown', () => {
    expect(placeOf('/data/a/b%20c')).toEqual({ view: 'documents', query: { key: 'a/b c' } });
    expect(placeOf('/data/a%2Fb%0A')).toEqual({ view: 'documents', query: { key: 'a/b\n' } });
    expect(placeOf('/saves/7/1')).toEqual({
      view: 'objects',
      query: { bucket: 'saves', key: '7/1' },
    });
    expect(placeOf('/alone')).toBeUndefined();
    expect(pathOf('/data/%zz')).toBe('/data/%zz');
  });

  it('is compared as keys are, with or without a slash at the beginning', () => {
    expect(isBelow('/data/%C3%BC/1', '/data/ü')).toBe(true);
    expect(isBelow('/data/a', 'data/a')).toBe(true);
    expect(isBelow('/data/a', '/data/b')).toBe(false);
    expect(isBelow('/data/a', '')).toBe(true);
  });
});
