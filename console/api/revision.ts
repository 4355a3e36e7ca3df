import { KeystowClientError } from '../../shared/client/index.ts';
import { current } from '../session.ts';

/** Every write has a number: the change feed counts them, and a document's ETag is that of its last one. */

/** The number of the last write, whoever may see it. */
export async function readRevision(signal: AbortSignal): Promise<number> {
  const answer = await current().request({ method: 'GET', path: '/data?limit=1', signal });
  return revisionOf(answer.header('x-keystow-revision'));
}

export function revisionOf(header: string | undefined): number {
  if (header !== undefined && /^\d+$/.test(header)) return Number(header);
  throw new KeystowClientError('unexpected', 'The answer has no revision: is this a Keystow?');
}

/** Of the document's last write. */
export function numberOf(etag: string): number {
  return Number(etag.replaceAll('"', ''));
}
