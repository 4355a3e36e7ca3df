import { useEffect, useRef, useState } from 'preact/hooks';
import { KeystowClientError, type UploadProgress } from '../../../shared/client/index.ts';
import { sendForm } from '../../api/send-form.ts';
import { formatBytes } from '../../parts/amounts.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { isAbort } from '../../parts/explain.ts';
import { ErrorNotice } from '../../parts/notice.tsx';
import { announce } from '../../parts/toasts.tsx';
import { current } from '../../session.ts';
import type { SaveFolder } from './save-change.ts';

/** A file of one's own as the next version of a slot. */
export function UploadNext(props: {
  folder: SaveFolder;
  slot: string;
  next: number;
  onSaved: () => void;
}) {
  const { folder, slot, next, onSaved } = props;
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        Upload version {next} …
      </button>
      {isOpen && (
        <Dialog title={`Upload version ${next} of slot ${slot}`} onClose={() => setOpen(false)}>
          <UploadFile
            folder={folder}
            slot={slot}
            onClose={() => setOpen(false)}
            onSaved={(version) => {
              setOpen(false);
              announce({ text: `Version ${version} was saved.` });
              onSaved();
            }}
          />
        </Dialog>
      )}
    </>
  );
}

function UploadFile(props: {
  folder: SaveFolder;
  slot: string;
  onClose: () => void;
  onSaved: (version: number) => void;
}) {
  const { folder, slot, onClose, onSaved } = props;
  const [progress, setProgress] = useState<UploadProgress>();
  const [error, setError] = useState<unknown>();
  const upload = useRef<AbortController>(undefined);
  useEffect(() => () => upload.current?.abort(), []);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (progress) return;
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const file = new FormData(event.currentTarget).get('file');
    if (!(file instanceof File)) return;
    const sending = new AbortController();
    upload.current = sending;
    setError(undefined);
    setProgress({ sent: 0, total: file.size });
    try {
      onSaved(await saveNext(folder, slot, file, setProgress, sending.signal));
    } catch (reason) {
      if (!isAbort(reason)) setError(reason);
      setProgress(undefined);
    }
  }

  return (
    <form onSubmit={submit}>
      <p>The file becomes the newest version. What was saved before stays as it is.</p>
      <label>
        File
        <input type="file" name="file" required disabled={progress !== undefined} />
      </label>
      {progress && (
        <label>
          {formatBytes(progress.sent)} of {formatBytes(progress.total)}
          <progress value={progress.sent} max={Math.max(1, progress.total)} />
        </label>
      )}
      <ErrorNotice error={error} />
      <div class="actions">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" class="primary" aria-disabled={progress !== undefined}>
          Upload
        </button>
      </div>
    </form>
  );
}

/** Resolves with the number that it got. */
async function saveNext(
  { bucket, prefix, n }: SaveFolder,
  slot: string,
  file: File,
  onProgress: (progress: UploadProgress) => void,
  signal: AbortSignal,
): Promise<number> {
  const saves = current().client.saves(bucket, { prefix, n });
  const form = await saves.sign(slot, { size: file.size }, { signal });
  await sendForm(bucket, form, file, { onProgress, signal }).catch((error) => {
    throw isOvertaken(error)
      ? new Error(`${error.message} Look at the time line, then upload again.`)
      : error;
  });
  return form.version;
}

/** The form was signed, so no grant is missing. */
function isOvertaken(error: unknown): error is KeystowClientError {
  return error instanceof KeystowClientError && error.s3Code === 'AccessDenied';
}
