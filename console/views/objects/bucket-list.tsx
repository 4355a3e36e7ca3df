import { useEffect, useRef, useState } from 'preact/hooks';
import { deleteBucket, listBuckets } from '../../api/buckets.ts';
import { formatTime } from '../../parts/amounts.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { ErrorNotice } from '../../parts/notice.tsx';
import { StoredText } from '../../parts/stored-text.tsx';
import { announce } from '../../parts/toasts.tsx';
import { useRead } from '../../parts/use-read.ts';
import { current } from '../../session.ts';
import { NewBucketDialog } from './new-bucket.tsx';
import { hrefOf } from './places.ts';

export function BucketList() {
  const { value: buckets, error, reload } = useRead('buckets', listBuckets);
  const [isMaking, setMaking] = useState(false);
  const [leaving, setLeaving] = useState<string>();
  const reloading = useRef<HTMLButtonElement>(null);
  const { isAdmin } = current();

  useEffect(() => {
    // The row that had the focus is gone with its bucket.
    if (document.activeElement === document.body) reloading.current?.focus();
  }, [buckets]);

  return (
    <>
      <div class="toolbar">
        {isAdmin && (
          <button type="button" class="primary" onClick={() => setMaking(true)}>
            New bucket
          </button>
        )}
        <button ref={reloading} type="button" onClick={reload}>
          Reload
        </button>
      </div>
      <ErrorNotice error={error} onRetry={reload} />
      {!buckets && !error && <p class="muted">Reading the buckets …</p>}
      {buckets?.length === 0 && <p class="notice">{isAdmin ? NONE : NONE_FOR_MEMBERS}</p>}
      {buckets && buckets.length > 0 && (
        <div class="panel bucket-list">
          <table>
            <caption class="visually-hidden">Buckets</caption>
            <thead>
              <tr>
                <th scope="col">Bucket</th>
                <th scope="col">Who else may use it</th>
                <th scope="col" class="wide">
                  Made
                </th>
                {isAdmin && (
                  <th scope="col">
                    <span class="visually-hidden">What can be done</span>
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {buckets.map(({ name, acl, saves, createdAt }) => (
                <tr key={name}>
                  <th scope="row">
                    <a href={hrefOf({ bucket: name })}>
                      <StoredText text={name} />
                    </a>
                    {saves && (
                      <>
                        {' '}
                        <span class="badge">saves</span>
                      </>
                    )}
                  </th>
                  <td>{acl}</td>
                  <td class="wide">{formatTime(createdAt)}</td>
                  {isAdmin && (
                    <td class="number">
                      <button
                        type="button"
                        class="danger"
                        aria-label={`Delete the bucket ${name}`}
                        onClick={() => setLeaving(name)}
                      >
                        Delete
                      </button>
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {isMaking && (
        <NewBucketDialog
          taken={(buckets ?? []).map(({ name }) => name)}
          onClose={() => setMaking(false)}
          onMade={() => {
            setMaking(false);
            void reload();
          }}
        />
      )}
      {leaving !== undefined && (
        <DeleteBucketDialog
          name={leaving}
          onClose={() => setLeaving(undefined)}
          onDeleted={() => {
            setLeaving(undefined);
            void reload();
          }}
        />
      )}
    </>
  );
}

const NONE = 'There is no bucket yet: make one, and upload files to it.';
const NONE_FOR_MEMBERS =
  'Your grants cover no bucket: ask an admin for a grant such as read of uploads/.';

function DeleteBucketDialog(props: { name: string; onClose: () => void; onDeleted: () => void }) {
  const { name, onClose, onDeleted } = props;
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);

  async function confirm(): Promise<void> {
    if (isBusy) return;
    setBusy(true);
    setError(undefined);
    try {
      await deleteBucket(name);
      announce({ text: `The bucket ${name} was deleted.` });
      onDeleted();
    } catch (reason) {
      setError(reason);
      setBusy(false);
    }
  }

  return (
    <Dialog title="Delete this bucket?" onClose={onClose}>
      <p class="breaks">
        <StoredText text={name} /> goes with its settings. Only an empty bucket can be deleted.
      </p>
      <ErrorNotice error={error} />
      <div class="actions">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" class="danger" aria-disabled={isBusy} onClick={confirm}>
          Delete the bucket
        </button>
      </div>
    </Dialog>
  );
}
