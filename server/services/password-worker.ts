import { parentPort } from 'node:worker_threads';
import bcrypt from 'bcryptjs';

/** One thread of passwords.ts: bcrypt in JavaScript takes some 90 ms, which no event loop can wait. */

export type PasswordTask =
  | { readonly password: string; readonly hash: string }
  | { readonly password: string; readonly cost: number };

parentPort?.on('message', (task: PasswordTask) => {
  const result =
    'hash' in task
      ? bcrypt.compareSync(task.password, task.hash)
      : bcrypt.hashSync(task.password, task.cost);
  parentPort?.postMessage(result);
});
