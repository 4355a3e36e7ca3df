import { useMemo } from 'preact/hooks';
import type { User } from '../../api/user.ts';
import { formatCount } from '../../parts/amounts.ts';
import { StoredText } from '../../parts/stored-text.tsx';
import { href } from '../../router.ts';
import { current } from '../../session.ts';
import { MoreRows, useRows } from './more-rows.tsx';
import type { Accounts } from './use-accounts.ts';
import { UserGrants } from './user-grants.tsx';

export function UserTable(props: {
  users: readonly User[];
  keysOf: Accounts['keysOf'];
  filter: string;
  chosen: string | undefined;
}) {
  const { users, keysOf, filter, chosen } = props;
  const texts = useMemo(() => users.map(searchedText), [users]);
  const found = useMemo(() => {
    const wanted = filter.toLowerCase();
    return users.filter((_, at) => texts[at]?.includes(wanted));
  }, [users, texts, filter]);
  const { rows, more } = useRows(found, filter);
  if (found.length === 0) {
    return <p class="muted">No user fits the filter. Clear it, or add the user.</p>;
  }
  return (
    <>
      <table>
        <thead>
          <tr>
            <th scope="col" class="user-name">
              User
            </th>
            <th scope="col" class="user-role">
              Role
            </th>
            <th scope="col">May do</th>
            <th scope="col" class="number key-count">
              Keys
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((user) => (
            <tr key={user.name} class={user.name === chosen ? 'chosen' : undefined}>
              <th scope="row">
                <a
                  href={href('users', { q: filter || undefined, user: user.name })}
                  aria-current={user.name === chosen ? 'true' : undefined}
                >
                  <StoredText text={user.name} />
                </a>
                {user.name === current().username && <span class="muted"> (you)</span>}
              </th>
              <td class="user-role">{user.role}</td>
              <td>
                <UserGrants user={user} />
              </td>
              <td class="number">{formatCount(keysOf.get(user.name)?.length ?? 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <MoreRows shown={rows.length} of={found.length} onMore={more} />
    </>
  );
}

/** A user is found by name, role, or the prefix of a grant: no filter has a line break. */
function searchedText({ name, role, grants }: User): string {
  return [name, role, ...grants.map(({ prefix }) => prefix)].join('\n').toLowerCase();
}
