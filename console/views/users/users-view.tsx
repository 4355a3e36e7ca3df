import { useRef } from 'preact/hooks';
import { ErrorNotice } from '../../parts/notice.tsx';
import { go, href, replace, route } from '../../router.ts';
import { current } from '../../session.ts';
import { AddUser } from './add-user.tsx';
import { KeyTable } from './key-table.tsx';
import { MakeKey } from './make-key.tsx';
import { type Accounts, useAccounts } from './use-accounts.ts';
import { UserPanel } from './user-panel.tsx';
import { UserTable } from './user-table.tsx';
import './users.css';

/**
 * `#/users`, with `user` for the chosen one, `add` for the form of a new one, `show=keys` for the keys of all, and `q`
 * for the filter.
 */
export function UsersView() {
  const accounts = useAccounts();
  const showsKeys = route.value.query.get('show') === 'keys';
  return (
    <div class="users-view">
      <nav class="sections" aria-label="Users and access keys">
        <a href={href('users')} aria-current={showsKeys ? undefined : 'page'}>
          All users
        </a>
        <a href={href('users', { show: 'keys' })} aria-current={showsKeys ? 'page' : undefined}>
          All access keys
        </a>
      </nav>
      <ErrorNotice error={accounts.error} onRetry={() => void accounts.reload()} />
      {accounts.users === undefined ? (
        <p role="status">{accounts.error === undefined ? 'Reading the users …' : ''}</p>
      ) : showsKeys ? (
        <AllKeys accounts={accounts} />
      ) : (
        <AllUsers accounts={accounts} />
      )}
    </div>
  );
}

function AllUsers({ accounts }: { accounts: Accounts }) {
  const { users = [], keysOf, reload } = accounts;
  const { query } = route.value;
  const filter = query.get('q') ?? '';
  const q = filter || undefined;
  const name = query.get('user');
  const chosen = users.find((user) => user.name === name);
  const adding = useRef<HTMLButtonElement>(null);
  const leave = (): void => {
    go('users', { q });
    adding.current?.focus();
  };
  /** What took long does not lead away from what was opened meanwhile. */
  const isAt = (field: 'add' | 'user', value: string): boolean =>
    route.value.view === 'users' && route.value.query.get(field) === value;
  return (
    <div class="split">
      <section class="column" aria-label="Users">
        <div class="toolbar">
          <Filter label="Filter users" value={filter} keep={{ user: name }} />
          <button
            ref={adding}
            type="button"
            class="primary"
            onClick={() => go('users', { q, add: 'yes' })}
          >
            Add a user
          </button>
          <Reload accounts={accounts} />
        </div>
        <div class="framed scrolls listed">
          <UserTable users={users} keysOf={keysOf} filter={filter} chosen={name} />
        </div>
      </section>
      <div class="column scrolls">
        {query.has('add') ? (
          <AddUser
            onClose={leave}
            onAdded={async (added) => {
              await reload();
              if (isAt('add', 'yes')) go('users', { q, user: added });
            }}
          />
        ) : chosen ? (
          <UserPanel
            key={chosen.name}
            user={chosen}
            keys={keysOf.get(chosen.name) ?? []}
            reload={reload}
            onDeleted={() => {
              if (isAt('user', chosen.name)) leave();
            }}
          />
        ) : (
          <p class="muted">
            {name === undefined
              ? 'Choose a user to see and change its role, grants, password and access keys.'
              : 'There is no such user: it was deleted, or the link is wrong. Choose another.'}
          </p>
        )}
      </div>
    </div>
  );
}

function AllKeys({ accounts }: { accounts: Accounts }) {
  const { users = [], keys, reload } = accounts;
  const filter = route.value.query.get('q') ?? '';
  return (
    <section class="column" aria-label="Access keys">
      <div class="toolbar">
        <Filter label="Filter access keys" value={filter} keep={{ show: 'keys' }} />
        <MakeKey user={current().username} users={users} onMade={reload} />
        <Reload accounts={accounts} />
      </div>
      <div class="framed scrolls listed">
        <KeyTable keys={keys} filter={filter} hasUsers reload={reload} />
      </div>
    </section>
  );
}

function Filter(props: {
  label: string;
  value: string;
  /** What else is in the fragment. */
  keep: Readonly<Record<string, string | undefined>>;
}) {
  const { label, value, keep } = props;
  return (
    <input
      type="search"
      class="filter"
      aria-label={label}
      placeholder={label}
      value={value}
      onInput={({ currentTarget }) =>
        replace('users', { ...keep, q: currentTarget.value || undefined })
      }
    />
  );
}

function Reload({ accounts: { isReading, reload } }: { accounts: Accounts }) {
  return (
    <button type="button" aria-disabled={isReading} onClick={() => isReading || void reload()}>
      Reload
    </button>
  );
}
