import { once } from 'node:events';
import { EXIT_FAILED } from './exit-error.ts';
import { errorCode } from './network-error.ts';

/** Writes to standard output, and waits while its reader is slower than we are. */
export async function writeOut(chunk: Uint8Array | string): Promise<void> {
  if (process.stdout.listenerCount('error', endWithReader) === 0) {
    process.stdout.on('error', endWithReader);
  }
  if (!process.stdout.write(chunk)) {
    await once(process.stdout, 'drain');
  }
}

/** A reader that has seen enough, such as `head`, is no failure; a full disk is one. */
function endWithReader(error: Error): void {
  if (errorCode(error) === 'EPIPE') {
    process.exit(0);
  }
  process.stderr.write(`keystow: cannot write to standard output: ${error.message}.\n`);
  process.exit(EXIT_FAILED);
}

/** Tells the person at the terminal; scripts, whose standard error is none, are not bothered. */
export function remark(message: string): void {
  if (process.stderr.isTTY) {
    process.stderr.write(`${message}\n`);
  }
}
