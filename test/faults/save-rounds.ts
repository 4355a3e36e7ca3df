import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { paddedSlot, saveKey } from '../../server/s3/save-key.ts';
import { makeFolder } from '../support/make-folder.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { blobFiles } from './blob-files.ts';
import { INLINE_BYTES } from './check-objects.ts';
import { createRandom, intBetween, pick, type Random } from './random.ts';
import { createSaveClient, SAVES_BUCKET, type SaveClient } from './save-client.ts';
import { md5Of } from './upload-client.ts';
import { ACCESS_KEY } from './upload-form.ts';

export interface SaveRoundsResult {
  readonly problems: readonly string[];
  readonly saved: number;
  /** Saves that had no answer when the server was killed, and those of them that were stored. */
  readonly unanswered: number;
  readonly storedUnanswered: number;
}

/** What one console saves, and what it knows of it. */
interface Lane {
  readonly slot: number;
  readonly random: Random;
  /** From version 1 on. */
  readonly saved: Buffer[];
  pending: Buffer | undefined;
  /** The pending one was answered, but the console is as if it had not heard. */
  isAnswered: boolean;
}

const SLOTS = 5;
const PREFIX = 'game';
/** Requests and answers before the kill: few more often than many. */
const MAX_EVENTS = 80;
const SIZES = [0, 454, 454, 454, INLINE_BYTES, INLINE_BYTES + 1, 200_000] as const;

/**
 * Consoles save to their slots until the server is killed, mostly between a request and its answer; they
 * retry what was not answered, and what is there is compared. So many times, on one data directory.
 */
export async function runSaveRounds(options: {
  readonly rounds: number;
  readonly seed: number;
}): Promise<SaveRoundsResult> {
  const random = createRandom(options.seed);
  const lanes = Array.from(
    { length: SLOTS },
    (_, slot): Lane => ({
      slot,
      random: createRandom(intBetween(random, 0, 2 ** 32 - 1)),
      saved: [],
      pending: undefined,
      isAnswered: false,
    }),
  );
  const problems: string[] = [];
  const sum = { unanswered: 0, storedUnanswered: 0 };
  const folder = await makeFolder();
  const start = (): Promise<ServerProcess> =>
    startProcess({ folder, env: { ...ACCESS_KEY, LOG_LEVEL: 'warn' } });
  let server = await start();
  try {
    const first = createSaveClient(server.url);
    const settings = { saves: true, savePrefix: PREFIX };
    await first.send('PUT', `/api/buckets/${SAVES_BUCKET}`, settings);
    first.close();
    for (let round = 1; round <= options.rounds && problems.length === 0; round += 1) {
      await saveUntilKilled(server, lanes, random, problems);
      server = await start();
      const client = createSaveClient(server.url);
      for (const lane of lanes) {
        if (lane.pending) sum.unanswered += 1;
        const found = await retry(client, lane, problems);
        if (found) sum.storedUnanswered += 1;
        await checkSlot(client, lane, round === options.rounds, problems);
      }
      const large = lanes.flatMap(({ saved }) => saved.filter(isLarge)).length;
      const files = blobFiles(server.dataDir).length;
      if (files !== large) problems.push(`${files} files for ${large} large saves`);
      client.close();
      problems.splice(0, problems.length, ...problems.map((text) => `round ${round}: ${text}`));
    }
  } finally {
    await server.kill();
    await rm(folder, { recursive: true, force: true });
  }
  const saved = lanes.reduce((count, lane) => count + lane.saved.length, 0);
  return { problems, saved, ...sum };
}

function isLarge({ length }: Buffer): boolean {
  return length > INLINE_BYTES;
}

function keyOf({ slot }: Lane, version: number): string {
  return saveKey({ prefix: PREFIX, n: 1, slot }, version);
}

async function saveUntilKilled(
  server: ServerProcess,
  lanes: readonly Lane[],
  random: Random,
  problems: string[],
): Promise<void> {
  let left = 1 + Math.floor(MAX_EVENTS * random() ** 2);
  let killed: Promise<void> | undefined;
  const onEvent = (): void => {
    left -= 1;
    if (left === 0) killed = server.kill();
  };
  const client = createSaveClient(server.url);
  await Promise.all(
    lanes.map(async (lane) => {
      while (!killed && problems.length === 0) {
        const file = randomBytes(pick(lane.random, SIZES));
        lane.pending = file;
        const key = keyOf(lane, lane.saved.length + 1);
        const answer = await client.save(key, file, onEvent);
        if (!answer) return;
        onEvent();
        if (killed) {
          lane.isAnswered = answer.status === 204;
          return;
        }
        settle(lane, file, answer.status, answer.etag, problems);
      }
    }),
  );
  await (killed ?? server.kill());
  client.close();
}

function settle(
  lane: Lane,
  file: Buffer,
  status: number,
  etag: string | undefined,
  problems: string[],
): void {
  const version = lane.saved.push(file);
  lane.pending = undefined;
  lane.isAnswered = false;
  if (status !== 204 || etag !== `"${md5Of(file)}"`) {
    problems.push(`${keyOf(lane, version)}: answered ${status} with ${etag}`);
  }
}

/** Sends what was not answered again; true where it was stored before. */
async function retry(client: SaveClient, lane: Lane, problems: string[]): Promise<boolean> {
  const file = lane.pending;
  if (!file) return false;
  const key = keyOf(lane, lane.saved.length + 1);
  const before = await client.send('GET', `/${SAVES_BUCKET}/${key}`);
  if (before.status === 200 && !before.body.equals(file)) problems.push(`${key}: torn`);
  if (before.status !== 200 && lane.isAnswered) problems.push(`${key}: lost`);
  const answer = await client.save(key, file);
  settle(lane, file, answer?.status ?? 0, answer?.etag, problems);
  return before.status === 200;
}

async function checkSlot(
  client: SaveClient,
  lane: Lane,
  isLast: boolean,
  problems: string[],
): Promise<void> {
  if (lane.saved.length === 0) return;
  const base = `/api/saves/${SAVES_BUCKET}/${paddedSlot(lane.slot)}`;
  const listed = (await client.send('GET', base)).body.toString();
  const kept: { version: number; size: number; etag: string }[] = JSON.parse(listed);
  const expected = lane.saved.map((file, at) => `${at + 1} ${file.length} "${md5Of(file)}"`);
  const found = kept.map(({ version, size, etag }) => `${version} ${size} ${etag}`);
  if (found.join('\n') !== expected.join('\n')) {
    problems.push(`slot ${lane.slot}: has ${found.join(', ')} instead of ${expected.join(', ')}`);
  }
  // All bytes once, at the end; the latest always.
  for (const [at, file] of lane.saved.entries()) {
    if (!isLast && at < lane.saved.length - 2) continue;
    const { status, body } = await client.send('GET', `${base}/${at + 1}`);
    if (status !== 200 || !body.equals(file)) {
      problems.push(`${keyOf(lane, at + 1)}: read with ${status}, ${body.length} bytes`);
    }
  }
}
