import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { countOf, formatCount } from '../../parts/amounts.ts';
import { ErrorNotice } from '../../parts/notice.tsx';
import { go } from '../../router.ts';
import { Breadcrumbs } from './breadcrumbs.tsx';
import { DeleteObjectsDialog } from './delete-objects.tsx';
import type { ChosenFile } from './dropped-files.ts';
import { folderOf } from './folder.ts';
import { ObjectDetails } from './object-details.tsx';
import { ObjectTable } from './object-table.tsx';
import { VIEW } from './places.ts';
import { PrefixSearch } from './prefix-search.tsx';
import { SavesHint } from './saves-hint.tsx';
import { uploads } from './uploads.ts';
import { useDrop } from './use-drop.ts';
import { useListing } from './use-listing.ts';

export function BucketView(props: { bucket: string; prefix: string; chosen: string | undefined }) {
  const { bucket, prefix, chosen } = props;
  const folder = folderOf(prefix);
  const listing = useListing(bucket, prefix);
  const { entries, hasMore, isLoading, error, more, renew } = listing;
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [isDeleting, setDeleting] = useState(false);
  const [dropError, setDropError] = useState<unknown>();
  const region = useRef<HTMLElement>(null);
  const picker = useRef<HTMLInputElement>(null);

  const upload = useCallback(
    (files: readonly ChosenFile[]): void => {
      setDropError(undefined);
      uploads.add(
        bucket,
        files.map(({ path, file }) => ({ key: folder + path, file })),
      );
    },
    [bucket, folder],
  );
  const isOver = useDrop(region, upload, setDropError);

  // What was selected and is gone, or is of another folder, must not be deleted by a later click.
  const kept = useMemo(() => {
    const keys = new Set(
      entries.flatMap((entry) => (entry.kind === 'object' ? entry.object.key : [])),
    );
    return new Set([...selected].filter((key) => keys.has(key)));
  }, [entries, selected]);

  const stored = uploads.uploads.value.filter(
    ({ state, ...upload }) => state.kind === 'done' && upload.bucket === bucket,
  ).length;
  useEffect(() => {
    // The change feed tells of it, too, but may be off.
    if (stored > 0) renew();
  }, [stored, renew]);

  useEffect(() => {
    // The link that led here is gone with its folder, or the button with what it has deleted.
    if (!isLoading && document.activeElement === document.body) region.current?.focus();
  }, [isLoading, isDeleting]);

  function choose(files: FileList | null): void {
    upload(Array.from(files ?? [], (file) => ({ path: file.name, file })));
    // The same file may be chosen again.
    if (picker.current) picker.current.value = '';
  }

  function close(): void {
    go(VIEW, { bucket, prefix: prefix || undefined });
    region.current?.focus();
  }

  const isEmpty = entries.length === 0 && !hasMore && error === undefined;
  return (
    <>
      <Breadcrumbs bucket={bucket} folder={folder} />
      <SavesHint bucket={bucket} />
      <div class={chosen === undefined ? 'objects' : 'objects split'}>
        <section
          ref={region}
          class={isOver ? 'column listing dropping' : 'column listing'}
          aria-label="Objects"
          tabIndex={-1}
        >
          <div class="toolbar">
            <PrefixSearch bucket={bucket} prefix={prefix} chosen={chosen} />
            <button type="button" class="primary" onClick={() => picker.current?.click()}>
              Upload files
            </button>
            <input
              ref={picker}
              type="file"
              multiple
              hidden
              onChange={(event) => choose(event.currentTarget.files)}
            />
            {kept.size > 0 && (
              <button type="button" class="danger" onClick={() => setDeleting(true)}>
                Delete {formatCount(kept.size)} selected
              </button>
            )}
          </div>
          <ErrorNotice error={dropError} />
          <ErrorNotice error={error} onRetry={entries.length === 0 ? more : renew} />
          {isEmpty ? (
            <p class="notice drop-hint">
              {prefix === folder
                ? 'There is nothing here yet: drop files here, or upload some.'
                : 'Nothing here begins so: try a shorter beginning.'}
            </p>
          ) : (
            (entries.length > 0 || error === undefined) && (
              <ObjectTable
                bucket={bucket}
                listing={listing}
                chosen={chosen}
                selected={kept}
                onSelect={setSelected}
                onEnd={more}
              />
            )
          )}
          <p class="hint" role="status">
            {isLoading && entries.length === 0 ? 'Reading …' : statusOf(entries.length, hasMore)}
          </p>
        </section>
        {chosen !== undefined && (
          <ObjectDetails key={chosen} bucket={bucket} objectKey={chosen} onClose={close} />
        )}
      </div>
      {isDeleting && (
        <DeleteObjectsDialog
          bucket={bucket}
          keys={[...kept]}
          onClose={() => setDeleting(false)}
          onDeleted={() => {
            setDeleting(false);
            setSelected(new Set());
            renew();
          }}
        />
      )}
    </>
  );
}

function statusOf(count: number, hasMore: boolean): string {
  if (count === 0) return '';
  const entries = countOf(count, 'entry', 'entries');
  const drop = 'Files that you drop on the list are uploaded to this folder.';
  return hasMore ? `${entries} so far: scroll on for more. ${drop}` : `${entries}. ${drop}`;
}
