import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ObjectPage } from '../../console/api/object-page.ts';
import { keyOf } from '../../console/views/objects/folder.ts';
import {
  createListing,
  type Listing,
  type ListingState,
  NOTHING_YET,
  type ReadPage,
} from '../../console/views/objects/listing.ts';

/** A bucket as the server lists it, in memory. */
let keys: string[];
let asked: { after: string | undefined; limit: number }[];
let state: ListingState;
let listing: Listing;

const read: ReadPage = async ({ after, limit, signal }) => {
  asked.push({ after, limit });
  await new Promise((resolve) => setTimeout(resolve, 10));
  signal.throwIfAborted();
  return pageOf(after, limit);
};

function pageOf(after: string | undefined, limit: number): ObjectPage {
  const left = keys.filter((key) => after === undefined || key > after);
  const objects = left
    .slice(0, limit)
    .map((key) => ({ key, size: 1, etag: '"1"', time: '', acl: 'private' }));
  const last = objects.at(-1)?.key;
  return { objects, prefixes: [], ...(left.length > limit && last ? { next: last } : {}) };
}

function open(reading: ReadPage = read): void {
  state = NOTHING_YET;
  listing = createListing('', reading, (next) => {
    state = next;
  });
}

function name(at: number): string {
  return `${at}`.padStart(6, '0');
}

beforeEach(() => {
  vi.useFakeTimers();
  keys = Array.from({ length: 500 }, (_, at) => name(at));
  asked = [];
  open();
});

afterEach(() => {
  listing.end();
  vi.useRealTimers();
});

describe('a listing', () => {
  it('reads page after page until there are no more', async () => {
    for (const count of [200, 400, 500]) {
      listing.more();
      listing.more();
      await vi.runAllTimersAsync();
      expect(state.entries).toHaveLength(count);
    }
    listing.more();
    expect(state).toMatchObject({ hasMore: false, isLoading: false });
    expect(asked).toHaveLength(3);
    expect(state.entries.map(keyOf)).toEqual(keys);
  });

  it('is renewed as far as it was read, once for many changes', async () => {
    listing.more();
    await vi.runAllTimersAsync();
    keys.shift();
    for (let change = 0; change < 50; change += 1) listing.renew();
    await vi.runAllTimersAsync();
    expect(asked).toHaveLength(2);
    expect(state.entries.map(keyOf)).toEqual(keys.slice(0, 200));
    listing.more();
    await vi.runAllTimersAsync();
    expect(state.entries.map(keyOf)).toEqual(keys.slice(0, 400));
  });

  it('is not read more than once a second, and never misses the last change', async () => {
    listing.more();
    await vi.advanceTimersByTimeAsync(20);
    asked = [];
    for (let round = 0; round < 50; round += 1) {
      keys.push(`z${name(round)}`);
      listing.renew();
      await vi.advanceTimersByTimeAsync(100);
    }
    keys.unshift('!');
    listing.renew();
    await vi.runAllTimersAsync();
    expect(asked.length).toBeGreaterThan(3);
    expect(asked.length).toBeLessThan(9);
    expect(state.entries.map(keyOf).at(0)).toBe('!');
  });

  it('is not renewed for what lies behind the pages that were read', async () => {
    listing.more();
    await vi.runAllTimersAsync();
    asked = [];
    listing.hear(name(450), 'put');
    listing.hear(name(450), 'delete');
    await vi.runAllTimersAsync();
    expect(asked).toHaveLength(0);
    listing.hear(name(100), 'delete');
    await vi.runAllTimersAsync();
    expect(asked).toHaveLength(1);
  });

  it('is renewed for what makes or ends a folder, and not for what comes into one', async () => {
    open((query) => {
      asked.push(query);
      return Promise.resolve({ objects: [], prefixes: ['b/'] });
    });
    listing.more();
    await vi.runAllTimersAsync();
    const reads = async (key: string, type: 'put' | 'delete'): Promise<number> => {
      const before = asked.length;
      listing.hear(key, type);
      await vi.runAllTimersAsync();
      return asked.length - before;
    };
    expect(await reads('b/1', 'put')).toBe(0);
    expect(await reads('b/1', 'delete')).toBe(1);
    expect(await reads('a/1', 'put')).toBe(1);
    expect(await reads('c', 'put')).toBe(1);
  });

  it('is renewed the less often, the longer it is', async () => {
    keys = Array.from({ length: 10_000 }, (_, at) => name(at));
    open();
    while (state.hasMore) {
      listing.more();
      await vi.advanceTimersByTimeAsync(20);
    }
    asked = [];
    for (let change = 0; change < 200; change += 1) {
      listing.renew();
      await vi.advanceTimersByTimeAsync(100);
    }
    // Ten pages make it up, and four a second are asked for.
    expect(asked.length).toBeGreaterThan(39);
    expect(asked.length).toBeLessThan(101);
  });

  it('keeps what it has when it cannot be renewed, and can be tried again', async () => {
    let isDown = false;
    open((query) => (isDown ? Promise.reject(new Error('down')) : read(query)));
    listing.more();
    await vi.runAllTimersAsync();
    isDown = true;
    listing.renew();
    await vi.runAllTimersAsync();
    expect(state.error).toEqual(new Error('down'));
    expect(state.entries).toHaveLength(200);
    isDown = false;
    listing.renew();
    await vi.runAllTimersAsync();
    expect(state.error).toBeUndefined();
  });

  it('says nothing any more once it has ended', async () => {
    listing.more();
    const before = state;
    listing.end();
    listing.renew();
    await vi.runAllTimersAsync();
    expect(state).toBe(before);
  });
});
