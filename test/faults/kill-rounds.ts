import { rm } from 'node:fs/promises';
import { makeFolder } from '../support/make-folder.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { checkSurvival } from './check-survival.ts';
import type { Client } from './client.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { createRandom, intBetween, pick, type Random } from './random.ts';
import { createRestClient } from './rest-client.ts';
import { createSocketClient } from './socket-client.ts';
import { pathOf, takeSurvey } from './survey.ts';
import { createTally, type Tally } from './tally.ts';
import { runLane } from './workload.ts';

export interface KillOptions {
  readonly rounds: number;
  readonly seed: number;
  /** A server to run instead of Keystow's own. */
  readonly script?: string;
}

export interface KillResult {
  /** What was lost, of the first round that lost anything. */
  readonly problems: readonly string[];
  readonly acknowledged: number;
  /** Writes that had no answer when the server was killed, and how many of them were stored. */
  readonly unanswered: number;
  readonly unansweredStored: number;
}

const REST_CLIENTS = 3;
const LANES_PER_CLIENT = 4;
/** Acknowledged writes before the kill: few more often than many. */
const MAX_WRITES = 1_000;
/** What a reader of a failed test can take in. */
const MAX_PROBLEMS = 20;

/**
 * Writes, kills the server after a random number of acknowledgements, starts it again on what is
 * left and compares; so many times, on one data directory.
 */
export async function runKillRounds({ rounds, seed, script }: KillOptions): Promise<KillResult> {
  const random = createRandom(seed);
  const ledger = createLedger();
  const sum = { acknowledged: 0, unanswered: 0, unansweredStored: 0 };
  const folder = await makeFolder();
  const start = (): Promise<ServerProcess> =>
    startProcess({ folder, env: { LOG_LEVEL: 'warn' }, ...(script ? { script } : {}) });
  let server = await start();
  try {
    for (let round = 1; round <= rounds; round += 1) {
      const tally = await createRoundTally(server, ledger, round);
      await writeUntilKilled(server, { ledger, tally, round, random });
      sum.acknowledged += ledger.acknowledged;

      server = await start();
      const survey = await takeSurvey(server.url, [...ledger.entries.keys(), tally.key]);
      const problems = checkSurvival(ledger, tally, survey);
      if (problems.length > 0) {
        const where = `round ${round} of seed ${seed}`;
        const first = problems.slice(0, MAX_PROBLEMS);
        return { ...sum, problems: first.map((problem) => `${where}: ${problem}`) };
      }
      for (const [key, { pending }] of ledger.entries) {
        if (!pending) continue;
        sum.unanswered += 1;
        const found = survey.documents.get(key)?.text ?? null;
        if (found === pending.text) sum.unansweredStored += 1;
      }
      ledger.adopt(survey.documents, survey.revision);
    }
    return { ...sum, problems: [] };
  } finally {
    await server.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

async function createRoundTally(
  server: ServerProcess,
  ledger: Ledger,
  round: number,
): Promise<Tally> {
  const key = `tally/${round}`;
  const client = createRestClient(server.url, 1);
  const answer = await client.send({ method: 'POST', path: pathOf(key) });
  client.close();
  if (answer?.status !== 201 || answer.etag === undefined) {
    throw new Error(`POST ${key} was answered with ${answer?.status} ${answer?.text}`);
  }
  if (answer.etag <= ledger.highest) {
    ledger.note(`${key}: ETag ${answer.etag} after ${ledger.highest}: the sequence went back`);
  }
  ledger.count(answer.etag);
  return createTally(key, answer.etag);
}

async function writeUntilKilled(
  server: ServerProcess,
  work: { ledger: Ledger; tally: Tally; round: number; random: Random },
): Promise<void> {
  let left = 1 + Math.floor(MAX_WRITES * work.random() ** 2);
  let killed: Promise<void> | undefined;
  const workload = {
    ...work,
    // Many large ones fill LevelDB's memory table: then the kill meets its change of log files too.
    largeShare: pick(work.random, [0.02, 0.02, 0.4]),
    onAcknowledged(): void {
      left -= 1;
      if (left === 0) killed = server.kill();
    },
    // Writes under way may still be answered: what the server had sent before it died counts.
    isOver: () => killed !== undefined || work.ledger.problems.length > 0,
  };

  const clients = await openClients(server.url);
  const lanes = [...clients].flatMap(([name, client]) =>
    Array.from({ length: LANES_PER_CLIENT }, (_, index) => ({
      name: `${name}-${index + 1}`,
      client,
      random: createRandom(intBetween(work.random, 0, 2 ** 32 - 1)),
    })),
  );
  await Promise.all(lanes.map((lane) => runLane(lane, workload)));
  await (killed ?? server.kill());
  for (const client of clients.values()) client.close();
}

async function openClients(url: string): Promise<Map<string, Client>> {
  const clients = new Map<string, Client>();
  for (let index = 1; index <= REST_CLIENTS; index += 1) {
    clients.set(`rest-${index}`, createRestClient(url, LANES_PER_CLIENT));
  }
  clients.set('socket', await createSocketClient(url));
  return clients;
}
