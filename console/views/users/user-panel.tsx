import { useEffect, useRef, useState } from 'preact/hooks';
import type { AccessKey } from '../../api/access-keys.ts';
import type { User } from '../../api/user.ts';
import { deleteUser } from '../../api/users.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { ErrorNotice } from '../../parts/notice.tsx';
import { StoredText } from '../../parts/stored-text.tsx';
import { announce } from '../../parts/toasts.tsx';
import { visible } from '../../parts/visible.ts';
import { current, signOut } from '../../session.ts';
import { ChangeUser } from './change-user.tsx';
import { KeyTable } from './key-table.tsx';
import { MakeKey } from './make-key.tsx';

const DELETED = 'You have deleted the user that you were signed in as.';

/** All about the chosen user. */
export function UserPanel(props: {
  user: User;
  keys: readonly AccessKey[];
  reload: () => Promise<void>;
  onDeleted: () => void;
}) {
  const { user, keys, reload, onDeleted } = props;
  const [isAsking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>();
  const heading = useRef<HTMLHeadingElement>(null);
  const isOwn = user.name === current().username;
  useEffect(() => heading.current?.focus(), []);

  async function remove(): Promise<void> {
    setAsking(false);
    setError(undefined);
    try {
      await deleteUser(user.name);
    } catch (reason) {
      setError(reason);
      return;
    }
    if (isOwn) return signOut(DELETED);
    announce({ text: `The user ${visible(user.name)} was deleted.` });
    await reload();
    onDeleted();
  }

  return (
    <section class="panel" aria-label="The chosen user">
      <div class="toolbar apart">
        <h2 ref={heading} class="breaks" tabIndex={-1}>
          <StoredText text={user.name} />
        </h2>
        <button type="button" class="danger" onClick={() => setAsking(true)}>
          Delete the user
        </button>
      </div>
      <ErrorNotice error={error} />
      <ChangeUser user={user} onChanged={reload} />
      <div class="toolbar apart">
        <h3>Access keys</h3>
        <MakeKey user={user.name} onMade={reload} />
      </div>
      <p class="hint">
        They sign forms, URLs and requests of S3 clients as this user, within the same grants.
      </p>
      <KeyTable keys={keys} filter="" reload={reload} />
      {isAsking && (
        <Confirm
          title="Delete the user?"
          text={
            <>
              <StoredText text={user.name} /> is deleted, and {keysGoing(keys.length)} This cannot
              be taken back.{isOwn && ' It is the user that you are signed in as.'}
            </>
          }
          action="Delete"
          onClose={() => setAsking(false)}
          onConfirm={() => void remove()}
        />
      )}
    </section>
  );
}

function keysGoing(count: number): string {
  if (count === 0) return 'has no access keys that would go, too.';
  const keys = count === 1 ? '1 access key goes' : `${count} access keys go`;
  return `${keys} with it: what they have signed is of no use any more.`;
}
