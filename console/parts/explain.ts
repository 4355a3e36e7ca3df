import { KeystowClientError } from '../../shared/client/index.ts';
import { visible } from './visible.ts';

/** What to do next, where the server's own sentence does not say it. */
const NEXT: Readonly<Record<string, string>> = {
  network: 'Check that the server runs and that you are connected, then try again.',
  timeout: 'The server may be busy: try again.',
  'not-found': 'It was deleted, or the link is wrong: choose another.',
  forbidden: 'Ask an admin for a grant if you need it.',
  unexpected: 'Try again; the server log has more.',
  internal: 'Try again; the server log has the request under its id.',
  unavailable: 'Try again in a moment.',
  'disk-full': 'Delete what is not needed, or give the server more space.',
};

/** One or two sentences: what went wrong, and what to do. They may quote what others have chosen. */
export function explain(error: unknown): string {
  if (error instanceof KeystowClientError) {
    const next =
      error.code === 'forbidden' && /ask an admin/i.test(error.message) ? '' : NEXT[error.code];
    // S3's own sentences have no full stop.
    const said = /[.!?]$/.test(error.message) ? error.message : `${error.message}.`;
    return visible(next ? `${said} ${next}` : said);
  }
  return error instanceof Error ? visible(error.message) : 'Something failed. Try again.';
}

/** What was given up on purpose is no error. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
