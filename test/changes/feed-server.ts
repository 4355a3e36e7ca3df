import type { Change, ChangePage } from '../../shared/changes.ts';
import { createRest, type Rest } from '../support/rest.ts';

/** What tests of the feed do with a server again and again. */

export const MEMBER_PASSWORD = 'battery staple';

export async function changesOf(rest: Rest, query = ''): Promise<ChangePage> {
  const answer = await rest('GET', `/api/changes${query}`);
  if (answer.status !== 200) throw new Error(`${query}: ${answer.status} ${answer.text}`);
  return JSON.parse(answer.text);
}

/** The number of the last write. */
export async function head(rest: Rest): Promise<number> {
  const { headers } = await rest('GET', '/data?limit=1');
  return Number(headers.get('x-keystow-revision'));
}

export interface Member {
  readonly name: string;
  readonly rest: Rest;
  /** Replaces the grants: prefixes that may be read. */
  grant(...prefixes: string[]): Promise<void>;
}

export async function makeMember(
  url: string,
  name: string,
  ...prefixes: string[]
): Promise<Member> {
  const admin = createRest(url);
  const put = async (body: object): Promise<void> => {
    const { status, text } = await admin('PUT', `/api/users/${name}`, { role: 'member', ...body });
    if (status !== 200 && status !== 201) throw new Error(`${name}: ${status} ${text}`);
  };
  const toGrants = (granted: string[]) =>
    granted.map((prefix) => ({ prefix, access: 'read' as const }));
  await put({ password: MEMBER_PASSWORD, grants: toGrants(prefixes) });
  return {
    name,
    rest: createRest(url, name, MEMBER_PASSWORD),
    grant: (...granted) => put({ grants: toGrants(granted) }),
  };
}

export function urls(changes: readonly Change[]): string[] {
  return changes.map(({ url }) => url);
}
