import { connect as connectTcp } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { KvStore } from '../../server/stores/kv-store.ts';
import type { Change } from '../../shared/changes.ts';
import { joinWebsocket } from '../socket/raw-websocket.ts';
import { PASSWORD } from '../support/environment.ts';
import { runs } from '../support/long-runs.ts';
import { basic, createRest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { openStream } from './event-stream.ts';
import { head } from './feed-server.ts';

/**
 * Clients that stop reading while far more is written than the kernel takes for them. The server keeps a page of it,
 * ends their feed, and goes on where they were.
 */

const SLOW_READER_MS = 300;
const COMMITS = runs(8, 24);
const CHANGES = COMMITS * 2_000;
/** Each takes 1.5 KB in the feed: 24 MB in all, where the buffers of a connection are a few. */
const KEY = 'ü'.repeat(240);
const MOST_KEPT_BYTES = 16 * 1_048_576;

let server: TestServer;
let store: KvStore;
let round = 0;

beforeAll(async () => {
  server = await startServer({
    slowReaderMs: SLOW_READER_MS,
    onStore: (opened) => {
      store = opened;
    },
  });
});

afterAll(() => server.stop());

/** Resolves with the number before them. */
async function writeMany(): Promise<number> {
  const since = await store.sequence();
  round += 1;
  for (let commit = 0; commit < COMMITS; commit += 1) {
    await store.commit(
      [],
      Array.from({ length: 2_000 }, (_, i) => ({
        type: 'put' as const,
        key: `data/${round}/${commit}/${i}/${KEY}`,
        value: Buffer.from('{}'),
      })),
    );
  }
  return since;
}

async function expectRest(since: number, seen: readonly number[]): Promise<void> {
  const numbers = [...seen];
  // A machine that stands still for a moment ends these as well: as clients do, they go on.
  while (numbers.length < CHANGES) {
    const again = await openStream(server.url, {
      lastEventId: String(numbers.at(-1) ?? since),
      onChange: ({ seq }) => numbers.push(seq),
    });
    expect(again.status).toBe(200);
    await again.until(() => numbers.length >= CHANGES).catch(() => {});
    again.close();
  }
  expect(numbers).toEqual(Array.from({ length: CHANGES }, (_, i) => since + 1 + i));
}

it('a stream that is not read is ended with a reason, and complete with the next one', async () => {
  const since = await head(createRest(server.url));
  const { hostname, port } = new URL(server.url);
  const tcp = connectTcp({ host: hostname, port: Number(port) });
  tcp.write(
    `GET /api/changes?since=${since} HTTP/1.1\r\nHost: ${hostname}\r\n` +
      `Accept: text/event-stream\r\nAuthorization: ${basic('admin', PASSWORD)}\r\n\r\n`,
  );
  let text = '';
  await new Promise<void>((resolve) => {
    tcp.once('data', (bytes) => {
      text += bytes.toString('latin1');
      tcp.pause();
      resolve();
    });
  });
  await writeMany();
  await expect.poll(() => server.log()).toMatch(/feed ended: its client does not read/);

  tcp.on('data', (bytes) => {
    text += bytes.toString('latin1');
  });
  const ended = new Promise((resolve) => tcp.once('end', resolve));
  tcp.resume();
  await expect.poll(() => text.includes('event: end')).toBe(true);
  tcp.end();
  await ended;
  expect(text.length).toBeLessThan(MOST_KEPT_BYTES);
  expect(text).toMatch(/event: end\r?\ndata: {"status":503,"error":"The client took too long/);
  const seen = [...text.matchAll(/^id: (\d+)\nevent: change$/gm)].map(([, id]) => Number(id));
  expect(seen.length).toBeLessThan(CHANGES);
  await expectRest(since, seen);
});

it('a watch that is not read is ended with a reason, and complete with the next one', async () => {
  const since = await head(createRest(server.url));
  const websocket = await joinWebsocket(server.url, { username: 'admin', password: PASSWORD });
  websocket.send(`421["watch",{"since":${since}}]`);
  await websocket.message('431');
  websocket.tcp.pause();
  await writeMany();
  await expect.poll(() => server.log()).toMatch(/watch ended: its client does not read/);

  websocket.tcp.resume();
  const unwatched: [string, object] = JSON.parse(
    (await websocket.message('42["unwatched"')).slice(2),
  );
  websocket.tcp.destroy();
  expect(unwatched[1]).toEqual({ watch: 1, status: 503, error: expect.stringMatching(/too long/) });
  const changes = websocket.messages.flatMap((message): Change[] =>
    message.startsWith('42["change"') ? [JSON.parse(message.slice(2))[1]] : [],
  );
  expect(changes.length).toBeGreaterThan(0);
  expect(changes.length).toBeLessThan(CHANGES);
  expect(websocket.messages.join('').length).toBeLessThan(MOST_KEPT_BYTES);
  await expectRest(
    since,
    changes.map(({ seq }) => seq),
  );
});
