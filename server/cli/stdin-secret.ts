import { EXIT_USAGE, ExitError } from './exit-error.ts';

const MAX_BYTES = 4_096;

/** All of standard input but its last line end; `what` names it should it be too long. */
export async function readStdinSecret(what: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    size += chunk.length;
    if (size > MAX_BYTES) {
      throw new ExitError(EXIT_USAGE, `standard input must hold the ${what} and nothing else.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks)
    .toString()
    .replace(/\r?\n$/, '');
}
