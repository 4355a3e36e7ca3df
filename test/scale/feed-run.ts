import { expect, vi } from 'vitest';
import { checkFeed } from '../changes/check-feed.ts';
import { type FeedRecorder, startRecorder } from '../changes/feed-recorders.ts';
import { startFeedWriters } from '../changes/feed-writers.ts';
import { freshSeed } from '../faults/random.ts';
import { createRest } from '../support/rest.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import type { StoreSettings } from './cluster.ts';
import { type GroupNode, startNodeGroup } from './node-group.ts';

/** Clients that follow the feed at each node while others write through all of them. */
export interface FeedRun {
  readonly nodes: readonly GroupNode[];
  /** Between the nodes and their database. */
  readonly link: TcpProxy;
  readonly recorders: readonly FeedRecorder[];
  /** Resolves once so many more writes were acknowledged. */
  progress(writes: number): Promise<void>;
  /** Resolves once a writer was told 503 after this call, or nothing. */
  refusal(): Promise<void>;
  /** Lets all catch up and compares; resolves with every 410. */
  finish(): Promise<readonly { readonly after: number; readonly oldest: number }[]>;
  stop(): Promise<void>;
}

const NODES = 3;
const WRITERS = 50;
const STAY_MS = 1_500;
const WAIT = { timeout: 180_000, interval: 50 };

export async function startFeedRun(settings: StoreSettings): Promise<FeedRun> {
  const store = new URL(settings.STORE);
  const link = await startTcpProxy({ ports: [Number(store.port)] });
  store.port = String(link.port);
  const group = await startNodeGroup({ ...settings, STORE: store.href }, NODES);
  const rest = createRest(group.url);
  const since = Number((await rest('GET', '/data?limit=1')).headers.get('x-keystow-revision'));
  const seed = freshSeed();
  const recorders = group.nodes.flatMap(({ url }, node) => {
    const common = { url, since, seed: seed + node };
    return [
      startRecorder({ ...common, over: 'sse', stayMs: STAY_MS, name: `node ${node}, sse` }),
      startRecorder({ ...common, over: 'socket.io', name: `node ${node}, socket.io` }),
    ];
  });
  const writers = startFeedWriters(group.url, WRITERS, seed);

  return {
    nodes: group.nodes,
    link,
    recorders,
    async progress(writes) {
      const target = writers.acknowledged + writes;
      await vi.waitUntil(() => writers.acknowledged >= target, WAIT);
      expect(writers.problems).toEqual([]);
    },
    async refusal() {
      const uncertain = () => writers.writes.filter(({ outcome }) => outcome === 'uncertain');
      const before = uncertain().length;
      await vi.waitUntil(() => uncertain().length > before, WAIT);
    },
    async finish() {
      await writers.finish();
      const made = await rest('POST', '/data/last', {});
      expect(made.status).toBe(201);
      const last = Number(made.headers.get('etag')?.slice(1, -1));
      const isTold = () => recorders.every((recorder) => recorder.last >= last);
      await vi.waitUntil(isTold, WAIT).catch(() => {});
      await Promise.all(recorders.map((recorder) => recorder.stop()));
      const final = { writer: 'last', url: '/data/last', type: 'put', sequence: last } as const;
      const writes = [...writers.writes, { ...final, outcome: 'acknowledged' as const }];
      for (const { name, told } of recorders) {
        const problems = checkFeed(told, writes, since).slice(0, 20);
        expect(problems, `${name}, seed ${seed}`).toEqual([]);
      }
      console.info(
        `feed of ${NODES} nodes: ${writers.acknowledged} writes acknowledged, told ${recorders.map(({ told, connections }) => `${told.length} over ${connections} connections`).join(', ')}, seed ${seed}`,
      );
      return recorders.flatMap(({ told }) => told.flatMap((one) => ('change' in one ? [] : [one])));
    },
    async stop() {
      await writers.finish();
      await Promise.all(recorders.map((recorder) => recorder.stop()));
      await group.stop();
      await link.stop();
    },
  };
}
