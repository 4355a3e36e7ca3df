import { createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';

/** The next bytes of a file, or its end, which is answered with its MD5. */
export type HashStep = { readonly block: SharedArrayBuffer; readonly length: number } | 'end';

let hash = createHash('md5');

parentPort?.on('message', (step: HashStep) => {
  if (step === 'end') {
    parentPort?.postMessage(hash.digest('hex'));
    hash = createHash('md5');
  } else {
    hash.update(new Uint8Array(step.block, 0, step.length));
    parentPort?.postMessage('');
  }
});
