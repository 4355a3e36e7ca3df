import { type Documents, KeystowClientError } from '../../../shared/client/index.ts';
import { explain } from '../../parts/explain.ts';
import { shortened } from '../../parts/stored-text.tsx';
import { announce } from '../../parts/toasts.tsx';
import { visible } from '../../parts/visible.ts';

/** The way back from a deletion: the very same text again, unless somebody was quicker. */

interface Deleted {
  readonly documents: Documents<string>;
  readonly key: string;
  readonly text: string;
  readonly onRestored: () => void;
}

export function offerUndo(deleted: Deleted): void {
  const run = (): void => void undo(deleted);
  announce({ text: `Deleted ${named(deleted.key)}.`, action: { label: 'Undo', run } });
}

async function undo(deleted: Deleted): Promise<void> {
  const { documents, key, text, onRestored } = deleted;
  try {
    await documents.create(key, text);
    announce({ text: `${named(key)} is back.` });
    onRestored();
  } catch (error) {
    if (error instanceof KeystowClientError && error.code === 'already-exists') {
      announce({ text: `Someone has created ${named(key)} again: theirs is kept.` });
      return;
    }
    const run = (): void => void undo(deleted);
    announce({ text: explain(error), action: { label: 'Try again', run } });
  }
}

/** Isolated, so that a key of another direction does not turn the sentence around. */
function named(key: string): string {
  return `\u2068${shortened(visible(key))}\u2069`;
}
