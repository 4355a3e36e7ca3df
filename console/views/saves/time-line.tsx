import { useState } from 'preact/hooks';
import type { SaveVersion } from '../../../shared/client/index.ts';
import { formatBytes, formatCount, formatTime } from '../../parts/amounts.ts';
import { formatDuration } from '../../parts/durations.ts';
import { StoredText } from '../../parts/stored-text.tsx';
import { href } from '../../router.ts';
import { placeQuery, type SavePlace } from './save-place.ts';
import {
  describeMissing,
  type KeptEntry,
  newestOf,
  placeOf,
  type TimeLineEntry,
  timeLine,
} from './time-line-entries.ts';

/** A slot may have 99,999 versions. */
const SHOWN_AT_ONCE = 100;
/** Above the chosen one, where it is far down. */
const SHOWN_ABOVE = 20;

/** The newest first, the further apart the longer the pause. */
export function TimeLine(props: {
  kept: readonly SaveVersion[];
  latest: number;
  keepVersions: number | undefined;
  place: SavePlace;
  onChoose: () => void;
}) {
  const { kept, latest, keepVersions, place, onChoose } = props;
  const entries = timeLine(kept, latest);
  const chosen = entries.findIndex(
    (entry) => entry.kind === 'kept' && entry.save.version === place.version,
  );
  const [upTo, setUpTo] = useState(chosen < SHOWN_AT_ONCE ? undefined : above(chosen, entries));
  const [most, setMost] = useState(SHOWN_AT_ONCE);
  const start = upTo === undefined ? 0 : placeOf(upTo, entries);
  const left = entries.length - start - most;

  function showNewer(): void {
    const from = Math.max(0, start - SHOWN_AT_ONCE);
    const first = entries[from];
    // What is saved from now on is wanted, too, once the newest are shown.
    setUpTo(from > 0 && first ? newestOf(first) : undefined);
    setMost(most + start - from);
  }

  return (
    <>
      {start > 0 && (
        <button type="button" onClick={showNewer}>
          Show newer versions ({formatCount(start)} more)
        </button>
      )}
      <ol class="plain time-line" aria-label="Versions, the newest first">
        {entries.slice(start, start + most).map((entry) =>
          entry.kind === 'missing' ? (
            <li key={`missing ${entry.first}`} class="missing">
              {describeMissing(entry, keepVersions)}
            </li>
          ) : (
            <Version
              key={entry.save.version}
              entry={entry}
              isLatest={entry.save.version === latest}
              place={place}
              onChoose={onChoose}
            />
          ),
        )}
      </ol>
      {left > 0 && (
        <button type="button" onClick={() => setMost(most + SHOWN_AT_ONCE)}>
          Show older versions ({formatCount(left)} more)
        </button>
      )}
    </>
  );
}

function above(chosen: number, entries: readonly TimeLineEntry[]): number | undefined {
  const first = entries[chosen - SHOWN_ABOVE];
  return first && newestOf(first);
}

function Version(props: {
  entry: KeptEntry;
  isLatest: boolean;
  place: SavePlace;
  onChoose: () => void;
}) {
  const { entry, isLatest, place, onChoose } = props;
  const { version, size, etag, time } = entry.save;
  const isChosen = version === place.version;
  const query = placeQuery({ ...place, version, compare: undefined });
  return (
    <li class={isChosen ? 'chosen' : undefined} style={{ paddingBottom: `${entry.gapPx}px` }}>
      <p class="saves-line">
        <a
          href={href('saves', query)}
          aria-current={isChosen ? 'true' : undefined}
          onClick={onChoose}
        >
          Version {version}
        </a>
        {isLatest && <span class="badge">latest</span>}
        <span title={`${formatCount(size)} bytes`}>{formatBytes(size)}</span>
        {entry.since && <span class="muted">{sizeChange(entry.since.sizeChange)}</span>}
      </p>
      <p>
        <time dateTime={time} title={time}>
          {formatTime(time)}
        </time>
      </p>
      {entry.since && (
        <p class="muted">
          {formatDuration(entry.since.ms)} {entry.since.ms < 0 ? 'before' : 'after'} version{' '}
          {entry.since.version}
        </p>
      )}
      <p class="muted saves-etag">
        ETag <StoredText text={etag} />
      </p>
    </li>
  );
}

function sizeChange(bytes: number): string {
  if (bytes === 0) return 'same size';
  return `${bytes > 0 ? '+' : '−'}${formatBytes(Math.abs(bytes))}`;
}
