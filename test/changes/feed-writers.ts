import { setTimeout as pause } from 'node:timers/promises';
import { createRandom, intBetween, type Random } from '../faults/random.ts';
import { createNodeClient, type NodeClient } from '../scale/node-client.ts';
import type { FeedWrite } from './check-feed.ts';

/** Many writers of documents and objects, and what each was told. */
export interface FeedWriters {
  readonly writes: readonly FeedWrite[];
  /** Answers that no correct server gives. */
  readonly problems: readonly string[];
  readonly acknowledged: number;
  /** Resolves once all have been answered for the last time. */
  finish(): Promise<void>;
}

/** Where nobody answers, or says 503. */
const BACK_OFF_MS = 50;
/** Of what goes into the blob store, one of so many objects. */
const LARGE_EVERY = 20;
const SMALL = Buffer.from('small');
const LARGE = Buffer.alloc(70_000, 'large ');

interface Thing {
  readonly path: string;
  readonly isDocument: boolean;
}

export function startFeedWriters(url: string, count: number, seed: number): FeedWriters {
  const writes: FeedWrite[] = [];
  const problems: string[] = [];
  const random = createRandom(seed);
  let acknowledged = 0;
  let isOver = false;

  async function write(
    client: NodeClient,
    method: string,
    { writer, path }: { writer: string; path: string },
    body?: string | Buffer,
  ): Promise<boolean> {
    const answer = await client.send(method, path, body);
    const type = method === 'DELETE' ? 'delete' : 'put';
    if (answer && answer.status >= 200 && answer.status < 300) {
      acknowledged += 1;
      const number = Number(answer.etag?.slice(1, -1));
      const sequence = path.startsWith('/data/') && type === 'put' ? number : undefined;
      writes.push({ writer, url: path, type, outcome: 'acknowledged', sequence });
      return true;
    }
    writes.push({ writer, url: path, type, outcome: 'uncertain' });
    if (answer && answer.status !== 503) {
      problems.push(`${method} ${path}: ${answer.status} ${answer.body}`.slice(0, 300));
    }
    await pause(BACK_OFF_MS);
    return false;
  }

  async function run(writer: string, chance: Random): Promise<void> {
    const client = createNodeClient(url);
    const own: Thing[] = [];
    for (let made = 0; !isOver; made += 1) {
      const isDocument = chance() < 0.6;
      const at = intBetween(chance, 0, Math.max(own.length - 1, 0));
      const thing = own[at];
      const dice = chance();
      if (!thing || dice < 0.5) {
        // Each name is used once: what is told of it can be told apart.
        const path = `/${isDocument ? 'data' : 'uploads'}/${writer}/${made}`;
        const bytes = made % LARGE_EVERY === 0 ? LARGE : SMALL;
        const [method, body] = isDocument ? ['POST', '{}'] : ['PUT', bytes];
        if (await write(client, method, { writer, path }, body)) own.push({ path, isDocument });
      } else if (dice < 0.8 && thing.isDocument) {
        const method = dice < 0.65 ? 'PUT' : 'PATCH';
        await write(client, method, { writer, path: thing.path }, `{"n":${made}}`);
      } else {
        own.splice(at, 1);
        await write(client, 'DELETE', { writer, path: thing.path });
      }
    }
    client.close();
  }

  const running = Promise.all(
    Array.from({ length: count }, (_, i) =>
      run(`writer-${seed}-${i}`, createRandom(intBetween(random, 0, 2 ** 32 - 1))),
    ),
  );
  return {
    writes,
    problems,
    get acknowledged() {
      return acknowledged;
    },
    async finish() {
      isOver = true;
      await running;
    },
  };
}
