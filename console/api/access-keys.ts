import { jsonOf } from '../../shared/client/transport.ts';
import { current } from '../session.ts';

/** What signs requests of S3 clients, forms and URLs on behalf of a user: `/api/access-keys`. */

export interface AccessKey {
  readonly accessKeyId: string;
  readonly user: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** A key that was just made: the only time that its secret is told. */
export interface KeyPair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly user: string;
}

export interface AccessKeyInput {
  readonly user: string;
  /** What is not given is made. */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
}

const PATH = '/api/access-keys';

/** Those of every user for an admin, one's own for a member. */
export async function listAccessKeys(signal?: AbortSignal): Promise<readonly AccessKey[]> {
  const answer = await current().request({
    method: 'GET',
    path: PATH,
    ...(signal ? { signal } : {}),
  });
  return jsonOf<readonly AccessKey[]>(answer);
}

export async function createAccessKey(input: AccessKeyInput): Promise<KeyPair> {
  const body = JSON.stringify(input);
  return jsonOf<KeyPair>(await current().request({ method: 'POST', path: PATH, body }));
}

export async function deleteAccessKey(id: string): Promise<void> {
  await current().request({ method: 'DELETE', path: `${PATH}/${encodeURIComponent(id)}` });
}
