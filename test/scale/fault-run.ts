import { expect, vi } from 'vitest';
import { createRandom, freshSeed, intBetween } from '../faults/random.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { type Change, checkChanges, checkWrites } from './check-writes.ts';
import type { StoreSettings } from './cluster.ts';
import { type GroupNode, type NodeGroup, startNodeGroup } from './node-group.ts';
import { readChanges, readState } from './read-state.ts';
import { prepareWorkload, runLane, type Workload } from './workload.ts';
import { createWriteLedger, type WriteLedger } from './write-ledger.ts';

/** Clients that write through a balancer to nodes, while a test does to these what it wants. */
export interface FaultRun {
  readonly nodes: readonly GroupNode[];
  /** Between the nodes and their database. */
  readonly link: TcpProxy;
  readonly ledger: WriteLedger;
  /** Cuts the link once a batch was committed, before its node hears of it. */
  cutAtCommit(): Promise<void>;
  /** Resolves once so many more writes were acknowledged: the nodes do what they should. */
  progress(writes: number): Promise<void>;
  /** Resolves once a client was told 503, or so many were, after this call. */
  refusal(clients?: number): Promise<void>;
  /** Lets the clients finish, and compares what is stored. */
  finish(outcome: Outcome): Promise<void>;
  stop(): Promise<void>;
}

interface Outcome {
  readonly databaseUrl: string;
  readonly promotions: number;
  /** What the log had before a promotion, from where on cursors are: what is older goes. */
  readonly earlier?: readonly Change[];
}

const NODES = 3;
export const CLIENTS = 8;
const WAIT = { timeout: 180_000, interval: 50 };
/** What nodes may say of a store that is away, and of work that they have broken off for it. */
const EXPECTED_IN_LOGS = new Set([
  'The database does not answer: try again.',
  'The database stopped answering: look whether it was stored.',
  'The server is stopping.',
  'a connection to the database was lost',
  "bytes that are nobody's were not removed",
  'what unfinished uploads have left was not removed',
]);

export async function startFaultRun(settings: StoreSettings): Promise<FaultRun> {
  const store = new URL(settings.STORE);
  let onCommitted: (() => void) | undefined;
  const link = await startTcpProxy({
    ports: [Number(store.port)],
    letsThrough(chunk) {
      // The name of the column in the answer of keystow_commit.
      if (!onCommitted || !chunk.includes('results')) return true;
      onCommitted();
      onCommitted = undefined;
      return false;
    },
  });
  store.port = String(link.port);
  const group = await startNodeGroup({ ...settings, STORE: store.href }, NODES);
  await prepareWorkload(group.url);
  const ledger = createWriteLedger();
  const seed = freshSeed();
  const random = createRandom(seed);
  let isOver = false;
  const work: Workload = { ledger, creates: 0, isOver: () => isOver };
  const lanes = Promise.all(
    Array.from({ length: CLIENTS }, (_, index) =>
      runLane(
        {
          client: index + 1,
          url: group.url,
          random: createRandom(intBetween(random, 0, 2 ** 32 - 1)),
        },
        work,
      ),
    ),
  );

  return {
    nodes: group.nodes,
    link,
    ledger,
    cutAtCommit() {
      return new Promise((resolve) => {
        onCommitted = () => resolve(link.cut());
      });
    },
    async progress(writes) {
      const target = ledger.acknowledged + writes;
      const isReached = () => ledger.acknowledged >= target || ledger.problems.length > 0;
      await vi.waitUntil(isReached, WAIT).catch(async () => {
        const ready = await Promise.all(group.nodes.map((node) => node.readiness()));
        const logs = group.nodes.map((node) => node.log().slice(-1_000));
        throw new Error(
          `${ledger.acknowledged} writes of ${target}; ${ledger.unavailable} answers 503; ` +
            `readiness ${ready}; ${JSON.stringify(ledger.writes.slice(-20))}; ${logs}`,
        );
      });
      expect(ledger.problems).toEqual([]);
    },
    async refusal(clients = 1) {
      const before = new Map(ledger.unavailableTo);
      const told = () =>
        [...ledger.unavailableTo].filter(([name, n]) => n > (before.get(name) ?? 0));
      await vi.waitUntil(() => told().length >= clients, WAIT);
    },
    async finish({ databaseUrl, promotions, earlier = [] }) {
      isOver = true;
      await lanes;
      const { writes } = ledger;
      const states = await Promise.all(group.nodes.map(({ url }) => readState(url, writes)));
      for (const state of states) expect(checkWrites(writes, state)).toEqual([]);
      const changes = withEarlier(await readChanges(databaseUrl), earlier);
      expect(checkChanges(writes, changes, promotions)).toEqual([]);
      expect(ledger.problems).toEqual([]);
      expect(group.nodes.map((node) => node.isAsLeft())).toEqual(group.nodes.map(() => true));
      expect(unexpectedLogs(group)).toEqual([]);
      console.info(
        `faults: ${ledger.acknowledged} writes acknowledged, ${ledger.uncertain} uncertain, ` +
          `${ledger.unavailable} answers 503, seed ${seed}`,
      );
    },
    async stop() {
      isOver = true;
      await group.stop();
      await lanes;
      await link.stop();
    },
  };
}

function withEarlier(changes: readonly Change[], earlier: readonly Change[]): Change[] {
  const last = earlier.at(-1)?.sequence ?? 0;
  return [...earlier, ...changes.filter(({ sequence }) => sequence > last)];
}

function unexpectedLogs({ nodes }: NodeGroup): string[] {
  const lines = nodes.flatMap((node) => node.log().split('\n'));
  return lines.filter((line) => line !== '' && !EXPECTED_IN_LOGS.has(messageOf(line)));
}

function messageOf(line: string): string {
  try {
    return JSON.parse(line).msg;
  } catch {
    return line;
  }
}
