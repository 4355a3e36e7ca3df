import type { SaveSlot } from '../../../shared/client/index.ts';

/** Slots as the server lists them: by number, which is the order of their 11 digits. */

/** Where the slot is, or where it would be. */
export function slotPlace(slots: readonly SaveSlot[], slot: string): number {
  let [low, high] = [0, slots.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((slots[middle]?.slot ?? '') < slot) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The slots with one that was saved to just now. One past the end comes with the page that it is on, so it is
 * left out while there are more.
 */
export function withSaved(
  slots: readonly SaveSlot[],
  saved: SaveSlot,
  { after, hasMore }: { readonly after: string | undefined; readonly hasMore: boolean },
): readonly SaveSlot[] {
  if (after !== undefined && saved.slot <= after) return slots;
  const place = slotPlace(slots, saved.slot);
  if (place === slots.length && hasMore) return slots;
  const present = slots[place];
  if (present?.slot !== saved.slot) return slots.toSpliced(place, 0, saved);
  return present.latest >= saved.latest ? slots : slots.with(place, saved);
}
