import { KeystowClientError } from '../../shared/client/index.ts';
import { jsonOf } from '../../shared/client/transport.ts';
import { current } from '../session.ts';
import type { User, UserInput } from './user.ts';

/** The users, for admins: `/api/users`. */

/** All of them, by name. */
export async function listUsers(signal?: AbortSignal): Promise<readonly User[]> {
  const answer = await current().request({
    method: 'GET',
    path: '/api/users',
    ...(signal ? { signal } : {}),
  });
  return jsonOf<readonly User[]>(answer);
}

/** Makes the user, or changes a present one. */
export async function putUser(name: string, input: UserInput): Promise<User> {
  const body = JSON.stringify(input);
  return jsonOf<User>(await current().request({ method: 'PUT', path: pathOf(name), body }));
}

/** Their access keys go too. */
export async function deleteUser(name: string): Promise<void> {
  await current().request({ method: 'DELETE', path: pathOf(name) });
}

/** Browsers resolve dot segments however they are escaped: https://url.spec.whatwg.org/#double-dot-path-segment */
function pathOf(name: string): string {
  if (name === '.' || name === '..') {
    const message = `Browsers cannot name the user ${name} in a URL: curl --path-as-is can.`;
    throw new KeystowClientError('bad-request', message);
  }
  return `/api/users/${encodeURIComponent(name)}`;
}
