import type { ObjectPage, StoredObject } from '../../api/object-page.ts';
import { compareBytes } from '../../parts/byte-order.ts';

/** Keys as folders: what lies between slashes, which is all that S3 knows of them. */

export type Entry =
  /** `prefix` ends with a slash. */
  | { readonly kind: 'folder'; readonly prefix: string }
  | { readonly kind: 'object'; readonly object: StoredObject };

/** The part of a prefix that is a folder; what follows is how names in it begin. */
export function folderOf(prefix: string): string {
  return prefix.slice(0, prefix.lastIndexOf('/') + 1);
}

export interface Crumb {
  readonly name: string;
  readonly prefix: string;
}

export function crumbsOf(folder: string): Crumb[] {
  const names = folder.split('/').slice(0, -1);
  return names.map((name, at) => ({ name, prefix: `${names.slice(0, at + 1).join('/')}/` }));
}

/** What tells an entry from all others, and its place among them. */
export function keyOf(entry: Entry): string {
  return entry.kind === 'folder' ? entry.prefix : entry.object.key;
}

/** Folders and objects of a page in one order. */
export function entriesOf({ objects, prefixes }: ObjectPage): Entry[] {
  const folders = prefixes.map((prefix): Entry => ({ kind: 'folder', prefix }));
  const files = objects.map((object): Entry => ({ kind: 'object', object }));
  if (folders.length === 0 || files.length === 0) return [...folders, ...files];
  return [...folders, ...files].sort((one, other) => compareBytes(keyOf(one), keyOf(other)));
}

/** The last part of a key, for a file of that name. */
export function fileNameOf(key: string): string {
  return key.split('/').findLast((name) => name !== '') ?? 'object';
}
