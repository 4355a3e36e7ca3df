import { expect } from 'vitest';
import type { S3Answer } from '../support/s3-client.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';

/** A server and what tests of saves ask of it. */

export const PREFIX = '10.CTR_JWVJ_datastore';
export const SLOT = '12345678901';
/** One byte more than lies beside an index entry: such bytes have a file. */
export const LARGE = 65_537;

export interface SaveServer extends S3Server {
  /** A bucket with saves; what is there keeps the settings that are not given. */
  makeSaves(name: string, settings?: Readonly<Record<string, unknown>>): Promise<void>;
  /** As a console does: a form of version 2, which its service signed. */
  save(bucket: string, key: string, file: string | Buffer): Promise<S3Answer>;
  /** Numbers from the first to the last, each with its own bytes. */
  saveAll(bucket: string, first: number, last: number, slot?: string): Promise<void>;
  /** The versions that are kept. */
  versions(bucket: string, slot?: string, query?: string): Promise<number[]>;
}

export async function startSaveServer(
  env: Record<string, string> = {},
  options: { readonly now?: () => number } = {},
): Promise<SaveServer> {
  const server = await startS3Server(env, options);
  const save = (bucket: string, key: string, file: string | Buffer): Promise<S3Answer> =>
    server.uploadSigned({ bucket, fields: { key, acl: 'private' } }, { file });

  return {
    ...server,
    save,
    async makeSaves(name, settings = {}) {
      const body = { saves: true, savePrefix: PREFIX, ...settings };
      const { status, text } = await server.admin('PUT', `/api/buckets/${name}`, body);
      expect([200, 201], text).toContain(status);
    },
    async saveAll(bucket, first, last, slot = SLOT) {
      for (let version = first; version <= last; version += 1) {
        const answer = await save(bucket, keyOf(version, { slot }), contentOf(version));
        expect(answer.status, answer.text).toBe(204);
      }
    },
    async versions(bucket, slot = SLOT, query = '') {
      const { status, text, json } = await server.admin(
        'GET',
        `/api/saves/${bucket}/${slot}${query}`,
      );
      expect(status, text).toBe(200);
      return (json as { version: number }[]).map(({ version }) => version);
    },
  };
}

export function keyOf(
  version: number,
  { slot = SLOT, n = 1, prefix = PREFIX }: { slot?: string; n?: number; prefix?: string } = {},
): string {
  return `${prefix}/ds/${n}/data/${slot.padStart(11, '0')}-${String(version).padStart(5, '0')}`;
}

export function contentOf(version: number): string {
  return `the save ${version}`;
}
