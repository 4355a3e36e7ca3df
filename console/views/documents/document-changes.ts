import type { Change } from '../../../shared/client/index.ts';
import { onChange } from '../../live.ts';

const DATA = '/data/';
/** More between two frames, as of a tab that nobody sees, is as good as having missed them. */
const MOST_KEYS = 10_000;

export interface DocumentListener {
  /** The last change of each key since the last call: once in a frame at most, however many there are. */
  readonly onChanges: (changes: ReadonlyMap<string, Change>) => void;
  /** Changes were missed, or the feed begins only now: what is shown may be old. */
  readonly onMissed: () => void;
}

/** Tells of changes to documents; returns what ends it. */
export function onDocumentChanges({ onChanges, onMissed }: DocumentListener): () => void {
  let gathered = new Map<string, Change>();
  let isMissed = false;
  let frame: number | undefined;

  const tell = (): void => {
    frame = undefined;
    const [changes, hasMissed] = [gathered, isMissed];
    [gathered, isMissed] = [new Map(), false];
    if (hasMissed) onMissed();
    else onChanges(changes);
  };

  const stop = onChange((item) => {
    if (item.type === 'begin' || item.type === 'resync') isMissed = true;
    else if (item.url.startsWith(DATA)) {
      gathered.set(decodeURIComponent(item.url.slice(DATA.length)), item);
    } else return;
    if (gathered.size > MOST_KEYS) isMissed = true;
    if (isMissed) gathered.clear();
    frame ??= requestAnimationFrame(tell);
  });

  return () => {
    stop();
    if (frame !== undefined) cancelAnimationFrame(frame);
  };
}
