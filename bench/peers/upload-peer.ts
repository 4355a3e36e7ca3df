import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BUCKET, formEnd, formHeaders, formStartOfPrefix } from '../signed-form.ts';
import type { Needs } from './needs.ts';
import type { RunningServer } from './peer.ts';

/** A server that takes uploads, as one that is measured beside Keystow. */
export interface UploadPeer extends Needs {
  /** Starts it on a free port; whatever it writes goes into `folder`. */
  start(folder: string): Promise<RunningUploadPeer>;
}

export interface RunningUploadPeer extends RunningServer {
  /** Where the file of a key is read. */
  pathOf(key: string): string;
  /** How a file is stored under a key that begins with `UPLOAD_PREFIX`. */
  uploadOf(key: string): Upload;
}

/** A request whose body is a file, and what goes around it. */
export interface Upload {
  readonly method: 'POST' | 'PUT';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly before: string;
  readonly after: string;
}

export const UPLOAD_PREFIX = 'forms/';

/** A server that takes signed forms of S3's POST Object. */
export function withForms(server: RunningServer): RunningUploadPeer {
  const [before, after] = formStartOfPrefix(UPLOAD_PREFIX);
  return {
    ...server,
    pathOf: (key) => `/${BUCKET}/${key}`,
    uploadOf: (key) => ({
      method: 'POST',
      path: `/${BUCKET}`,
      headers: formHeaders,
      before: before + key + after,
      after: formEnd,
    }),
  };
}

/** A server that takes PUT, with the bytes of the file as the body. */
export function withPut(server: RunningServer): RunningUploadPeer {
  const pathOf = (key: string) => `/${key}`;
  return {
    ...server,
    pathOf,
    uploadOf: (key) => ({ method: 'PUT', path: pathOf(key), headers: {}, before: '', after: '' }),
  };
}

/** Starts a peer in a folder of its own. */
export async function startUploadPeer(
  peer: UploadPeer,
  parent: string,
): Promise<RunningUploadPeer> {
  const folder = join(parent, peer.name.replaceAll(/\W+/g, '-'));
  await mkdir(folder, { recursive: true });
  return peer.start(folder);
}
