import { useEffect, useRef, useState } from 'preact/hooks';
import { deleteObject } from '../../api/objects.ts';
import { countOf, formatCount } from '../../parts/amounts.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { ErrorNotice } from '../../parts/notice.tsx';
import { StoredText } from '../../parts/stored-text.tsx';
import { announce } from '../../parts/toasts.tsx';
import { visible } from '../../parts/visible.ts';

/** Of those that are asked about, so many are named. */
const NAMED = 8;
const AT_A_TIME = 4;

export function DeleteObjectsDialog(props: {
  bucket: string;
  keys: readonly string[];
  onClose: () => void;
  onDeleted: () => void;
}) {
  const { bucket, onClose, onDeleted } = props;
  // What others delete meanwhile does not change what was asked.
  const [keys] = useState(props.keys);
  const [done, setDone] = useState<number>();
  const [error, setError] = useState<unknown>();
  const left = useRef(new Set(keys));
  const isOpen = useRef(true);
  useEffect(
    () => () => {
      isOpen.current = false;
    },
    [],
  );

  async function confirm(): Promise<void> {
    if (done !== undefined) return;
    setError(undefined);
    setDone(keys.length - left.current.size);
    const waiting = [...left.current];
    const work = async (): Promise<void> => {
      for (let key = waiting.pop(); key !== undefined && isOpen.current; key = waiting.pop()) {
        await deleteObject(bucket, key);
        left.current.delete(key);
        setDone(keys.length - left.current.size);
      }
    };
    const results = await Promise.allSettled(Array.from({ length: AT_A_TIME }, work));
    const failed = results.find((result) => result.status === 'rejected');
    if (!isOpen.current) return;
    setDone(undefined);
    if (failed) return setError(failed.reason);
    announce({
      text:
        keys.length === 1
          ? 'The object was deleted.'
          : `${countOf(keys.length, 'object')} were deleted.`,
    });
    onDeleted();
  }

  const [only = ''] = keys;
  return (
    <Dialog
      title={
        keys.length === 1 ? 'Delete this object?' : `Delete ${countOf(keys.length, 'object')}?`
      }
      onClose={onClose}
    >
      {keys.length === 1 ? (
        <p class="breaks">
          <StoredText text={only} /> cannot be brought back.
        </p>
      ) : (
        <>
          <ul class="named breaks">
            {keys.slice(0, NAMED).map((key) => (
              <li key={key}>
                <StoredText text={key} />
              </li>
            ))}
            {keys.length > NAMED && <li>and {formatCount(keys.length - NAMED)} more</li>}
          </ul>
          <p>They cannot be brought back.</p>
        </>
      )}
      {done !== undefined && keys.length > 1 && (
        <progress value={done} max={keys.length} aria-label="Deleted" />
      )}
      <ErrorNotice error={error} />
      <div class="actions">
        <button type="button" onClick={onClose}>
          {done === undefined ? 'Cancel' : 'Stop'}
        </button>
        <button
          type="button"
          class="danger"
          aria-disabled={done !== undefined}
          aria-label={keys.length === 1 ? `Delete ${visible(only)}` : undefined}
          onClick={confirm}
        >
          Delete
        </button>
      </div>
    </Dialog>
  );
}
