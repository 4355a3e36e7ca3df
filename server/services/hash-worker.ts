import { parentPort } from 'node:worker_threads';
import { type BodyDigests, createBodyDigests, type Digests } from '../s3/body-digests.ts';
import type { ChecksumAlgorithm } from '../s3/expected-checksums.ts';

/** One thread of hash-threads.ts: its tasks one after another, those of all its bodies in turn. */

export type HashTask =
  | {
      readonly kind: 'begin';
      readonly body: number;
      readonly algorithm: ChecksumAlgorithm | undefined;
    }
  | {
      readonly kind: 'update';
      readonly body: number;
      readonly block: SharedArrayBuffer;
      readonly length: number;
    }
  | { readonly kind: 'digest' | 'drop'; readonly body: number };

/** To each `update`, whose block is free again, and to each `digest`; in the order of the tasks. */
export type HashAnswer =
  | { readonly kind: 'updated' }
  | { readonly kind: 'digests'; readonly body: number; readonly digests: Digests };

const bodies = new Map<number, BodyDigests>();

function answerTo(task: HashTask): HashAnswer | undefined {
  if (task.kind === 'begin') {
    bodies.set(task.body, createBodyDigests(task.algorithm));
    return undefined;
  }
  const hash = bodies.get(task.body);
  if (task.kind === 'update') {
    hash?.update(new Uint8Array(task.block, 0, task.length));
    return { kind: 'updated' };
  }
  bodies.delete(task.body);
  if (task.kind === 'drop' || !hash) return undefined;
  return { kind: 'digests', body: task.body, digests: hash.digest() };
}

parentPort?.on('message', (task: HashTask) => {
  const answer = answerTo(task);
  if (answer) parentPort?.postMessage(answer);
});
