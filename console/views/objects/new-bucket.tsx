import { useState } from 'preact/hooks';
import { type BucketAcl, bucketAcls, makeBucket, type NewBucket } from '../../api/buckets.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { ErrorNotice } from '../../parts/notice.tsx';
import { announce } from '../../parts/toasts.tsx';

const MEANING: Readonly<Record<BucketAcl, string>> = {
  private: 'nobody else',
  'public-read': 'anybody lists it',
  'public-read-write': 'anybody lists it, uploads and deletes',
  'authenticated-read': 'who is signed in lists it',
};

export function NewBucketDialog(props: {
  taken: readonly string[];
  onClose: () => void;
  onMade: () => void;
}) {
  const [hasSaves, setSaves] = useState(false);
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (isBusy) return;
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const data = new FormData(event.currentTarget);
    const name = String(data.get('name')).trim();
    setBusy(true);
    setError(undefined);
    try {
      // The same request changes a bucket that is there.
      if (props.taken.includes(name))
        throw new Error(`There is a bucket ${name}: choose another name.`);
      const isNew = await makeBucket(name, settingsOf(data));
      announce({
        text: isNew
          ? `The bucket ${name} was made.`
          : `Somebody else has just made ${name}: it has your settings now.`,
      });
      props.onMade();
    } catch (reason) {
      setError(reason);
      setBusy(false);
    }
  }

  return (
    <Dialog title="New bucket" onClose={props.onClose}>
      <form onSubmit={submit}>
        <label>
          Name
          <input name="name" required maxLength={63} autocomplete="off" spellcheck={false} />
        </label>
        <p class="hint">3 to 63 lower-case letters, digits, dots and hyphens.</p>
        <label>
          Who else may use it
          <select name="acl">
            {bucketAcls.map((acl) => (
              <option key={acl} value={acl}>
                {acl}: {MEANING[acl]}
              </option>
            ))}
          </select>
        </label>
        <label class="inline">
          <input
            type="checkbox"
            name="saves"
            onChange={(event) => setSaves(event.currentTarget.checked)}
          />
          For saves, whose versions are numbered
        </label>
        {hasSaves && (
          <>
            <label>
              Prefix of the saves’ keys (may be left out)
              <input name="savePrefix" maxLength={512} autocomplete="off" spellcheck={false} />
            </label>
            <label>
              Versions of a slot to keep (all, if left out)
              <input name="keepVersions" type="number" min={1} max={99_999} />
            </label>
          </>
        )}
        <ErrorNotice error={error} />
        <div class="actions">
          <button type="button" onClick={props.onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" aria-disabled={isBusy}>
            Make the bucket
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function settingsOf(data: FormData): NewBucket {
  const text = (name: string): string => String(data.get(name) ?? '');
  const acl = bucketAcls.find((known) => known === text('acl')) ?? 'private';
  if (!data.has('saves')) return { acl };
  const [savePrefix, keepVersions] = [text('savePrefix'), text('keepVersions')];
  return {
    acl,
    saves: true,
    ...(savePrefix === '' ? {} : { savePrefix }),
    ...(keepVersions === '' ? {} : { keepVersions: Number(keepVersions) }),
  };
}
