import { beforeEach, describe, expect, it } from 'vitest';
import type { FileUpload } from '../../console/api/file-upload.ts';
import type { StoredObject } from '../../console/api/object-page.ts';
import {
  AT_A_TIME,
  createUploadQueue,
  type UploadQueue,
} from '../../console/views/objects/upload-queue.ts';
import { milestoneOf, summaryOf } from '../../console/views/objects/upload-summary.ts';

interface Sending extends FileUpload {
  finish(): void;
  fail(error: unknown): void;
}

let stored: Set<string>;
let sending: Sending[];
let queue: UploadQueue;

beforeEach(() => {
  stored = new Set();
  sending = [];
  queue = createUploadQueue({
    find: async (_, key) => (stored.has(key) ? object(key) : undefined),
    send: (upload) =>
      new Promise((resolve, reject) => {
        upload.signal.addEventListener('abort', () => reject(upload.signal.reason));
        sending.push({
          ...upload,
          finish() {
            stored.add(upload.key);
            resolve();
          },
          fail: reject,
        });
      }),
  });
});

function object(key: string): StoredObject {
  return { key, size: 1, etag: '"1"', time: '2026-01-01T00:00:00.000Z', acl: 'private' };
}

function add(...keys: string[]): void {
  queue.add(
    'bucket',
    keys.map((key) => ({ key, file: new File(['x'.repeat(100)], key) })),
  );
}

/** Promises that are settled already. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}

function kinds(): string[] {
  return queue.uploads.value.map(({ state }) => state.kind);
}

function idOf(key: string): number {
  return queue.uploads.value.find((upload) => upload.key === key)?.id ?? 0;
}

describe('uploads', () => {
  it('are sent three at a time, in their order', async () => {
    const keys = ['a', 'b', 'c', 'd', 'e'];
    add(...keys);
    for (const [at] of keys.entries()) {
      await settle();
      expect(sending).toHaveLength(Math.min(AT_A_TIME + at, keys.length));
      sending[at]?.finish();
    }
    await settle();
    expect(sending.map(({ key }) => key)).toEqual(keys);
    expect(queue.isBusy.value).toBe(false);
    expect(summaryOf(queue.uploads.value)).toBe('5 files uploaded (500 B).');
  });

  it('ask before they replace, and let others pass meanwhile', async () => {
    stored = new Set(['a', 'b']);
    add('a', 'b', 'c');
    await settle();
    expect(kinds()).toEqual(['exists', 'exists', 'sending']);
    expect(milestoneOf(queue.uploads.value)).toBe('2 files there already: replace or skip.');
    queue.decide(idOf('a'), 'replace');
    queue.decide(idOf('b'), 'skip');
    await settle();
    expect(sending.map(({ key }) => key)).toEqual(['c', 'a']);
    for (const { finish } of sending) finish();
    await settle();
    expect(summaryOf(queue.uploads.value)).toBe('2 files uploaded (200 B), 1 skipped.');
  });

  it('of one name follow one another, so that the second asks', async () => {
    add('a', 'a');
    await settle();
    expect(kinds()).toEqual(['sending', 'waiting']);
    sending[0]?.finish();
    await settle();
    expect(kinds()).toEqual(['done', 'exists']);
  });

  it('are cancelled, whether they wait or are under way, and make room for others', async () => {
    add('a', 'b', 'c', 'd', 'e');
    await settle();
    queue.cancel(idOf('d'));
    queue.cancel(idOf('a'));
    await settle();
    expect(kinds()).toEqual(['cancelled', 'sending', 'sending', 'cancelled', 'sending']);
    expect(sending[0]?.signal.aborted).toBe(true);
    expect(stored.size).toBe(0);
  });

  it('are not said to be cancelled once all was sent', async () => {
    add('a');
    await settle();
    sending[0]?.onProgress({ sent: 1_200, total: 1_200 });
    queue.cancel(idOf('a'));
    await settle();
    expect(kinds()).toEqual(['failed']);
  });

  it('are tried again after a failure', async () => {
    add('a');
    await settle();
    sending[0]?.fail(new Error('cut off'));
    await settle();
    expect(queue.uploads.value[0]?.state).toEqual({ kind: 'failed', error: new Error('cut off') });
    queue.retry(idOf('a'));
    await settle();
    sending[1]?.finish();
    await settle();
    expect(kinds()).toEqual(['done']);
  });

  it('tell of the bytes of the file, not of the form around it, and are read out by quarters', async () => {
    add('a', 'b');
    await settle();
    sending[0]?.onProgress({ sent: 1_150, total: 1_200 });
    expect(queue.uploads.value[0]?.state).toEqual({ kind: 'sending', sent: 95 });
    expect(milestoneOf(queue.uploads.value)).toBe('Uploading 2 files: 25 percent.');
    sending[1]?.onProgress({ sent: 1_200, total: 1_200 });
    expect(milestoneOf(queue.uploads.value)).toBe('Uploading 2 files: 75 percent.');
  });

  it('are forgotten when they are over, or all of them at once', async () => {
    add('a', 'b');
    await settle();
    sending[0]?.finish();
    await settle();
    queue.tidy();
    expect(queue.uploads.value.map(({ key }) => key)).toEqual(['b']);
    queue.clear();
    await settle();
    expect(queue.uploads.value).toEqual([]);
    expect(sending[1]?.signal.aborted).toBe(true);
  });
});
