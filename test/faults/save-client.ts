import { Agent, type IncomingMessage, request } from 'node:http';
import { PASSWORD } from '../support/environment.ts';
import { buildFormBody, formContentType, formPart } from '../support/form-body.ts';
import { basic } from '../support/rest.ts';
import { signForm } from '../support/sign-form.ts';
import { ACCESS_KEY } from './upload-form.ts';

/** A client of saves; nothing is ever sent twice by itself. */
export interface SaveClient {
  /** `onSent` is called once all of it was handed to the system. Undefined where no answer came. */
  save(key: string, file: Buffer, onSent?: () => void): Promise<SaveAnswer | undefined>;
  /** With Basic credentials of the admin. */
  send(method: string, path: string, json?: unknown): Promise<SaveAnswer>;
  close(): void;
}

export interface SaveAnswer {
  readonly status: number;
  readonly etag: string | undefined;
  readonly body: Buffer;
}

export const SAVES_BUCKET = 'saves';
const BOUNDARY = '--------BOUNDARY--------B34F03DAD085D8D5--';
/** Longer than any answer of these tests takes: what hangs is broken off, and seen to be. */
const GIVE_UP_MS = 20_000;
const pair = {
  accessKeyId: ACCESS_KEY.ACCESS_KEY_ID,
  secretAccessKey: ACCESS_KEY.SECRET_ACCESS_KEY,
};

export function createSaveClient(base: string): SaveClient {
  const agent = new Agent({ keepAlive: true });

  function start(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: Buffer,
    onSent: () => void,
  ): Promise<SaveAnswer> {
    return new Promise((resolve, reject) => {
      const sent = request(base + path, { method, agent, headers, timeout: GIVE_UP_MS });
      sent.once('timeout', () => sent.destroy());
      sent.once('error', reject);
      sent.once('response', (response) => readAnswer(response).then(resolve, reject));
      sent.end(body, onSent);
    });
  }

  return {
    save(key, file, onSent = () => undefined) {
      const fields = { key, acl: 'private' };
      const more = [['content-length-range', file.length, file.length]];
      const pairs = signForm({ pair, bucket: SAVES_BUCKET, fields, more });
      const parts = [
        ...pairs.map(([name, value]) => formPart(name, value)),
        formPart('file', file),
      ];
      const headers = { 'content-type': formContentType(BOUNDARY) };
      const body = buildFormBody({ boundary: BOUNDARY, parts });
      return start('POST', '/', headers, body, onSent).catch(() => undefined);
    },
    send(method, path, json) {
      const headers = {
        authorization: basic('admin', PASSWORD),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      };
      const body = Buffer.from(json === undefined ? '' : JSON.stringify(json));
      return start(method, path, headers, body, () => undefined);
    },
    close: () => agent.destroy(),
  };
}

async function readAnswer(response: IncomingMessage): Promise<SaveAnswer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return {
    status: response.statusCode ?? 0,
    etag: response.headers.etag,
    body: Buffer.concat(chunks),
  };
}
