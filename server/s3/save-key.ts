/** Keys of saves: `PREFIX/ds/N/data/SLOT-VERSION`, as consoles number them. */

/** One slot: all versions of one save. */
export interface SaveSlot {
  /** Without a slash at its end. */
  readonly prefix: string;
  readonly n: number;
  /** Up to 11 digits. */
  readonly slot: number;
}

/** A version has 5 digits. */
export const MAX_SAVE_VERSION = 99_999;
export const MAX_SAVE_SLOT = 99_999_999_999;
export const MAX_SAVE_N = 999_999_999;

/** The slot and the version that a key names; undefined for a key of another shape. */
export function parseSaveKey(key: string): { slot: SaveSlot; version: number } | undefined {
  const [, prefix, n, slot, version] =
    /^(.+)\/ds\/(0|[1-9]\d{0,8})\/data\/(\d{11})-(\d{5})$/s.exec(key) ?? [];
  if (prefix === undefined) return undefined;
  return { slot: { prefix, n: Number(n), slot: Number(slot) }, version: Number(version) };
}

/** `PREFIX/ds/N/data/`, with which the keys of all slots begin. */
export function saveFolder({ prefix, n }: Omit<SaveSlot, 'slot'>): string {
  return `${prefix}/ds/${n}/data/`;
}

/** `PREFIX/ds/N/data/SLOT`, with which the keys of all versions begin. */
export function slotName(slot: SaveSlot): string {
  return saveFolder(slot) + paddedSlot(slot.slot);
}

export function saveKey(slot: SaveSlot, version: number): string {
  return `${slotName(slot)}-${paddedVersion(version)}`;
}

export function paddedSlot(slot: number): string {
  return String(slot).padStart(11, '0');
}

export function paddedVersion(version: number): string {
  return String(version).padStart(5, '0');
}
