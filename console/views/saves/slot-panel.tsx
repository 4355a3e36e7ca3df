import { useEffect, useRef } from 'preact/hooks';
import type { Bucket } from '../../api/buckets.ts';
import { onChange } from '../../live.ts';
import { countOf } from '../../parts/amounts.ts';
import { ErrorNotice } from '../../parts/notice.tsx';
import { useRead } from '../../parts/use-read.ts';
import { type SaveFolder, saveChange } from './save-change.ts';
import type { SavePlace } from './save-place.ts';
import { readSlot, type SlotState } from './slot-state.ts';
import { TimeLine } from './time-line.tsx';
import { UnusedSlot } from './unused-slot.tsx';
import { UploadNext } from './upload-next.tsx';
import { VersionPanel } from './version-panel.tsx';

/** All versions are read anew, however many others save. */
const PAUSE_MS = 1_000;

/** A slot: its versions on a time line, and the one that is chosen. */
export function SlotPanel(props: {
  bucket: Bucket;
  folder: SaveFolder;
  slot: string;
  place: SavePlace;
}) {
  const { bucket, folder, slot, place } = props;
  const { value: state, error, reload } = useRead(slot, (signal) => readSlot(folder, slot, signal));
  /** A version that was chosen here takes the focus; one that a link leads to does not. */
  const takesFocus = useRef(false);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let readAt = -PAUSE_MS;
    const stop = onChange((item) => {
      const isNews = item.type === 'begin' || item.type === 'resync';
      if (!isNews && saveChange(item.url, folder)?.slot !== slot) return;
      timer ??= setTimeout(
        async () => {
          await reload();
          [timer, readAt] = [undefined, performance.now()];
        },
        Math.max(0, readAt + PAUSE_MS - performance.now()),
      );
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [folder.bucket, folder.prefix, folder.n, slot]);

  if (error !== undefined) return <ErrorNotice error={error} onRetry={reload} />;
  if (!state) return <p class="muted">Reading the slot …</p>;
  const latest = state.kind === 'used' ? state.latest : 0;
  return (
    <section class="saves-detail" aria-labelledby="saves-slot">
      <div class="saves-history">
        <div class="toolbar">
          <h2 id="saves-slot">
            Slot <span class="mono">{slot}</span>
          </h2>
          <UploadNext folder={folder} slot={slot} next={latest + 1} onSaved={reload} />
        </div>
        <p class="muted" role="status">
          {summary(state)}
        </p>
        {state.kind === 'used' ? (
          <TimeLine
            kept={state.kept}
            latest={state.latest}
            keepVersions={bucket.keepVersions}
            place={place}
            onChoose={() => {
              takesFocus.current = true;
            }}
          />
        ) : (
          <UnusedSlot slot={slot} nearest={state.nearest} place={place} />
        )}
      </div>
      {state.kind === 'used' && place.version !== undefined && (
        <VersionPanel
          bucket={bucket}
          folder={folder}
          slot={slot}
          state={state}
          version={place.version}
          place={place}
          takesFocus={takesFocus}
          onRestored={reload}
        />
      )}
    </section>
  );
}

function summary(state: SlotState): string {
  if (state.kind === 'unused') return 'Nothing was ever saved here.';
  const { kept, latest } = state;
  if (kept.length === 0) return `No version is kept; the latest was ${latest}.`;
  return `${countOf(kept.length, 'kept version')}, the latest is ${latest}.`;
}
