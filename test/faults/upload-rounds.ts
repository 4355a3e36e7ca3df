import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { makeFolder } from '../support/make-folder.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { blobDigests } from './blob-files.ts';
import { checkObjects, INLINE_BYTES, type ObjectSurvey, stateOf } from './check-objects.ts';
import { createObjectLedger, type ObjectLedger } from './object-ledger.ts';
import { createRandom, intBetween, pick, type Random } from './random.ts';
import { createUploadClient, md5Of, type ReadAnswer, type UploadClient } from './upload-client.ts';
import { ACCESS_KEY } from './upload-form.ts';

export interface UploadRoundsOptions {
  readonly rounds: number;
  readonly seed: number;
  /** A server to run instead of Keystow's own. */
  readonly script?: string;
}

export interface UploadRoundsResult {
  /** What was wrong, of the first round in which anything was. */
  readonly problems: readonly string[];
  readonly acknowledged: number;
  /** Writes that had no answer when the server was killed. */
  readonly unanswered: number;
  /** Objects at the end, and those of them that have a file. */
  readonly objects: number;
  readonly files: number;
}

const CLIENTS = 6;
const KEYS_PER_CLIENT = 5;
/** Acknowledged writes before the kill: few more often than many. */
const MAX_WRITES = 150;
const DELETED_SHARE = 0.25;
/** What a reader of a failed test can take in. */
const MAX_PROBLEMS = 20;

/**
 * Uploads, overwrites and deletes, kills the server after a random number of acknowledgements, starts
 * it again on what is left and compares; so many times, on one data directory.
 */
export async function runUploadRounds(options: UploadRoundsOptions): Promise<UploadRoundsResult> {
  const { rounds, seed, script } = options;
  const random = createRandom(seed);
  const ledger = createObjectLedger();
  const sum = { unanswered: 0, objects: 0, files: 0 };
  const folder = await makeFolder();
  const start = (): Promise<ServerProcess> =>
    startProcess({
      folder,
      env: { ...ACCESS_KEY, LOG_LEVEL: 'warn' },
      ...(script ? { script } : {}),
    });
  let server = await start();
  try {
    for (let round = 1; round <= rounds; round += 1) {
      await uploadUntilKilled(server, ledger, random);
      server = await start();
      const survey = await takeObjectSurvey(server, ledger.entries.keys());
      const problems = [...ledger.problems, ...checkObjects(ledger.entries, survey)];
      if (problems.length > 0) {
        const where = `round ${round} of seed ${seed}`;
        const first = problems.slice(0, MAX_PROBLEMS).map((problem) => `${where}: ${problem}`);
        return { ...sum, acknowledged: ledger.acknowledged, problems: first };
      }
      sum.unanswered += [...ledger.entries.values()].filter(isPending).length;
      sum.files = survey.files.size;
      sum.objects = [...survey.answers.values()].filter(({ status }) => status === 200).length;
      const states = [...survey.answers].map(
        ([key, answer]) => [key, stateOf(answer) ?? null] as const,
      );
      ledger.adopt(new Map(states));
    }
    return { ...sum, acknowledged: ledger.acknowledged, problems: [] };
  } finally {
    await server.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

function isPending({ pending }: { pending: unknown }): boolean {
  return pending !== undefined;
}

async function uploadUntilKilled(
  server: ServerProcess,
  ledger: ObjectLedger,
  random: Random,
): Promise<void> {
  let left = 1 + Math.floor(MAX_WRITES * random() ** 2);
  let killed: Promise<void> | undefined;
  const onAcknowledged = (): void => {
    left -= 1;
    if (left === 0) killed = server.kill();
  };
  // Writes under way may still be answered: what the server had sent before it died counts.
  const isOver = (): boolean => killed !== undefined || ledger.problems.length > 0;
  const client = createUploadClient(server.url, CLIENTS);
  const lanes = Array.from({ length: CLIENTS }, (_, index) => ({
    name: `lane-${index + 1}`,
    random: createRandom(intBetween(random, 0, 2 ** 32 - 1)),
  }));
  await Promise.all(
    lanes.map(async (lane) => {
      while (!isOver()) {
        if (!(await writeOnce(client, ledger, lane))) return;
        onAcknowledged();
      }
    }),
  );
  await (killed ?? server.kill());
  client.close();
}

/** Uploads, overwrites or deletes one object; false where the server gave no answer any more. */
async function writeOnce(
  client: UploadClient,
  ledger: ObjectLedger,
  { name, random }: { name: string; random: Random },
): Promise<boolean> {
  const key = `${name}/${intBetween(random, 1, KEYS_PER_CLIENT)}`;
  const isDeletion = ledger.isThere(key) && random() < DELETED_SHARE;
  const bytes = isDeletion ? null : randomBytes(chooseSize(random));
  ledger.begin(key, bytes && { md5: md5Of(bytes), size: bytes.length });
  const answer = await (bytes ? client.upload(key, bytes) : client.remove(key));
  if (!answer) return false;
  if (answer.status === (bytes ? 201 : 204)) ledger.acknowledge(key, answer.etag);
  else ledger.reject(key, `answered with ${answer.status} ${answer.text}`);
  return true;
}

function chooseSize(random: Random): number {
  return pick(random, [
    intBetween(random, 0, 2_000),
    intBetween(random, INLINE_BYTES - 2, INLINE_BYTES + 2),
    intBetween(random, INLINE_BYTES, 300_000),
    intBetween(random, 300_000, 3_000_000),
  ]);
}

async function takeObjectSurvey(
  server: ServerProcess,
  keys: Iterable<string>,
): Promise<ObjectSurvey> {
  const files = blobDigests(server.dataDir);
  const client = createUploadClient(server.url, 4);
  try {
    const read = async (key: string): Promise<readonly [string, ReadAnswer]> => {
      const answer = await client.read(key);
      if (!answer) throw new Error(`GET ${key} was not answered.`);
      return [key, { ...answer, text: undefined }];
    };
    return { files, answers: new Map(await Promise.all([...keys].map(read))) };
  } finally {
    client.close();
  }
}
