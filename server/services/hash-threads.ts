import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { KeystowError } from '../../shared/errors.ts';
import type { Digests } from '../s3/body-digests.ts';
import type { ChecksumAlgorithm } from '../s3/expected-checksums.ts';
import type { HashAnswer, HashTask } from './hash-worker.ts';

/** Threads that hash bodies away from the event loop. They start when they are first needed. */
export interface HashThreads {
  /** Rejects with KeystowError `unavailable` after `close`. */
  begin(algorithm: ChecksumAlgorithm | undefined): ThreadHash;
  /** What is under way then fails. */
  close(): Promise<void>;
}

/** Of one body. `update` and `digest` reject with KeystowError `unavailable` where its thread ended. */
export interface ThreadHash {
  /** Copies the bytes, BLOCK_BYTES at most; resolves at once while there is room for them. */
  update(chunks: readonly Uint8Array[]): Promise<void>;
  digest(): Promise<Digests>;
  /** To be called in the end, whatever came of it. */
  close(): void;
}

export const BLOCK_BYTES = 256 * 1_024;
/** What all bodies together may have in memory that is copied and not hashed yet: 8 MiB. */
const MAX_BLOCKS = 32;
/** One core is left to the event loop. */
const MAX_THREADS = Math.max(1, Math.min(4, availableParallelism() - 1));

interface Thread {
  readonly worker: Worker;
  readonly bodies: Map<number, Body>;
  /** Those that it has yet to hash, in order. */
  readonly blocks: SharedArrayBuffer[];
}

interface Body {
  failure?: KeystowError;
  onDigests?: (digests: Digests) => void;
  onFailure?: (failure: KeystowError) => void;
}

export function createHashThreads(start = startWorker): HashThreads {
  const threads: Thread[] = [];
  const { take, give } = createBlocks();
  let lastBody = 0;
  let isClosed = false;

  function threadForBody(): Thread {
    const [idlest] = threads.toSorted((one, other) => one.bodies.size - other.bodies.size);
    const isEnough = threads.length === MAX_THREADS || idlest?.bodies.size === 0;
    return idlest && isEnough ? idlest : startThread();
  }

  function startThread(): Thread {
    const thread: Thread = { worker: start(), bodies: new Map(), blocks: [] };
    const { worker, bodies, blocks } = thread;
    threads.push(thread);
    worker.on('message', (answer: HashAnswer) => {
      if (answer.kind === 'digests') bodies.get(answer.body)?.onDigests?.(answer.digests);
      else give(blocks.splice(0, 1));
    });
    let cause: unknown;
    worker.on('error', (error) => {
      cause = error;
    });
    worker.once('exit', () => {
      threads.splice(threads.indexOf(thread), 1);
      const failure = unavailable(cause);
      for (const body of bodies.values()) {
        body.failure = failure;
        body.onFailure?.(failure);
      }
      give(blocks.splice(0));
    });
    return thread;
  }

  return {
    begin(algorithm) {
      if (isClosed) throw unavailable(undefined);
      const thread = threadForBody();
      const { worker, bodies, blocks } = thread;
      lastBody += 1;
      const id = lastBody;
      const body: Body = {};
      const post = (task: HashTask): void => worker.postMessage(task);
      bodies.set(id, body);
      // A process does not end while one of its bodies is hashed.
      worker.ref();
      post({ kind: 'begin', body: id, algorithm });
      return {
        async update(chunks) {
          const block = await take();
          if (body.failure) {
            give([block]);
            throw body.failure;
          }
          blocks.push(block);
          post({ kind: 'update', body: id, block, length: fill(block, chunks) });
        },

        digest: () =>
          new Promise((resolve, reject) => {
            if (body.failure) reject(body.failure);
            body.onDigests = resolve;
            body.onFailure = reject;
            post({ kind: 'digest', body: id });
          }),

        close() {
          if (!bodies.delete(id)) return;
          post({ kind: 'drop', body: id });
          if (bodies.size === 0) worker.unref();
        },
      };
    },

    async close() {
      isClosed = true;
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}

function startWorker(): Worker {
  return new Worker(new URL('./hash-worker.js', import.meta.url));
}

/** Each goes to those who wait in the order in which they came. */
function createBlocks() {
  const free: SharedArrayBuffer[] = [];
  const waiting: ((block: SharedArrayBuffer) => void)[] = [];
  let made = 0;
  return {
    async take(): Promise<SharedArrayBuffer> {
      const block = free.pop();
      if (block) return block;
      if (made === MAX_BLOCKS) return new Promise((resolve) => waiting.push(resolve));
      made += 1;
      return new SharedArrayBuffer(BLOCK_BYTES);
    },

    give(blocks: readonly SharedArrayBuffer[]): void {
      for (const block of blocks) {
        const next = waiting.shift();
        if (next) next(block);
        else free.push(block);
      }
    },
  };
}

/** Returns how many bytes there are. */
function fill(block: SharedArrayBuffer, chunks: readonly Uint8Array[]): number {
  const bytes = new Uint8Array(block);
  let length = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, length);
    length += chunk.length;
  }
  return length;
}

function unavailable(cause: unknown): KeystowError {
  return new KeystowError('unavailable', 'Hashing broke off: nothing was stored.', { cause });
}
