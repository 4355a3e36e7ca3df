import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { KeystowError } from '../../shared/errors.ts';
import { MAX_QUEUED_PASSWORDS } from '../../shared/limits.ts';
import type { PasswordTask } from './password-worker.ts';

/** Hashing and verifying with bcrypt, away from the event loop. */
export interface Passwords {
  /** Rejects with `unavailable` when too many are waiting. */
  hash(password: string): Promise<string>;
  verify(password: string, hash: string): Promise<boolean>;
  /** Takes as long as `verify` does: for a user who does not exist. */
  verifyNobody(password: string): Promise<boolean>;
  load(): { readonly waiting: number; readonly underWay: number };
  close(): Promise<void>;
}

interface Job {
  readonly task: PasswordTask;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Salt and hash of nobody's password. */
const NOBODY = '$lGHkWe29JjcO/rjMR6WUv.5wTNjac9NQCP1Hn6xnUZQX2qgkSD42K';
/** Threads start when they are first needed, and one core is left to the event loop. */
const THREADS = Math.max(1, Math.min(4, availableParallelism() - 1));

/** `cost` is bcrypt's: 2^cost rounds. */
export function createPasswords(cost: number): Passwords {
  const queue: Job[] = [];
  const idle: Worker[] = [];
  const busy = new Map<Worker, Job>();

  function submit(task: PasswordTask): Promise<unknown> {
    if (queue.length >= MAX_QUEUED_PASSWORDS) {
      return Promise.reject(
        new KeystowError('unavailable', 'Too many passwords are being verified: try again.', {
          headers: { 'Retry-After': '5' },
        }),
      );
    }
    return new Promise((resolve, reject) => {
      queue.push({ task, resolve, reject });
      next();
    });
  }

  function next(): void {
    if (queue.length === 0) return;
    const worker = idle.pop() ?? (busy.size < THREADS ? startWorker() : undefined);
    if (!worker) return;
    const job = queue.shift();
    if (!job) return;
    busy.set(worker, job);
    worker.ref();
    worker.postMessage(job.task);
  }

  function startWorker(): Worker {
    const worker = new Worker(new URL('./password-worker.js', import.meta.url));
    worker.on('message', (result: unknown) => {
      busy.get(worker)?.resolve(result);
      busy.delete(worker);
      worker.unref();
      idle.push(worker);
      next();
    });
    worker.on('error', (error) => {
      busy.get(worker)?.reject(error);
      busy.delete(worker);
      next();
    });
    return worker;
  }

  return {
    async hash(password) {
      return String(await submit({ password, cost }));
    },
    async verify(password, hash) {
      return (await submit({ password, hash })) === true;
    },
    async verifyNobody(password) {
      await submit({ password, hash: `$2b$${String(cost).padStart(2, '0')}${NOBODY}` });
      return false;
    },
    load: () => ({ waiting: queue.length, underWay: busy.size }),
    async close() {
      await Promise.all([...idle, ...busy.keys()].map((worker) => worker.terminate()));
    },
  };
}
