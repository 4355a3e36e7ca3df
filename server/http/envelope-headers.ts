import { KeystowError } from '../../shared/errors.ts';
import { MAX_ENVELOPE_HEADER_CHARS } from '../../shared/limits.ts';
import { isRecord } from './is-record.ts';

/**
 * Headers that came in JSON, of `what`: only the content type, what is accepted and the preconditions
 * count. Throws `bad-request`.
 */
export function parseHeaders(headers: unknown, what: string): Record<string, string> {
  const known: Record<string, string> = {};
  if (headers === undefined || headers === null) return known;
  if (!isRecord(headers)) throw bad(`The headers of ${what} are an object.`);
  let chars = 0;
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (!/^(content-type|accept|if-[a-z-]+)$/.test(lower)) continue;
    // A precondition that is passed over would let an update be lost.
    if (typeof value !== 'string') throw bad(`The header ${lower} of ${what} is a string.`);
    known[lower] = value;
    chars += value.length;
  }
  if (chars > MAX_ENVELOPE_HEADER_CHARS) {
    throw bad(`The headers of ${what} have at most ${MAX_ENVELOPE_HEADER_CHARS} characters.`);
  }
  return known;
}

/** Whether a string in the place of the body is the body's text. */
export function isJsonText(contentType = ''): boolean {
  return /\bjson\b/i.test(contentType);
}

/** Whether the body of the answer is wanted as its text, in a string. */
export function wantsPlainText(accept = ''): boolean {
  return /^text\/plain\b/i.test(accept);
}

function bad(message: string): KeystowError {
  return new KeystowError('bad-request', message);
}
