import { useEffect, useMemo, useRef } from 'preact/hooks';
import { text } from '../../../shared/client/index.ts';
import { CopyButton } from '../../parts/copy-button.tsx';
import { ErrorNotice } from '../../parts/notice.tsx';
import { StoredText } from '../../parts/stored-text.tsx';
import { current } from '../../session.ts';
import { onDocumentChanges } from './document-changes.ts';
import { OpenDocument } from './open-document.ts';
import { OpenedDocument } from './opened-document.tsx';

/** One document: read, followed, and shown. */
export function DocumentPanel(props: {
  documentKey: string;
  /** Chosen just now by the person, who goes on there. */
  takesFocus: boolean;
  onClose: () => void;
  /** It was created or deleted here. */
  onThere: (key: string, isThere: boolean) => void;
}) {
  const { documentKey, takesFocus, onClose, onThere } = props;
  const open = useMemo(
    () => new OpenDocument(current().client.documentsAs(text), documentKey),
    [documentKey],
  );
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    const stop = onDocumentChanges({
      onChanges(changes) {
        const change = changes.get(documentKey);
        if (change) open.hear(change);
      },
      onMissed: () => open.suspect(),
    });
    void open.load();
    return () => {
      stop();
      open.close();
    };
  }, [open, documentKey]);

  useEffect(() => {
    if (takesFocus) heading.current?.focus();
  }, [takesFocus]);

  const phase = open.phase.value;
  return (
    <section class="panel document" aria-label="Document">
      <div class="toolbar title">
        <h2 ref={heading} tabIndex={-1}>
          <StoredText text={documentKey} />
        </h2>
        <CopyButton text={documentKey} what="Key" />
      </div>
      {phase.kind === 'loading' && <p class="hint">Reading the document …</p>}
      {phase.kind === 'failed' && <ErrorNotice error={phase.error} onRetry={() => open.load()} />}
      {phase.kind === 'missing' && (
        <div class="notice" role="status">
          <p>There is no such document: it was deleted, or the link is wrong.</p>
          <button type="button" onClick={onClose}>
            Close
          </button>
        </div>
      )}
      {phase.kind === 'open' && <OpenedDocument open={open} onClose={onClose} onThere={onThere} />}
    </section>
  );
}
