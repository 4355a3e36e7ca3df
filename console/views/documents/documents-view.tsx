import { useRef, useState } from 'preact/hooks';
import { go, replace, route } from '../../router.ts';
import { DocumentPanel } from './document-panel.tsx';
import './documents.css';
import { KeyList, KeySearch } from './key-list.tsx';
import { NewDocumentDialog } from './new-document-dialog.tsx';
import { useKeys } from './use-keys.ts';

/** The keys on the left, the document that is chosen on the right. Both are in the fragment. */
export function DocumentsView() {
  const { query } = route.value;
  const prefix = query.get('prefix') ?? '';
  const key = query.get('key');
  const keys = useKeys(prefix);
  const [isCreating, setCreating] = useState(false);
  const chosen = useRef<string | undefined>(undefined);
  const search = useRef<HTMLDivElement>(null);

  const open = (to: string): void => {
    chosen.current = to;
    setCreating(false);
    go('documents', { prefix: prefix || undefined, key: to });
  };
  const find = (to: string): void => {
    // Another key may have been chosen since the last letter.
    replace('documents', { prefix: to || undefined, key: route.value.query.get('key') });
  };
  const close = (): void => {
    // A deletion that took long must not close what was opened meanwhile.
    if (route.value.view !== 'documents' || route.value.query.get('key') !== key) return;
    replace('documents', { prefix: route.value.query.get('prefix') });
    search.current?.querySelector('input')?.focus();
  };
  const onThere = (changed: string, isThere: boolean): void => {
    keys.note(changed, isThere);
    const { view, query: now } = route.value;
    if (isThere && view === 'documents' && !now.has('key')) open(changed);
  };

  return (
    <div class="split documents">
      <section class="column" aria-label="Documents by key" ref={search}>
        <KeySearch prefix={prefix} onPrefix={find} />
        <div class="toolbar">
          <button type="button" class="primary" onClick={() => setCreating(true)}>
            New document
          </button>
        </div>
        <KeyList prefix={prefix} keys={keys} chosen={key} onChoose={open} />
      </section>
      {key === undefined ? (
        <p class="hint">Choose a document to read and change it.</p>
      ) : (
        <DocumentPanel
          key={key}
          documentKey={key}
          takesFocus={chosen.current === key}
          onClose={close}
          onThere={onThere}
        />
      )}
      {isCreating && (
        <NewDocumentDialog
          prefix={prefix}
          onCreated={(created) => {
            keys.note(created, true);
            open(created);
          }}
          onOpen={open}
          onClose={() => setCreating(false)}
        />
      )}
    </div>
  );
}
