import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { EXIT_INTERRUPTED, EXIT_USAGE, ExitError } from './exit-error.ts';

/** Asks on the terminal for one line that is not shown. Throws on Ctrl-C and at the input's end. */
export async function askHidden(
  question: string,
  input: NodeJS.ReadableStream = process.stdin,
  output: NodeJS.WritableStream = process.stderr,
): Promise<string> {
  // readline echoes what is typed itself, since it switches the terminal's own echo off.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  // Only now: what is typed as soon as the question appears must not be shown either.
  output.write(question);
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      lines.once('SIGINT', () => reject(new ExitError(EXIT_INTERRUPTED, 'interrupted.')));
      lines.once('close', () => reject(new ExitError(EXIT_USAGE, 'no password was typed.')));
    });
  } finally {
    lines.close();
    output.write('\n');
    // Node stops reading a paused terminal a tick later, and would do so to the next reader too.
    await setImmediate();
  }
}
