import { KeystowClientError } from '../../shared/client/index.ts';
import { withQuery } from '../../shared/client/paths.ts';
import { jsonOf } from '../../shared/client/transport.ts';
import { isAbort } from '../parts/explain.ts';
import { current } from '../session.ts';
import type { ObjectPage, StoredObject } from './object-page.ts';
import { objectPath } from './object-path.ts';
import { readBeginning } from './read-beginning.ts';
import { s3Refusal } from './s3-refusal.ts';

export interface ObjectQuery {
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter?: string;
  readonly after?: string | undefined;
  readonly limit: number;
  readonly signal: AbortSignal;
}

export async function listObjects({ bucket, signal, ...query }: ObjectQuery): Promise<ObjectPage> {
  const path = withQuery(`/api/objects/${encodeURIComponent(bucket)}`, query);
  return jsonOf(await current().request({ method: 'GET', path, signal }));
}

/** By a list, as no URL of its own names every key. Undefined where there is none. */
export async function findObject(
  bucket: string,
  key: string,
  signal: AbortSignal,
): Promise<StoredObject | undefined> {
  const { objects } = await listObjects({ bucket, prefix: key, limit: 1, signal });
  const [first] = objects;
  return first?.key === key ? first : undefined;
}

/** What is sent with the object's bytes. */
export async function readHeaders(
  bucket: string,
  key: string,
  signal: AbortSignal,
): Promise<Headers> {
  const headers = { 'x-amz-checksum-mode': 'ENABLED' };
  return (await ask('HEAD', { bucket, key }, { headers, signal })).headers;
}

/**
 * The first bytes of an object. Only those are asked for where they are stored as they are: of what has a content
 * encoding the browser gives what it makes of it, which may be very much more.
 */
export async function readBytes(
  bucket: string,
  key: string,
  options: { bytes: number; isEncoded: boolean; signal: AbortSignal },
): Promise<Uint8Array<ArrayBuffer>> {
  const { bytes, isEncoded, signal } = options;
  const headers: Record<string, string> = isEncoded ? {} : { range: `bytes=0-${bytes - 1}` };
  const answer = await ask('GET', { bucket, key }, { headers, signal });
  if (!answer.body) return new Uint8Array();
  return (await readBeginning(answer.body, bytes)).bytes;
}

/** All of an object. */
export async function readObject(bucket: string, key: string, signal: AbortSignal): Promise<Blob> {
  const answer = await ask('GET', { bucket, key }, { signal });
  return answer.blob();
}

export async function deleteObject(bucket: string, key: string): Promise<void> {
  await ask('DELETE', { bucket, key });
}

/** A URL with which anybody can read the object for so many seconds. */
export async function presignReading(
  bucket: string,
  key: string,
  expiresIn: number,
): Promise<string> {
  const body = JSON.stringify({ method: 'GET', bucket, key, expiresIn });
  const answer = await current().request({ method: 'POST', path: '/api/presign', body });
  const { url }: { url: string } = jsonOf(answer);
  return url;
}

async function ask(
  method: string,
  { bucket, key }: { bucket: string; key: string },
  init: RequestInit = {},
): Promise<Response> {
  const path = objectPath(bucket, key);
  if (path === undefined) {
    const message = `No URL can name the key ${key}: use an S3 client, which signs without one.`;
    throw new KeystowClientError('bad-request', message);
  }
  const answer = await current()
    .fetch(path, { ...init, method })
    .catch(asClientError);
  if (!answer.ok) throw await s3Refusal(answer);
  return answer;
}

function asClientError(error: unknown): never {
  if (isAbort(error)) throw error;
  throw new KeystowClientError('network', 'The connection failed.', { cause: error });
}
