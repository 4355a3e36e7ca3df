import { useMemo, useRef, useState } from 'preact/hooks';
import { type AccessKey, deleteAccessKey } from '../../api/access-keys.ts';
import { formatTime } from '../../parts/amounts.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { ErrorNotice } from '../../parts/notice.tsx';
import { StoredText } from '../../parts/stored-text.tsx';
import { announce } from '../../parts/toasts.tsx';
import { href } from '../../router.ts';
import { MoreRows, useRows } from './more-rows.tsx';

/** Without secrets, which nobody sees a second time. */
export function KeyTable(props: {
  keys: readonly AccessKey[];
  filter: string;
  /** Whose they are, where there are those of several. */
  hasUsers?: boolean;
  reload: () => Promise<void>;
}) {
  const { keys, filter, hasUsers = false, reload } = props;
  const place = useRef<HTMLDivElement>(null);
  const [asked, setAsked] = useState<AccessKey>();
  const [error, setError] = useState<unknown>();
  const found = useMemo(() => keys.filter((key) => isFound(key, filter)), [keys, filter]);
  const { rows, more } = useRows(found, filter);

  async function remove({ accessKeyId }: AccessKey): Promise<void> {
    setAsked(undefined);
    setError(undefined);
    try {
      await deleteAccessKey(accessKeyId);
      announce({ text: `The access key ${accessKeyId} was deleted.` });
      await reload();
      // The row that had the focus is gone with its key.
      if (document.activeElement === document.body) place.current?.focus();
    } catch (reason) {
      setError(reason);
    }
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: it is no part of a form
    <div ref={place} role="group" aria-label="Access keys" tabIndex={-1}>
      <ErrorNotice error={error} />
      {found.length === 0 ? (
        <p class="muted">{keys.length === 0 ? 'There is none yet.' : 'No key fits the filter.'}</p>
      ) : (
        <table class="keys">
          <thead>
            <tr>
              <th scope="col">Id</th>
              {hasUsers && (
                <th scope="col" class="key-user">
                  User
                </th>
              )}
              <th scope="col" class="key-time">
                Made
              </th>
              <th scope="col" class="key-delete">
                <span class="visually-hidden">What can be done</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((key) => (
              <tr key={key.accessKeyId}>
                <th scope="row">
                  <StoredText text={key.accessKeyId} />
                </th>
                {hasUsers && (
                  <td>
                    <a href={href('users', { user: key.user })}>
                      <StoredText text={key.user} />
                    </a>
                  </td>
                )}
                <td>
                  <time dateTime={key.createdAt}>{formatTime(key.createdAt)}</time>
                </td>
                <td class="number">
                  <button
                    type="button"
                    class="danger"
                    aria-label={`Delete the key ${key.accessKeyId}`}
                    onClick={() => setAsked(key)}
                  >
                    Delete
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <MoreRows shown={rows.length} of={found.length} onMore={more} />
      {asked && (
        <Confirm
          title="Delete the access key?"
          text={
            <>
              <StoredText text={asked.accessKeyId} /> of <StoredText text={asked.user} /> signs
              nothing more at once, and forms and URLs that it has signed are of no use. This cannot
              be taken back.
            </>
          }
          action="Delete"
          onClose={() => setAsked(undefined)}
          onConfirm={() => void remove(asked)}
        />
      )}
    </div>
  );
}

function isFound({ accessKeyId, user }: AccessKey, filter: string): boolean {
  const wanted = filter.toLowerCase();
  return [accessKeyId, user].some((text) => text.toLowerCase().includes(wanted));
}
