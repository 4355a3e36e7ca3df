import { useEffect, useRef } from 'preact/hooks';
import { formatBytes, formatTime } from '../../parts/amounts.ts';
import { rowsInSight } from '../../parts/rows-in-sight.ts';
import { StoredText } from '../../parts/stored-text.tsx';
import { useScrollBox } from '../../parts/use-scroll-box.ts';
import { visible } from '../../parts/visible.ts';
import { type Entry, folderOf, keyOf } from './folder.ts';
import type { ListingState } from './listing.ts';
import { hrefOf } from './places.ts';

/**
 * A folder as a table of which only the rows are in the page that can be seen: they have one height, so
 * that a bucket with very many objects costs no more than a small one.
 */
export interface ObjectTableProps {
  readonly bucket: string;
  readonly listing: ListingState;
  readonly chosen: string | undefined;
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (selected: ReadonlySet<string>) => void;
  /** The last rows are near. */
  readonly onEnd: () => void;
}

const ROW_PX = 36;
const MARGIN_ROWS = 15;

export function ObjectTable(props: ObjectTableProps) {
  const { bucket, listing, chosen, selected, onSelect, onEnd } = props;
  const { entries, hasMore, isLoading, error, prefix } = listing;
  const folder = folderOf(prefix);
  const box = useRef<HTMLDivElement>(null);
  const { onScroll, ...seen } = useScrollBox(box);
  const rows = { rowPx: ROW_PX, margin: MARGIN_ROWS };
  const { first, last } = rowsInSight(seen, entries.length, rows);

  useEffect(() => {
    // Another folder is read from its top.
    if (box.current) box.current.scrollTop = 0;
  }, [bucket, prefix]);

  const isNearEnd = last >= entries.length - MARGIN_ROWS;
  useEffect(() => {
    if (hasMore && !isLoading && error === undefined && isNearEnd) onEnd();
  }, [hasMore, isLoading, error, isNearEnd, onEnd]);

  const objects = entries.flatMap((entry) => (entry.kind === 'object' ? [entry.object.key] : []));
  const areAllSelected = objects.length > 0 && selected.size >= objects.length;

  return (
    <div ref={box} class="framed object-table" onScroll={onScroll}>
      <table aria-rowcount={hasMore ? -1 : entries.length + 1} aria-busy={isLoading}>
        <caption class="visually-hidden">Folders and objects, by name</caption>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col" class="check">
              <input
                type="checkbox"
                aria-label="Select all that are shown"
                disabled={objects.length === 0}
                checked={areAllSelected}
                onChange={() => onSelect(new Set(areAllSelected ? [] : objects))}
              />
            </th>
            <th scope="col">Name</th>
            <th scope="col" class="number size">
              Size
            </th>
            <th scope="col" class="time wide">
              Changed
            </th>
            <th scope="col" class="type wide">
              Type
            </th>
          </tr>
        </thead>
        <tbody>
          <Space rows={first} />
          {entries.slice(first, last).map((entry, at) => (
            <Row
              key={keyOf(entry)}
              index={first + at}
              entry={entry}
              name={keyOf(entry).slice(folder.length)}
              href={
                entry.kind === 'folder'
                  ? hrefOf({ bucket, prefix: entry.prefix })
                  : hrefOf({ bucket, prefix, key: entry.object.key })
              }
              isChosen={entry.kind === 'object' && entry.object.key === chosen}
              isSelected={selected.has(keyOf(entry))}
              onToggle={() => onSelect(toggled(selected, keyOf(entry)))}
            />
          ))}
          <Space rows={entries.length - last} />
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  readonly index: number;
  readonly entry: Entry;
  readonly name: string;
  readonly href: string;
  readonly isChosen: boolean;
  readonly isSelected: boolean;
  readonly onToggle: () => void;
}

function Row({ index, entry, name, href, isChosen, isSelected, onToggle }: RowProps) {
  const label = name === '' ? 'this folder itself' : name;
  // The heading is the first row.
  const place = { 'aria-rowindex': index + 2 };
  if (entry.kind === 'folder') {
    return (
      <tr {...place}>
        <td class="check" />
        <td class="name">
          <span class="folder-mark" aria-hidden="true" />
          <a href={href} title={visible(name)}>
            <span class="visually-hidden">Folder </span>
            <StoredText text={name} />
          </a>
        </td>
        <td class="size" />
        <td class="time wide" />
        <td class="type wide" />
      </tr>
    );
  }
  const { object } = entry;
  return (
    <tr {...place} class={isChosen ? 'chosen' : undefined}>
      <td class="check">
        <input
          type="checkbox"
          aria-label={`Select ${visible(label)}`}
          checked={isSelected}
          onChange={onToggle}
        />
      </td>
      <td class="name">
        <a href={href} aria-current={isChosen ? 'true' : undefined} title={visible(label)}>
          {name === '' ? <i>this folder itself</i> : <StoredText text={name} />}
        </a>
      </td>
      <td class="number size">{formatBytes(object.size)}</td>
      <td class="time wide">{formatTime(object.time)}</td>
      <td class="type wide">
        <StoredText text={object.contentType ?? ''} />
      </td>
    </tr>
  );
}

/** As high as the rows that are not in the page. */
function Space({ rows }: { rows: number }) {
  if (rows === 0) return null;
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: nobody can focus a row, and this one says nothing
    <tr aria-hidden="true" class="space" style={{ height: `${rows * ROW_PX}px` }}>
      <td />
    </tr>
  );
}

function toggled(selected: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const changed = new Set(selected);
  if (!changed.delete(key)) changed.add(key);
  return changed;
}
