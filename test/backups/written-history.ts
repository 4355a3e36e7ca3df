import { createHash, randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { KvStore } from '../../server/stores/kv-store.ts';
import { createRandom, intBetween, pick, type Random } from '../faults/random.ts';
import { PASSWORD } from '../support/environment.ts';
import { basic } from '../support/rest.ts';

/**
 * Writers that each own some documents and objects, what they stored in what order, and what of it there has to be at
 * a sequence number. The numbers come from the store's change log, which every write is in.
 */

const DOCUMENTS = 5;
const OBJECTS = 4;
const BUCKET = 'uploads';
/** Inline, and blobs: more than 64 KiB. */
const OBJECT_BYTES = [0, 700, 70_000, 200_000] as const;
const authorization = basic('admin', PASSWORD);

/** By the key of the store: what was put there, one after another. Deletions are in the log. */
export interface History {
  readonly puts: Map<string, Buffer[]>;
  /** The ETags of documents that were acknowledged. */
  readonly etags: Map<string, number[]>;
  /** The largest number that was acknowledged so far. */
  acknowledged: number;
}

export function createHistory(): History {
  return { puts: new Map(), etags: new Map(), acknowledged: 0 };
}

/** Writes until told to stop, round the servers. Throws for an answer that is no success. */
export async function runWriter(options: {
  readonly urls: readonly [string, ...string[]];
  readonly writer: number;
  readonly seed: number;
  readonly history: History;
  isStopped(): boolean;
}): Promise<void> {
  const { urls, writer, seed, history, isStopped } = options;
  const random = createRandom(seed * 1_000 + writer);
  const present = new Set<string>();
  while (!isStopped()) {
    const base = pick(random, urls);
    if (random() < 0.5)
      await writeDocument(base, `w${writer}/d${intBetween(random, 1, DOCUMENTS)}`);
    else await writeObject(base, `w${writer}/o${intBetween(random, 1, OBJECTS)}`, random);
  }

  async function writeDocument(base: string, key: string): Promise<void> {
    const url = `${base}/data/${key}`;
    const stored = `data/${key}`;
    if (present.has(stored) && random() < 0.25) {
      await send(url, 'DELETE', 204);
      present.delete(stored);
      return;
    }
    const body = Buffer.from(`{ "of":${writer}, "random":"${randomBytes(20).toString('hex')}" }`);
    const isNew = !present.has(stored);
    const answer = await send(url, isNew ? 'POST' : 'PUT', isNew ? 201 : 200, body);
    present.add(stored);
    const etag = Number(answer.headers.get('etag')?.slice(1, -1));
    add(history.puts, stored, body);
    add(history.etags, stored, etag);
    history.acknowledged = Math.max(history.acknowledged, etag);
  }

  async function writeObject(base: string, key: string, random: Random): Promise<void> {
    const url = `${base}/${BUCKET}/${key}`;
    const stored = `object/${BUCKET}/${key}`;
    if (present.has(stored) && random() < 0.3) {
      await send(url, 'DELETE', 204);
      present.delete(stored);
      return;
    }
    const body = randomBytes(pick(random, OBJECT_BYTES));
    await send(url, 'PUT', 200, body);
    present.add(stored);
    add(history.puts, stored, body);
  }
}

/** What there is at a number: the version of every key, and the bytes of documents and objects. */
export interface ExpectedState {
  readonly versions: Map<string, number>;
  readonly bytes: Map<string, Buffer>;
}

export async function expectedAt(
  store: KvStore,
  { puts, etags }: History,
  sequence: number,
): Promise<ExpectedState> {
  const versions = new Map<string, number>();
  const counts = new Map<string, number>();
  const bytes = new Map<string, Buffer>();
  for (let after = 0; after < sequence; ) {
    const changes = await store.changes(after, Math.min(1_000, sequence - after));
    for (const { sequence: number, type, key } of changes) {
      after = number;
      if (type === 'delete') {
        versions.delete(key);
        bytes.delete(key);
        continue;
      }
      versions.set(key, number);
      const count = counts.get(key) ?? 0;
      counts.set(key, count + 1);
      const put = puts.get(key)?.[count];
      if (put) bytes.set(key, put);
      const etag = etags.get(key)?.[count];
      if (etag !== undefined) expect(etag).toBe(number);
    }
  }
  for (const lease of ['meta/backup', 'meta/sweep']) versions.delete(lease);
  return { versions, bytes };
}

/** Compares what a server gives with what there has to be, to the byte, and that there is nothing else. */
export async function expectServed(url: string, expected: ExpectedState): Promise<void> {
  const documents = await getJson<string[]>(`${url}/data`);
  const objects = await getJson<{ objects: { key: string }[] }>(
    `${url}/api/objects/${BUCKET}?limit=1000`,
  );
  const found = [
    ...documents.map((key) => `data/${key}`),
    ...objects.objects.map(({ key }) => `object/${BUCKET}/${key}`),
  ];
  expect(found.sort()).toEqual([...expected.bytes.keys()].sort());
  for (const [key, bytes] of expected.bytes) {
    const path = key.startsWith('data/') ? `/${key}` : key.replace(/^object/, '');
    const answer = await fetch(url + path, { headers: { authorization } });
    const read = Buffer.from(await answer.arrayBuffer());
    expect([key, answer.status, digest(read)]).toEqual([key, 200, digest(bytes)]);
    if (key.startsWith('data/'))
      expect(answer.headers.get('etag')).toBe(`"${expected.versions.get(key)}"`);
  }
}

async function send(url: string, method: string, status: number, body?: Buffer): Promise<Response> {
  const answer = await fetch(url, {
    method,
    headers: { authorization, 'content-type': 'application/json' },
    ...(body ? { body: new Uint8Array(body) } : {}),
  });
  const text = await answer.text();
  if (answer.status !== status) throw new Error(`${method} ${url}: ${answer.status} ${text}`);
  return answer;
}

async function getJson<T>(url: string): Promise<T> {
  const answer = await fetch(url, { headers: { authorization } });
  expect(answer.status).toBe(200);
  return answer.json() as Promise<T>;
}

function add<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

function digest(bytes: Buffer): string {
  return `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
}
