import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { documentKey } from '../documents.ts';
import { filledDataDir } from '../filled-data-dir.ts';
import { fill } from '../load.ts';
import { settledMemory } from '../memory-of-process.ts';
import { keystow, startSecureKeystow } from '../peers/keystow.ts';
import type { RunningPeer } from '../peers/peer.ts';
import type { Measure } from './measure.ts';

/** Starts of each kind, beside one for each round. */
const MORE_STARTS = 2;
/** Documents created before a server is killed: LevelDB's log is then to be read again. */
const BEFORE_KILL = 2_000;

const withCommas = (count: number) => count.toLocaleString('en');
export const FIRST_START = 'first start';
export const startWith = (keys: number) => `start with ${withCommas(keys)} keys`;
export const startAfterKill = (keys: number) => `${startWith(keys)}, after kill -9`;
export const idleWith = (keys: number) => `RSS, idle with ${withCommas(keys)} keys`;

/**
 * The time from spawning a server to its first answer, TLS on: the first start, which makes a
 * certificate and the admin; with the large store; with it after `kill -9`. And the memory of a
 * server with that store that has answered nothing else.
 */
export const start: Measure = async ({ folder, keys, rounds }) => {
  console.error('start: first starts');
  const starts = Array.from({ length: rounds + MORE_STARTS }, (_, index) => index);
  const first: number[] = [];
  for (const index of starts) {
    const server = await startIn(join(folder, 'start', `empty-${index}`));
    first.push(await stopAfterStart(server));
  }

  const DATA_DIR = await filledDataDir(folder, keys);
  const home = join(folder, 'start', 'filled');
  // What only a first start in a folder does is no part of the others.
  await stopAfterStart(await startIn(home, { DATA_DIR }));
  console.error(`start: with ${withCommas(keys)} keys`);
  const orderly: number[] = [];
  for (const _ of starts) orderly.push(await stopAfterStart(await startIn(home, { DATA_DIR })));
  const idle = await startIn(home, { DATA_DIR });
  const idleMib = await readIdle(idle);
  await stopAfterStart(idle);

  console.error('start: after kill -9');
  const killed: number[] = [];
  for (const index of starts) {
    await createAndKill(await startIn(home, { DATA_DIR }), index);
    killed.push(await stopAfterStart(await startIn(home, { DATA_DIR })));
  }
  return {
    rows: [],
    figures: [
      { what: FIRST_START, unit: 'ms', values: first },
      { what: startWith(keys), unit: 'ms', values: orderly },
      { what: startAfterKill(keys), unit: 'ms', values: killed },
      { what: idleWith(keys), unit: 'MiB', values: idleMib },
    ],
  };
};

async function startIn(
  folder: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<RunningPeer> {
  await mkdir(folder, { recursive: true });
  return startSecureKeystow(keystow.name, folder, settings);
}

/** How long the start took. */
async function stopAfterStart({ processes }: RunningPeer): Promise<number> {
  for (const server of processes) await server.stop();
  return processes.reduce((most, { readyMs }) => Math.max(most, readyMs), 0);
}

async function createAndKill(server: RunningPeer, index: number): Promise<void> {
  const keys = Array.from({ length: BEFORE_KILL }, (_, n) => documentKey(`kill-${index}`, n));
  await fill(server, keys, server.create);
  for (const { kill } of server.processes) await kill();
}

/** None where there is no `/proc`. */
async function readIdle({ processes }: RunningPeer): Promise<number[]> {
  if (process.platform !== 'linux') return [];
  return Promise.all(processes.map(async ({ pid }) => (await settledMemory(pid)).total));
}
