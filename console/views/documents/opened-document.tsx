import { useEffect, useState } from 'preact/hooks';
import { text as asText } from '../../../shared/client/index.ts';
import { numberOf } from '../../api/revision.ts';
import { formatBytes, formatCount } from '../../parts/amounts.ts';
import { CopyButton } from '../../parts/copy-button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { ErrorNotice } from '../../parts/notice.tsx';
import { announce } from '../../parts/toasts.tsx';
import { current } from '../../session.ts';
import { ConflictDialog } from './conflict-dialog.tsx';
import { offerUndo } from './deletion.ts';
import { formatJson } from './format-json.ts';
import { JsonEditor } from './json-editor.tsx';
import type { OpenDocument } from './open-document.ts';
import { inspect, sentenceOf, useInspection } from './use-inspection.ts';
import { useUnsaved } from './use-unsaved.ts';

/** What a document says, in an editor, and what can be done with it. */
export function OpenedDocument(props: {
  open: OpenDocument;
  onClose: () => void;
  onThere: (key: string, isThere: boolean) => void;
}) {
  const { open, onClose, onThere } = props;
  const { key, draft, base } = open;
  const { problem, bytes } = useInspection(draft.value);
  const [leave, setLeave] = useState<Leave>();
  const isUnsaved = open.isEdited.value;
  const isGone = open.isGone.value;
  useUnsaved(isUnsaved, key, (proceed) => setLeave({ proceed }));
  /** At once, where nothing that is only here would be lost. */
  const askFirst = (then: Leave): void => {
    if (isUnsaved) setLeave(then);
    else then.proceed();
  };

  function showSaved(isSaved: boolean): void {
    if (!isSaved) return;
    onThere(key, true);
    announce({ text: `Saved as number ${numberOf(base.value.etag)}.` });
  }

  async function save(): Promise<void> {
    const { problem: wrong } = inspect(draft.value);
    if (wrong) announce({ text: `Not saved. ${sentenceOf(wrong)}` });
    else if (!open.isEdited.value && !open.isGone.value) {
      announce({ text: 'There is nothing to save.' });
    } else showSaved(await open.save());
  }
  useSaveKeys(save);

  function format(): void {
    const formatted = formatJson(draft.value);
    if (formatted === undefined)
      announce({ text: 'Only valid JSON of a sensible size has a form.' });
    else draft.value = formatted;
  }

  async function remove(): Promise<void> {
    const documents = current().client.documentsAs(asText);
    const { text } = base.value;
    const deletion = await open.remove();
    if (deletion === 'changed') {
      announce({ text: 'Not deleted: someone else was quicker. See what is there now.' });
    }
    if (deletion !== 'done') return;
    onThere(key, false);
    offerUndo({ documents, key, text, onRestored: () => onThere(key, true) });
    onClose();
  }

  const isBlocked = problem !== undefined || !(isUnsaved || isGone) || open.isBusy.value;
  return (
    <>
      <p class="hint">
        Number {numberOf(base.value.etag)} · {formatBytes(bytes)}
        {bytes >= 1024 && ` (${formatCount(bytes)} bytes)`}
        {isUnsaved && <strong> · Not saved</strong>}
      </p>
      <div class="news" role="status">
        <NewsNotice open={open} onClose={() => askFirst({ proceed: onClose })} />
      </div>
      {!open.conflict.value && <ErrorNotice error={open.error.value} />}
      <JsonEditor label="Document as JSON" draft={draft} mark={problem} />
      <p class={problem ? 'problem' : 'hint'} role="status">
        {problem ? sentenceOf(problem) : 'Valid JSON. Ctrl+S or ⌘S saves, Tab leaves the editor.'}
      </p>
      <div class="actions">
        <button
          type="button"
          class="danger"
          aria-disabled={isGone || open.isBusy.value}
          onClick={() => {
            if (isGone) announce({ text: 'It is deleted already.' });
            else askFirst({ proceed: () => void remove(), action: 'Delete the document' });
          }}
        >
          Delete
        </button>
        <CopyButton text={() => draft.value} what="Document" />
        <button type="button" aria-disabled={!isUnsaved} onClick={() => open.revert()}>
          Revert
        </button>
        <button type="button" aria-disabled={problem !== undefined} onClick={format}>
          Format
        </button>
        <button type="button" class="primary" aria-disabled={isBlocked} onClick={() => void save()}>
          {isGone ? 'Create again' : 'Save'}
        </button>
      </div>
      <ConflictDialog
        open={open}
        onOverwrite={() => void open.overwrite().then(showSaved)}
        onDropped={onClose}
      />
      {leave && <LeaveDialog {...leave} onClose={() => setLeave(undefined)} />}
    </>
  );
}

function NewsNotice({ open, onClose }: { open: OpenDocument; onClose: () => void }) {
  const news = open.news.value;
  const dismiss = (): void => {
    open.news.value = undefined;
  };
  if (!news) return null;
  if (news.kind === 'renewed') {
    return (
      <div class="notice">
        <p>Changed by someone else: this is number {numberOf(news.etag)} now.</p>
        <button type="button" class="quiet" aria-label="Dismiss the note" onClick={dismiss}>
          ×
        </button>
      </div>
    );
  }
  if (news.kind === 'changed') {
    return (
      <div class="notice">
        <p>
          Changed by someone else, to number {numberOf(news.theirs.etag)}. What you have written is
          kept.
        </p>
        <button type="button" onClick={() => void open.compare()}>
          Compare and choose
        </button>
      </div>
    );
  }
  return (
    <div class="notice">
      <p>Deleted by someone else. The text below is only here: create it again, or close it.</p>
      <button type="button" onClick={onClose}>
        Close the document
      </button>
    </div>
  );
}

interface Leave {
  readonly proceed: () => void;
  readonly action?: string;
}

function LeaveDialog(props: Leave & { onClose: () => void }) {
  const { proceed, action = 'Drop my changes', onClose } = props;
  return (
    <Dialog title="Drop what is not saved?" onClose={onClose}>
      <p>You have changed this document and not saved it.</p>
      <div class="actions">
        <button type="button" onClick={onClose}>
          Keep editing
        </button>
        <button
          type="button"
          class="danger"
          onClick={() => {
            onClose();
            proceed();
          }}
        >
          {action}
        </button>
      </div>
    </Dialog>
  );
}

/** Wherever the focus is, but for dialogs: the browser would save the page. */
function useSaveKeys(save: () => Promise<void>): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      const isChord = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
      if (!isChord || event.key.toLowerCase() !== 's') return;
      event.preventDefault();
      if (!document.querySelector('dialog[open]')) void save();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  });
}
