import { setTimeout as pause } from 'node:timers/promises';
import type { Change } from '../../shared/changes.ts';
import { createRandom, intBetween, type Random } from '../faults/random.ts';
import { admin, type Client, createClient } from '../socket/client.ts';
import type { Told } from './check-feed.ts';
import { openStream } from './event-stream.ts';
import { createWatcher } from './watcher.ts';

/** A client that follows the feed of one server, goes away at random, comes back, and writes down what it is told. */
export interface FeedRecorder {
  readonly name: string;
  readonly told: readonly Told[];
  readonly connections: number;
  /** The last number that it knows. */
  readonly last: number;
  stop(): Promise<void>;
}

export interface RecorderOptions {
  readonly name: string;
  readonly url: string;
  readonly over: 'sse' | 'socket.io';
  readonly since: number;
  readonly seed: number;
  /** How long it stays, at most, in milliseconds; for ever without it. */
  readonly stayMs?: number;
  /** How long it reads nothing each time before it leaves, in milliseconds. */
  readonly stallMs?: number;
}

/** Where nobody answers. */
const BACK_OFF_MS = 100;

export function startRecorder(options: RecorderOptions): FeedRecorder {
  const { url, over, name, stayMs, stallMs } = options;
  const random: Random = createRandom(options.seed);
  const told: Told[] = [];
  let last = options.since;
  let connections = 0;
  let isOver = false;
  let leave = (): void => {};

  function note(change: Change): void {
    told.push({ change });
    last = change.seq;
  }

  function resync(oldest: number): void {
    told.push({ after: last, oldest });
    last = oldest;
  }

  /** Resolves when it is time to leave. */
  function stay(): Promise<void> {
    return new Promise((resolve) => {
      const timer =
        stayMs === undefined ? undefined : setTimeout(resolve, intBetween(random, 0, stayMs));
      leave = () => {
        clearTimeout(timer);
        resolve();
      };
      if (isOver) leave();
    });
  }

  async function overSse(): Promise<void> {
    const stream = await openStream(url, { lastEventId: String(last), onChange: note });
    if (stream.status === 410) {
      await stream.ended;
      resync(JSON.parse(stream.body).oldest);
      return;
    }
    connections += 1;
    await Promise.race([stay(), stream.ended]);
    if (stallMs !== undefined && !isOver) {
      stream.pause();
      await pause(stallMs);
      stream.resume();
    }
    stream.close();
    await stream.ended;
    const end = stream.events.find(({ event }) => event === 'end');
    const { status, oldest } = JSON.parse(end?.data ?? '{}');
    if (status === 410) resync(oldest);
    // What was hidden, or is not of documents and objects, has a number too.
    else last = Math.max(last, Number(stream.lastId ?? 0));
  }

  async function overSocket(): Promise<void> {
    const client: Client = createClient(url, { auth: admin });
    try {
      await connected(client);
      const watcher = createWatcher(client);
      const gone = new Promise((resolve) => client.once('disconnect', resolve));
      const ended = new Promise<void>((resolve) => {
        client.onAny((event: string, first: Change) => {
          if (event === 'change') note(first);
          if (event === 'unwatched') resolve();
        });
      });
      const answer = await Promise.race([watcher.watch({ since: last }), gone]);
      if (typeof answer !== 'object' || answer === null || !('status' in answer)) return;
      const { status, data } = answer as { status: number; data: { oldest?: number } };
      if (status === 410) resync(data.oldest ?? Number.NaN);
      if (status !== 200) return;
      connections += 1;
      await Promise.race([stay(), gone, ended]);
      const [why] = watcher.unwatched;
      if (why?.status === 410) resync(why.oldest ?? Number.NaN);
    } finally {
      client.offAny();
      client.close();
    }
  }

  async function run(): Promise<void> {
    while (!isOver) {
      const before = connections;
      await (over === 'sse' ? overSse() : overSocket()).catch(() => {});
      if (connections === before) await pause(BACK_OFF_MS);
    }
  }

  const running = run();
  return {
    name,
    told,
    get connections() {
      return connections;
    },
    get last() {
      return last;
    },
    async stop() {
      isOver = true;
      leave();
      await running;
    },
  };
}

/** Rejects where the server goes before it has welcomed the client. */
function connected(client: Client): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once('connect', resolve);
    client.once('connect_error', reject);
    client.io.once('close', (reason) => reject(new Error(reason)));
  });
}
