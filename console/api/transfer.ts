import { failure } from '../../shared/client/http-transport.ts';
import { type BatchFailure, KeystowClientError, text } from '../../shared/client/index.ts';
import { documentPath, withQuery } from '../../shared/client/paths.ts';
import { refusalOf } from '../../shared/client/transport.ts';
import { current } from '../session.ts';
import type { BatchMember } from './batch-member.ts';
import { numberOf, revisionOf } from './revision.ts';

/** What import and export ask of the server. */

export interface ExportAnswer {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** All writes up to this number are in it. */
  readonly revision: number;
}

/** All documents whose keys begin so, as lines of JSON. */
export async function openExport(prefix: string, signal: AbortSignal): Promise<ExportAnswer> {
  const path = withQuery('/data', { prefix: prefix === '' ? undefined : prefix });
  const response = await open(path, { accept: 'application/x-ndjson' }, signal);
  if (!response.body) throw new KeystowClientError('unexpected', 'The answer has no body.');
  const revision = revisionOf(response.headers.get('x-keystow-revision') ?? undefined);
  return { body: response.body, revision };
}

/** Stores all of it, or nothing: then it resolves with what failed. */
export async function sendMembers(
  members: readonly BatchMember[],
): Promise<readonly BatchFailure[]> {
  const body = `[${members.map(toJson).join(',')}]`;
  try {
    await current().request({ method: 'POST', path: '/api/batch', body });
    return [];
  } catch (error) {
    if (error instanceof KeystowClientError && error.failures.length > 0) return error.failures;
    throw error;
  }
}

/** Whether the document has this text since a write after that number. */
export async function isStoredSince(
  revision: number,
  { key, value }: { readonly key: string; readonly value: string },
): Promise<boolean> {
  try {
    const stored = await current().client.documentsAs(text).get(key);
    return stored.value === value && numberOf(stored.etag) > revision;
  } catch (error) {
    if (error instanceof KeystowClientError && error.code === 'not-found') return false;
    throw error;
  }
}

function toJson({ key, value, method }: BatchMember): string {
  return `{"method":"${method}","url":${JSON.stringify(documentPath(key))},"data":${value}}`;
}

async function open(
  path: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Response> {
  const response = await current()
    .fetch(path, { headers, signal })
    .catch((error) => {
      throw failure(error, [signal]);
    });
  if (response.status === 200) return response;
  const header = (name: string) => response.headers.get(name) ?? undefined;
  throw refusalOf({ status: response.status, header, text: await response.text() });
}
