import { numberOf } from '../../api/revision.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { ErrorNotice } from '../../parts/notice.tsx';
import { StoredText } from '../../parts/stored-text.tsx';
import { visible } from '../../parts/visible.ts';
import type { OpenDocument, Version } from './open-document.ts';
import { textDifference } from './text-difference.ts';

/** Of what is the same before and behind: a browser lays out a megabyte slowly. */
const MOST_SAME_CHARS = 10_000;

/** Someone else was quicker: what is stored, what is written here, and who wins. */
export function ConflictDialog(props: {
  open: OpenDocument;
  onOverwrite: () => void;
  onDropped: () => void;
}) {
  const { open, onOverwrite, onDropped } = props;
  const conflict = open.conflict.value;
  if (!conflict) return null;
  const close = (): void => {
    open.conflict.value = undefined;
  };
  return conflict.kind === 'deleted' ? (
    <Deleted open={open} onClose={close} onOverwrite={onOverwrite} onDropped={onDropped} />
  ) : (
    <Changed
      open={open}
      theirs={conflict.theirs}
      isAgain={conflict.isAgain}
      onClose={close}
      onOverwrite={onOverwrite}
    />
  );
}

function Changed(props: {
  open: OpenDocument;
  theirs: Version;
  isAgain: boolean;
  onClose: () => void;
  onOverwrite: () => void;
}) {
  const { open, theirs, isAgain, onClose, onOverwrite } = props;
  const isBusy = open.isBusy.value;
  const { head, before, after, tail } = textDifference(open.draft.value, theirs.text);
  return (
    <Dialog title="Changed by someone else" onClose={onClose}>
      <p class="breaks" role="status">
        <StoredText text={open.key} />{' '}
        {isAgain
          ? 'was changed once more before yours was saved. Choose again.'
          : 'was changed while you edited it. Nothing of yours is saved or lost yet.'}
      </p>
      <ErrorNotice error={open.error.value} />
      <div class="compared">
        <Side title="Yours, not saved" head={head} middle={before} tail={tail} />
        <Side
          title={`Theirs, number ${numberOf(theirs.etag)}`}
          head={head}
          middle={after}
          tail={tail}
        />
      </div>
      <div class="actions">
        <button type="button" onClick={() => open.editOnTop()}>
          Keep editing on top of theirs
        </button>
        <button type="button" onClick={() => open.takeTheirs()}>
          Take theirs, drop mine
        </button>
        <button type="button" class="danger" aria-disabled={isBusy} onClick={onOverwrite}>
          Overwrite theirs with mine
        </button>
      </div>
    </Dialog>
  );
}

function Side(props: { title: string; head: string; middle: string; tail: string }) {
  const { title, head, middle, tail } = props;
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse scrolls it with the keyboard */}
      <pre tabIndex={0}>
        {head.length > MOST_SAME_CHARS ? `… ${shown(head.slice(-MOST_SAME_CHARS))}` : shown(head)}
        {middle && <mark>{shown(middle)}</mark>}
        {shown(tail.slice(0, MOST_SAME_CHARS))}
        {tail.length > MOST_SAME_CHARS && ' …'}
      </pre>
    </section>
  );
}

/** What cannot be seen is named, but for the ends of lines. */
function shown(text: string): string {
  return text.replace(/[^\t\n]+/g, (part) => visible(part));
}

function Deleted(props: {
  open: OpenDocument;
  onClose: () => void;
  onOverwrite: () => void;
  onDropped: () => void;
}) {
  const { open, onClose, onOverwrite, onDropped } = props;
  return (
    <Dialog title="Deleted by someone else" onClose={onClose}>
      <p class="breaks">
        <StoredText text={open.key} /> was deleted while you edited it. Your text is only here.
      </p>
      <ErrorNotice error={open.error.value} />
      <div class="actions">
        <button type="button" onClick={onClose}>
          Keep editing
        </button>
        <button type="button" class="danger" onClick={onDropped}>
          Drop mine
        </button>
        <button
          type="button"
          class="primary"
          aria-disabled={open.isBusy.value}
          onClick={onOverwrite}
        >
          Create it again
        </button>
      </div>
    </Dialog>
  );
}
