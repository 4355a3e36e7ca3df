import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { openLevelStoreReadOnly } from '../../server/drivers/level/level-store.ts';
import { makeFolder } from '../support/make-folder.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { checkStoredBytes } from '../support/stored-bytes.ts';
import { blobDigests, blobFiles } from './blob-files.ts';
import { checkMultiparts, foundState, type MultipartSurvey } from './check-multiparts.ts';
import { INLINE_BYTES } from './check-objects.ts';
import { createMultipartLedger, type MultipartLedger } from './multipart-ledger.ts';
import { createMultipartWorker } from './multipart-worker.ts';
import { createRandom, intBetween, type Random } from './random.ts';
import { createUploadClient, type UploadClient } from './upload-client.ts';
import { BUCKET, objectPath } from './upload-form.ts';

export interface MultipartRoundsResult {
  /** What was wrong, of the first round in which anything was. */
  readonly problems: readonly string[];
  readonly acknowledged: MultipartLedger['acknowledged'];
  /** Calls that had no answer when the server was killed, by their kind. */
  readonly unanswered: Readonly<Record<string, number>>;
  /** At the end. */
  readonly objects: number;
  readonly open: number;
  readonly files: number;
}

const CLIENTS = 6;
/** Acknowledged calls before the kill: few more often than many. */
const MAX_CALLS = 200;
/** What a reader of a failed test can take in. */
const MAX_PROBLEMS = 20;

/**
 * Uploads in parts, completes, aborts and deletes, kills the server after a random number of
 * acknowledgements, starts it again on what is left and compares; so many times, on one data directory.
 */
export async function runMultipartRounds(options: {
  readonly rounds: number;
  readonly seed: number;
  /** A server to run instead of Keystow's own. */
  readonly script?: string;
}): Promise<MultipartRoundsResult> {
  const { rounds, seed, script } = options;
  const random = createRandom(seed);
  const ledger = createMultipartLedger();
  const unanswered: Record<string, number> = {};
  const sum = { objects: 0, open: 0, files: 0 };
  const folder = await makeFolder();
  const start = (): Promise<ServerProcess> =>
    startProcess({ folder, env: { LOG_LEVEL: 'warn' }, ...(script ? { script } : {}) });
  const result = (where: string, problems: readonly string[]): MultipartRoundsResult => ({
    ...sum,
    unanswered,
    acknowledged: ledger.acknowledged,
    problems: problems.slice(0, MAX_PROBLEMS).map((problem) => `${where}: ${problem}`),
  });
  let server = await start();
  try {
    for (let round = 1; round <= rounds; round += 1) {
      await workUntilKilled(server, ledger, random);
      for (const { kind } of ledger.pending.values()) {
        unanswered[kind] = (unanswered[kind] ?? 0) + 1;
      }
      server = await start();
      const survey = await takeSurvey(server, ledger);
      const problems = [...ledger.problems, ...checkMultiparts(ledger, survey)];
      if (problems.length > 0) return result(`round ${round} of seed ${seed}`, problems);
      const states = [...survey.objects].map(
        ([key, found]) => [key, foundState(key, ledger, found) ?? null] as const,
      );
      ledger.adopt(survey.uploads.values(), new Map(states));
      sum.objects = states.filter(([, state]) => state !== null).length;
      sum.open = survey.uploads.size;
      sum.files = survey.files.size;
    }
    await server.stop({ keep: true });
    return result(`the end of seed ${seed}`, await checkData(server.dataDir));
  } finally {
    await server.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The records of a stopped server, and its files. */
async function checkData(dataDir: string): Promise<string[]> {
  const warnings: string[] = [];
  const store = await openLevelStoreReadOnly(dataDir, (message) => warnings.push(message));
  const files = blobFiles(dataDir).map((path) => path.slice(path.lastIndexOf('/') + 1));
  try {
    return [...warnings, ...(await checkStoredBytes(store, files))];
  } finally {
    await store.close();
  }
}

async function workUntilKilled(
  server: ServerProcess,
  ledger: MultipartLedger,
  random: Random,
): Promise<void> {
  let left = 1 + Math.floor(MAX_CALLS * random() ** 2);
  let killed: Promise<void> | undefined;
  const onAcknowledged = (): void => {
    left -= 1;
    if (left === 0) killed = server.kill();
  };
  // Calls under way may still be answered: what the server had sent before it died counts.
  const isOver = (): boolean => killed !== undefined || ledger.problems.length > 0;
  const client = createUploadClient(server.url, CLIENTS);
  const workers = Array.from({ length: CLIENTS }, (_, index) =>
    createMultipartWorker({
      client,
      ledger,
      key: `lane-${index + 1}`,
      random: createRandom(intBetween(random, 0, 2 ** 32 - 1)),
      chooseBytes,
    }),
  );
  await Promise.all(
    workers.map(async (worker) => {
      while (!isOver()) {
        if (!(await worker())) return;
        onAcknowledged();
      }
    }),
  );
  await (killed ?? server.kill());
  client.close();
}

function chooseBytes(random: Random): Buffer {
  const sizes = [
    intBetween(random, 0, 2_000),
    intBetween(random, INLINE_BYTES - 2, INLINE_BYTES + 2),
    intBetween(random, INLINE_BYTES, 300_000),
  ];
  return randomBytes(sizes[intBetween(random, 0, sizes.length - 1)] ?? 0);
}

async function takeSurvey(
  server: ServerProcess,
  ledger: MultipartLedger,
): Promise<MultipartSurvey> {
  const files = blobDigests(server.dataDir);
  const client = createUploadClient(server.url, 4);
  try {
    const uploads = await readUploads(client);
    const keys = new Set([...ledger.objects.keys(), ...ledger.pending.keys()]);
    const objects = await Promise.all(
      [...keys].map(async (key) => [key, await ask(client, 'GET', objectPath(key))] as const),
    );
    return { files, uploads, objects: new Map(objects) };
  } finally {
    client.close();
  }
}

async function readUploads(client: UploadClient): Promise<MultipartSurvey['uploads']> {
  const { text = '' } = await ask(client, 'GET', `/${BUCKET}?uploads`);
  const members = /<Upload><Key>([^<]*)<\/Key><UploadId>(\w+)<\/UploadId>/g;
  const listed = [...text.matchAll(members)].map(async ([, key = '', id = '']) => {
    const { text: parts = '' } = await ask(client, 'GET', `${objectPath(key)}?uploadId=${id}`);
    const found = parts.matchAll(
      /<PartNumber>(\d+)<\/PartNumber>.*?<ETag>"(\w+)"<\/ETag><Size>(\d+)<\/Size>/g,
    );
    const states = [...found].map(
      ([, number, md5 = '', size]) => [Number(number), { md5, size: Number(size) }] as const,
    );
    return [id, { key, id, parts: new Map(states) }] as const;
  });
  return new Map(await Promise.all(listed));
}

async function ask(client: UploadClient, method: string, path: string) {
  const answer = await client.call(method, path);
  if (!answer) throw new Error(`${method} ${path} was not answered.`);
  return answer;
}
