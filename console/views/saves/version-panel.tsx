import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Bucket } from '../../api/buckets.ts';
import { formatBytes, formatCount } from '../../parts/amounts.ts';
import { ErrorNotice } from '../../parts/notice.tsx';
import { useRead } from '../../parts/use-read.ts';
import { go, href, route } from '../../router.ts';
import { HexView } from './hex-view.tsx';
import { RestoreVersion } from './restore-version.tsx';
import { downloadSave, MAX_SHOWN_BYTES, readSave } from './save-bytes.ts';
import type { SaveFolder } from './save-change.ts';
import { placeQuery, readPlace, type SavePlace } from './save-place.ts';
import type { SlotState } from './slot-state.ts';

/** No list to choose from gets longer. */
const MAX_COMPARED = 500;

/** One version: its bytes, against those of another where that is wanted, and what can be done with it. */
export function VersionPanel(props: {
  bucket: Bucket;
  folder: SaveFolder;
  slot: string;
  state: Extract<SlotState, { kind: 'used' }>;
  version: number;
  place: SavePlace;
  takesFocus: RefObject<boolean>;
  onRestored: () => Promise<void>;
}) {
  const { bucket, folder, slot, state, version, place, takesFocus, onRestored } = props;
  const save = state.kept.find((kept) => kept.version === version);
  const other = place.compare;
  const heading = useRef<HTMLHeadingElement>(null);
  const [problem, setProblem] = useState<unknown>();
  const bytes = useRead(`${version} ${save?.etag}`, async (signal) =>
    save ? readSave(folder, slot, version, signal) : undefined,
  );
  const otherBytes = useRead(`${other}`, async (signal) =>
    other === undefined ? undefined : readSave(folder, slot, other, signal),
  );

  useEffect(() => {
    setProblem(undefined);
    if (!takesFocus.current) return;
    takesFocus.current = false;
    heading.current?.focus();
  }, [version]);

  async function download(): Promise<void> {
    setProblem(undefined);
    await downloadSave(folder, slot, version).catch(setProblem);
  }

  const others = state.kept.filter((kept) => kept.version !== version).slice(-MAX_COMPARED);
  return (
    <section class="saves-version" aria-labelledby="saves-version">
      <div class="toolbar">
        <h3 id="saves-version" ref={heading} tabIndex={-1}>
          Version {version}
        </h3>
        {save && (
          <>
            <button type="button" onClick={download}>
              Download
            </button>
            {version !== state.latest && (
              <RestoreVersion
                bucket={bucket}
                folder={folder}
                slot={slot}
                save={save}
                latest={state.latest}
                onRestored={async (restored) => {
                  await onRestored();
                  // Another version, or view, may have been chosen meanwhile.
                  if (!isShown(slot, version)) return;
                  takesFocus.current = true;
                  go('saves', placeQuery({ ...place, version: restored, compare: version }));
                }}
              />
            )}
            <label class="inline">
              Compare with
              <select
                value={other ?? ''}
                onChange={({ currentTarget: { value } }) => {
                  const compare = value === '' ? undefined : Number(value);
                  go('saves', placeQuery({ ...place, compare }));
                }}
              >
                <option value="">no other</option>
                {others.toReversed().map((kept) => (
                  <option key={kept.version} value={kept.version}>
                    version {kept.version}
                  </option>
                ))}
              </select>
            </label>
          </>
        )}
        <a
          class="saves-close"
          href={href('saves', placeQuery({ ...place, version: undefined, compare: undefined }))}
        >
          Close
        </a>
      </div>
      <ErrorNotice error={problem} />
      {!save && (
        <p class="notice" role="status">
          Version {version} is not kept: choose another from the time line.
        </p>
      )}
      <ErrorNotice error={bytes.error} onRetry={bytes.reload} />
      <ErrorNotice error={otherBytes.error} onRetry={otherBytes.reload} />
      {save && bytes.value === undefined && bytes.error === undefined && (
        <p class="muted">Reading {formatBytes(save.size)} …</p>
      )}
      {other !== undefined && otherBytes.value === undefined && otherBytes.error === undefined && (
        <p class="muted">Reading version {other} …</p>
      )}
      {save && bytes.value?.isCut && (
        <p class="notice">
          These are the first {formatBytes(MAX_SHOWN_BYTES)} of {formatBytes(save.size)}: download
          it to see the rest.
        </p>
      )}
      {save && bytes.value && !bytes.value.isCut && bytes.value.bytes.length !== save.size && (
        <p class="notice">
          {formatCount(save.size)} bytes are stored: they have a Content-Encoding, which your
          browser has undone here.
        </p>
      )}
      {bytes.value && (
        <HexView
          key={`${version} ${other}`}
          version={version}
          bytes={bytes.value.bytes}
          isCut={bytes.value.isCut || otherBytes.value?.isCut === true}
          other={
            other === undefined || !otherBytes.value
              ? undefined
              : { version: other, bytes: otherBytes.value.bytes }
          }
        />
      )}
    </section>
  );
}

function isShown(slot: string, version: number): boolean {
  const { view, query } = route.value;
  const place = readPlace(query);
  return view === 'saves' && place.slot === slot && place.version === version;
}
