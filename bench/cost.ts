import { countCommits, type Database } from './database.ts';
import type { Round } from './load.ts';
import type { RunningServer } from './peers/peer.ts';
import { cpuSeconds } from './process-tree.ts';

/** Where the time of a load went. */
export interface Cost {
  readonly seconds: number;
  /** 2xx. */
  readonly answers: number;
  /** CPU seconds of the server's processes. */
  readonly nodes: number;
  /** CPU seconds of its database; 0 where it has none of its own. */
  readonly database: number;
  /** CPU seconds of the load. */
  readonly load: number;
  /** Batches that the database committed. */
  readonly commits: number;
}

/** Runs a load, and reads what it cost; undefined where there is no `/proc`. */
export async function withCost(
  server: RunningServer,
  database: Database | undefined,
  load: () => Promise<Round>,
): Promise<{ round: Round; cost: Cost | undefined }> {
  const before = await readCost(server, database);
  const round = await load();
  const after = await readCost(server, database);
  if (!before || !after) return { round, cost: undefined };
  return { round, cost: { ...combine(after, before, -1), answers: round.answers } };
}

export function sumOfCosts(costs: readonly Cost[]): Cost | undefined {
  const [first, ...others] = costs;
  return first && others.reduce((sum, cost) => combine(sum, cost, 1), first);
}

/** What was used so far. */
async function readCost(
  { processes }: RunningServer,
  database: Database | undefined,
): Promise<Cost | undefined> {
  const commits = database ? await countCommits(database) : 0;
  const nodes = await cpuSeconds(processes.map(({ pid }) => pid));
  const ofDatabase = database ? await cpuSeconds([database.server.pid]) : 0;
  if (nodes === undefined || ofDatabase === undefined) return undefined;
  const { user, system } = process.cpuUsage();
  return {
    seconds: performance.now() / 1_000,
    answers: 0,
    nodes,
    database: ofDatabase,
    load: (user + system) / 1e6,
    commits,
  };
}

function combine(a: Cost, b: Cost, sign: 1 | -1): Cost {
  return {
    seconds: a.seconds + sign * b.seconds,
    answers: a.answers + sign * b.answers,
    nodes: a.nodes + sign * b.nodes,
    database: a.database + sign * b.database,
    load: a.load + sign * b.load,
    commits: a.commits + sign * b.commits,
  };
}
