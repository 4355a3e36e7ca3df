import { useEffect } from 'preact/hooks';
import type { SaveSlot } from '../../../shared/client/index.ts';
import { onChange } from '../../live.ts';
import { formatMinute, formatTime } from '../../parts/amounts.ts';
import { ErrorNotice } from '../../parts/notice.tsx';
import { usePaged } from '../../parts/use-paged.ts';
import { VirtualList } from '../../parts/virtual-list.tsx';
import { go, href } from '../../router.ts';
import { current } from '../../session.ts';
import { EmptyScope } from './empty-scope.tsx';
import { type SaveFolder, saveChange } from './save-change.ts';
import { placeQuery, type SavePlace } from './save-place.ts';
import { slotPlace, withSaved } from './slot-order.ts';

/** Soon there, and more than fits on a screen. */
const PAGE_SIZE = 250;

/** The slots of a prefix and an n, page by page, and those that are saved to meanwhile. */
export function SlotList({ folder, place }: { folder: SaveFolder; place: SavePlace }) {
  const { bucket, prefix, n } = folder;
  const { after, slot: chosen } = place;
  const slots = usePaged(after ?? '', async ({ after: last = after, signal }) => {
    const saves = current().client.saves(bucket, { prefix, n });
    const options = { signal, pageSize: PAGE_SIZE, ...(last === undefined ? {} : { after: last }) };
    const { value: page = [] } = await saves.slots(options).next();
    return { items: page, next: page.length < PAGE_SIZE ? undefined : page.at(-1)?.slot };
  });
  const { items, hasMore, isLoading, error, more, reload, update } = slots;

  useEffect(
    () =>
      onChange((item) => {
        if (item.type === 'begin' || item.type === 'resync') return reload();
        const saved = item.type === 'put' ? saveChange(item.url, folder) : undefined;
        if (!saved) return;
        const slot = { slot: saved.slot, latest: saved.version, time: item.at };
        update((before) => withSaved(before, slot, { after, hasMore }));
      }),
    [bucket, prefix, n, after, hasMore],
  );

  if (items.length === 0 && isLoading) return <p class="muted">Reading the slots …</p>;
  const fromStart = { ...place, after: undefined };
  return (
    <>
      <ErrorNotice error={error} onRetry={more} />
      {after !== undefined && error === undefined && (
        <p class="muted">
          {items.length === 0 ? `No slot behind ${after}.` : `Slots behind ${after}.`}{' '}
          <a href={href('saves', placeQuery(fromStart))}>Show all</a>
        </p>
      )}
      {items.length === 0 && after === undefined && error === undefined && !hasMore && (
        <EmptyScope folder={folder} place={place} />
      )}
      {items.length > 0 && (
        <VirtualList
          label="Slots"
          items={items}
          hasMore={hasMore}
          selected={chosen === undefined ? undefined : selectedIn(items, chosen)}
          row={(item) => <SlotRow item={item} />}
          onSelect={({ slot }) =>
            go('saves', placeQuery({ ...place, slot, version: undefined, compare: undefined }))
          }
          onEnd={more}
        />
      )}
    </>
  );
}

function SlotRow({ item: { slot, latest, time } }: { item: SaveSlot }) {
  return (
    <span class="saves-slot">
      <span class="mono">{slot}</span>
      <span class="version">
        <span class="visually-hidden">version </span>
        <span aria-hidden="true">v</span>
        {latest}
      </span>
      <time class="muted" dateTime={time} title={formatTime(time)}>
        {formatMinute(time)}
      </time>
    </span>
  );
}

function selectedIn(items: readonly SaveSlot[], slot: string): number | undefined {
  const index = slotPlace(items, slot);
  return items[index]?.slot === slot ? index : undefined;
}
