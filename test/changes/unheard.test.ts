import { afterEach, expect, it, vi } from 'vitest';
import type { ChangePage } from '../../shared/changes.ts';
import { parseMetrics } from '../support/metrics-text.ts';
import { basic, createRest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { head, urls } from './feed-server.ts';

/** A commit while nobody follows the feed is heard by nobody: who comes then must read it all the same. */

const WAIT_SECONDS = 40;

let server: TestServer;

afterEach(() => server.stop());

it('shares no reading of the log that began before the commit', async () => {
  let isHeld = false;
  let isReading = false;
  const held: (() => void)[] = [];
  server = await startServer({
    onStore(store) {
      const { changes } = store;
      Object.assign(store, {
        async changes(...args: Parameters<typeof changes>) {
          const found = await changes(...args);
          if (isHeld) {
            isReading = true;
            await new Promise<void>((resolve) => held.push(resolve));
          }
          return found;
        },
      });
    },
  });
  const rest = createRest(server.url);
  const since = await head(rest);

  // The first follower goes away while its reading, which found nothing, is still under way.
  isHeld = true;
  const first = new AbortController();
  const gone = fetch(`${server.url}/api/changes?since=${since}`, {
    headers: {
      authorization: basic('admin', server.password),
      accept: 'text/event-stream',
    },
    signal: first.signal,
  }).catch(() => 'gone');
  await expect.poll(() => isReading).toBe(true);
  isHeld = false;
  first.abort();
  expect(await gone).toBe('gone');
  const feeds = async () =>
    parseMetrics((await rest('GET', '/api/metrics')).text).sum('keystow_feeds');
  await expect.poll(feeds).toBe(0);
  expect((await rest('POST', '/data/unheard', {})).status).toBe(201);

  const begun = performance.now();
  const second = rest('GET', `/api/changes?since=${since}&wait=${WAIT_SECONDS}`);
  let isAnswered = false;
  void second.then(() => {
    isAnswered = true;
  });
  await vi.waitUntil(async () => isAnswered || (await feeds()) === 1, 10_000);
  for (const release of held) release();
  const { changes }: ChangePage = JSON.parse((await second).text);
  expect(urls(changes)).toEqual(['/data/unheard']);
  // Else it comes when the waiting is over.
  expect(performance.now() - begun).toBeLessThan((WAIT_SECONDS * 1_000) / 2);
});
