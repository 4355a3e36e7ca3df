import { useEffect, useRef, useState } from 'preact/hooks';
import { KeystowClientError, text } from '../../../shared/client/index.ts';
import { MAX_KEY_BYTES } from '../../../shared/limits.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { explain } from '../../parts/explain.ts';
import { ErrorNotice } from '../../parts/notice.tsx';
import { announce } from '../../parts/toasts.tsx';
import { utf8Bytes } from '../../parts/utf8-bytes.ts';
import { visible } from '../../parts/visible.ts';
import { current } from '../../session.ts';

const BEGINNING = '{}';

/** Asks for a key, and creates an empty document there. */
export function NewDocumentDialog(props: {
  prefix: string;
  onCreated: (key: string) => void;
  onOpen: (key: string) => void;
  onClose: () => void;
}) {
  const { prefix, onCreated, onOpen, onClose } = props;
  const [key, setKey] = useState(prefix);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const input = useRef<HTMLInputElement>(null);
  const isClosed = useRef(false);
  useEffect(() => {
    input.current?.focus();
    return () => {
      isClosed.current = true;
    };
  }, []);
  const bytes = utf8Bytes(key);
  const isTooLong = bytes > MAX_KEY_BYTES;
  const isTaken = error instanceof KeystowClientError && error.code === 'already-exists';

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (isBusy || key === '' || isTooLong) return;
    setBusy(true);
    setError(undefined);
    try {
      await current().client.documentsAs(text).create(key, BEGINNING);
      if (isClosed.current) announce({ text: `Created ${visible(key)}.` });
      else onCreated(key);
    } catch (reason) {
      if (isClosed.current) return announce({ text: explain(reason) });
      setError(reason);
      setBusy(false);
    }
  }

  return (
    <Dialog title="New document" onClose={onClose}>
      <form onSubmit={submit}>
        <label>
          Key
          <input
            ref={input}
            class="mono"
            value={key}
            required
            spellcheck={false}
            autocomplete="off"
            autocapitalize="none"
            aria-invalid={isTooLong}
            aria-describedby="key-bytes"
            onInput={(event) => {
              setKey(event.currentTarget.value);
              setError(undefined);
            }}
          />
        </label>
        <p id="key-bytes" class={isTooLong ? 'problem' : 'hint'}>
          {bytes} of {MAX_KEY_BYTES} bytes{isTooLong ? ': shorten the key.' : ''}
        </p>
        {isTaken ? (
          <p class="notice error" role="alert">
            There is such a document already: open it, or choose another key.
          </p>
        ) : (
          <ErrorNotice error={error} />
        )}
        <div class="actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          {isTaken && (
            <button type="button" onClick={() => onOpen(key)}>
              Open it
            </button>
          )}
          <button type="submit" class="primary" aria-disabled={isBusy || key === '' || isTooLong}>
            Create
          </button>
        </div>
      </form>
    </Dialog>
  );
}
