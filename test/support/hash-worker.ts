import { Worker } from 'node:worker_threads';

/** The thread as it is built: Node 20 runs no TypeScript. */
export function startHashWorker(): Worker {
  return new Worker(new URL('../../dist/server/services/hash-worker.js', import.meta.url));
}
