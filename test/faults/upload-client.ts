import { createHash } from 'node:crypto';
import { Agent, type IncomingMessage, request } from 'node:http';
import { PASSWORD } from '../support/environment.ts';
import { basic } from '../support/rest.ts';
import { objectPath, uploadForm } from './upload-form.ts';

/** A client of objects over at most some keep-alive connections; nothing is ever sent twice. */
export interface UploadClient {
  /** All of these: undefined where the connection broke off before there was an answer. */
  upload(key: string, bytes: Buffer): Promise<UploadAnswer | undefined>;
  remove(key: string): Promise<UploadAnswer | undefined>;
  read(key: string): Promise<ReadAnswer | undefined>;
  /** Any other call, as the admin. */
  call(
    method: string,
    path: string,
    body?: Buffer,
  ): Promise<(ReadAnswer & { readonly bytes: Buffer }) | undefined>;
  close(): void;
}

export interface UploadAnswer {
  readonly status: number;
  /** Without its quotes. */
  readonly etag: string | undefined;
  /** Undefined where the connection broke off within the body: the status was said all the same. */
  readonly text: string | undefined;
  readonly contentType: string | undefined;
}

export interface ReadAnswer extends UploadAnswer {
  /** Of the bytes that came. */
  readonly md5: string;
  readonly size: number;
  /** All the bytes that were announced came. */
  readonly isWhole: boolean;
}

/** Longer than any answer of these tests takes: what hangs is broken off, and seen to be. */
export const GIVE_UP_MS = 20_000;

export function createUploadClient(base: string, connections: number): UploadClient {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });

  function send(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: Buffer,
  ): Promise<IncomingMessage | undefined> {
    return new Promise((resolve) => {
      const sent = request(base + path, { method, agent, headers, timeout: GIVE_UP_MS });
      sent.once('timeout', () => sent.destroy());
      sent.once('error', () => resolve(undefined));
      sent.once('response', resolve);
      sent.end(body);
    });
  }

  const credentials = { authorization: basic('admin', PASSWORD) };
  return {
    async upload(key, bytes) {
      const { path, headers, body } = uploadForm(key, bytes);
      return readAnswer(await send('POST', path, headers, body));
    },
    async remove(key) {
      return readAnswer(await send('DELETE', objectPath(key), credentials));
    },
    async read(key) {
      const answer = await readAnswer(await send('GET', objectPath(key), credentials));
      if (!answer) return undefined;
      const { bytes: _bytes, ...rest } = answer;
      return rest;
    },
    async call(method, path, body) {
      return readAnswer(await send(method, path, credentials, body));
    },
    close: () => agent.destroy(),
  };
}

async function readAnswer(
  response: IncomingMessage | undefined,
): Promise<(ReadAnswer & { readonly bytes: Buffer }) | undefined> {
  if (!response) return undefined;
  const chunks: Buffer[] = [];
  let isWhole = true;
  try {
    for await (const chunk of response) chunks.push(chunk);
  } catch {
    isWhole = false;
  }
  const bytes = Buffer.concat(chunks);
  return {
    status: response.statusCode ?? 0,
    etag: /^"(.*)"$/.exec(response.headers.etag ?? '')?.[1],
    text: isWhole ? bytes.toString('latin1') : undefined,
    contentType: response.headers['content-type'],
    md5: md5Of(bytes),
    size: bytes.length,
    isWhole,
    bytes,
  };
}

export function md5Of(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}
