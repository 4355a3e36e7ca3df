import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { blobFiles } from './blob-files.ts';
import { PASSWORD } from './environment.ts';
import { buildFormBody, formContentType, formPart } from './form-body.ts';
import { basic, createRest, type Rest } from './rest.ts';
import { expectS3Error, type S3Answer, sendS3 } from './s3-client.ts';
import { type InProcessOptions, startServer, type TestServer } from './server.ts';
import { type KeyPair, type Pairs, type SignedForm, signForm } from './sign-form.ts';

/** A server with an access key of its admin, and what tests of uploads ask of it. */

export const ADMIN_KEY: KeyPair = {
  accessKeyId: 'AKIDADMIN00000000001',
  secretAccessKey: 'admin/secret+0123456789abcdefghijklmnopqrst',
};

const ADMIN = basic('admin', PASSWORD);
const BOUNDARY = 'keystow-test-boundary';

export interface Upload {
  /** `/` unless told. */
  readonly path?: string;
  readonly pairs: Pairs;
  readonly file?: string | Buffer;
  readonly filename?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface S3Server extends TestServer {
  /** Host and port, as clients send them. */
  readonly host: string;
  readonly admin: Rest;
  upload(upload: Upload): Promise<S3Answer>;
  /** Signs with the admin's key unless told, and sends the form to `/`. */
  uploadSigned(
    form: Omit<SignedForm, 'pair'> & { readonly pair?: KeyPair },
    upload?: Omit<Upload, 'pairs'>,
  ): Promise<S3Answer>;
  /** As the admin, with Basic credentials. */
  read(bucket: string, key: string): Promise<S3Answer>;
  makeBucket(name: string, acl?: string): Promise<void>;
  /** A member with an access key. */
  makeMember(
    name: string,
    grants: readonly { prefix: string; access: 'read' | 'write' }[],
  ): Promise<KeyPair>;
  expectAbsent(bucket: string, key: string): Promise<void>;
  /** That the store has no object in it: only such a bucket can be removed. */
  expectEmptyBucket(name: string): Promise<void>;
  /** What lies in DATA_DIR/blobs, in files of any kind. */
  blobs(): Promise<string[]>;
}

export async function startS3Server(
  env: Record<string, string> = {},
  options: Pick<InProcessOptions, 'now'> = {},
): Promise<S3Server> {
  const server = await startServer({
    ...options,
    env: {
      ACCESS_KEY_ID: ADMIN_KEY.accessKeyId,
      SECRET_ACCESS_KEY: ADMIN_KEY.secretAccessKey,
      ...env,
    },
  });
  const { url } = server;
  const admin = createRest(url);
  const upload = ({ path = '/', pairs, headers = {}, ...file }: Upload): Promise<S3Answer> =>
    sendS3(url, {
      method: 'POST',
      path,
      headers: { 'content-type': formContentType(BOUNDARY), ...headers },
      body: formBody(pairs, file.file, file.filename),
    });
  const read = (bucket: string, key: string): Promise<S3Answer> =>
    sendS3(url, { path: pathOf(bucket, key), headers: { authorization: ADMIN } });

  return {
    ...server,
    host: new URL(url).host,
    admin,
    upload,
    uploadSigned: ({ pair = ADMIN_KEY, ...form }, sent = {}) =>
      upload({ ...sent, pairs: signForm({ ...form, pair }) }),
    read,
    async makeBucket(name, acl = 'private') {
      const { status, text } = await admin('PUT', `/api/buckets/${name}`, { acl });
      expect([200, 201], text).toContain(status);
    },
    async makeMember(name, grants) {
      const made = await admin('PUT', `/api/users/${name}`, {
        password: `${name}-password`,
        role: 'member',
        grants,
      });
      expect([200, 201], made.text).toContain(made.status);
      const { json } = await admin('POST', '/api/access-keys', { user: name });
      return json as KeyPair;
    },
    async expectAbsent(bucket, key) {
      expectS3Error(await read(bucket, key), 404, 'NoSuchKey', { Key: key });
    },
    async expectEmptyBucket(name) {
      expect((await admin('DELETE', `/api/buckets/${name}`)).status).toBe(204);
      expect((await admin('PUT', `/api/buckets/${name}`, {})).status).toBe(201);
    },
    blobs: () => blobFiles(server.dataDir),
  };
}

/** Without a `file`, none is sent. */
export function formBody(pairs: Pairs, file?: string | Buffer, filename?: string): Buffer {
  const parts = pairs.map(([name, value]) => formPart(name, value));
  if (file !== undefined) {
    parts.push(formPart('file', file, filename === undefined ? {} : { filename }));
  }
  return buildFormBody({ boundary: BOUNDARY, parts });
}

export const FORM_TYPE = formContentType(BOUNDARY);

export function pathOf(bucket: string, key: string): string {
  return `/${bucket}/${encodeURIComponent(key)}`;
}

export function md5Hex(bytes: string | Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}

export function asBasic(name: string, password = `${name}-password`): { authorization: string } {
  return { authorization: basic(name, password) };
}

export const AS_ADMIN = { authorization: ADMIN };
