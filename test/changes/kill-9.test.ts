import { rm } from 'node:fs/promises';
import { expect, it, vi } from 'vitest';
import { createRandom, freshSeed, intBetween } from '../faults/random.ts';
import { freePort } from '../support/free-port.ts';
import { runs } from '../support/long-runs.ts';
import { makeFolder } from '../support/make-folder.ts';
import { createRest } from '../support/rest.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { checkFeed } from './check-feed.ts';
import { startRecorder } from './feed-recorders.ts';
import { startFeedWriters } from './feed-writers.ts';

/**
 * 50 writers, and clients that follow what they write, come and go at random and stall, while the server is killed
 * with SIGKILL and started again: each is told each acknowledged write exactly once, in order, or a 410.
 * KEYSTOW_KILL_SEED repeats a run's choices.
 */

const WRITERS = 50;
const KILLS = runs(1, 8);
const MAX_WRITES = runs(300, 1_000);
const WAIT = { timeout: 60_000, interval: 20 };
const seed = Number(process.env['KEYSTOW_KILL_SEED'] ?? freshSeed());

const CLIENTS = [
  { over: 'sse', stayMs: 400 },
  { over: 'socket.io', stayMs: 400 },
  { over: 'sse', stayMs: 2_000, stallMs: 500 },
  // Until the server goes.
  { over: 'sse' },
  { over: 'socket.io' },
] as const;

/** Resolves with how often a client was told 410. */
async function run(env: Record<string, string>): Promise<number> {
  const random = createRandom(seed);
  const folder = await makeFolder();
  const port = String(await freePort());
  const start = (): Promise<ServerProcess> =>
    startProcess({ folder, env: { ...env, PORT: port, LOG_LEVEL: 'warn' } });
  let server = await start();
  const { url } = server;
  let logs = '';
  const since = await headOf(url);
  const writers = startFeedWriters(url, WRITERS, seed);
  const recorders = CLIENTS.map((client, i) =>
    startRecorder({ ...client, url, since, seed: seed + i, name: `${client.over} ${i}` }),
  );
  try {
    for (let kill = 0; kill < KILLS; kill += 1) {
      const target = writers.acknowledged + intBetween(random, 1, MAX_WRITES);
      const before = recorders.map(({ connections }) => connections);
      const areBack = () => recorders.every(({ connections }, i) => connections > (before[i] ?? 0));
      await vi.waitUntil(() => writers.acknowledged >= target && areBack(), WAIT);
      await server.kill();
      logs += server.log();
      server = await start();
    }
    // Each write takes up to two old ones from a log that is too long.
    const enough = writers.acknowledged + 300;
    await vi.waitUntil(() => writers.acknowledged >= enough, WAIT);
    await writers.finish();
    const last = await writeLast(url, 'last');
    // Who was away all the time is told all of it, or 410.
    recorders.push(startRecorder({ over: 'sse', url, since, seed, name: 'sse, late' }));
    const isTold = () => recorders.every((recorder) => recorder.last >= last);
    await vi.waitUntil(isTold, WAIT).catch(() => {});
    await Promise.all(recorders.map((recorder) => recorder.stop()));
    logs += server.log();
    // The last one is told as well.
    const writes = [
      ...writers.writes,
      { writer: 'last', url: '/data/last', type: 'put', outcome: 'acknowledged', sequence: last },
    ] as const;
    for (const { name, told } of recorders) {
      const problems = checkFeed(told, writes, since).slice(0, 20);
      expect(problems, `${name}, seed ${seed}`).toEqual([]);
    }
    expect(writers.problems).toEqual([]);
    expect(logs).toBe('');
  } finally {
    await writers.finish();
    await Promise.all(recorders.map((recorder) => recorder.stop()));
    await server.kill();
    await rm(folder, { recursive: true, force: true });
  }
  const gaps = recorders.flatMap(({ told }) => told).filter((one) => !('change' in one)).length;
  console.info(
    `feed: ${KILLS} kills, ${writers.acknowledged} writes acknowledged, told ${recorders.map(({ told, connections }) => `${told.length} over ${connections} connections`).join(', ')}; ${gaps} times 410, seed ${seed}`,
  );
  return gaps;
}

async function headOf(url: string): Promise<number> {
  const { headers } = await createRest(url)('GET', '/data?limit=1');
  return Number(headers.get('x-keystow-revision'));
}

async function writeLast(url: string, key: string): Promise<number> {
  const { status, headers } = await createRest(url)('POST', `/data/${key}`, {});
  expect(status).toBe(201);
  return Number(headers.get('etag')?.slice(1, -1));
}

const timeout = 60_000 + KILLS * 30_000;

it(`tells every acknowledged write once, in order (seed ${seed})`, { timeout }, async () => {
  expect(await run({})).toBe(0);
});

it.runIf(runs(0, 1) === 1)(
  `or says 410 where the log is short (seed ${seed})`,
  { timeout },
  async () => {
    expect(await run({ CHANGES_KEEP: '20' })).toBeGreaterThan(0);
  },
);
