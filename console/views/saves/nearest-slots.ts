import { slotOf } from './slot-number.ts';

/** The first used slot behind one, or from the very first on where it is undefined. */
export type NextSlot = (after: string | undefined) => Promise<string | undefined>;

export interface NearestSlots {
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/**
 * The used slots on both sides of an unused one. The server lists forwards alone, so the one before is looked for
 * in ever larger steps back, and then by halves: at most some 70 short requests for all 10^11 slots.
 */
export async function nearestSlots(slot: string, nextSlot: NextSlot): Promise<NearestSlots> {
  const [before, after] = await Promise.all([slotBefore(Number(slot), nextSlot), nextSlot(slot)]);
  return { before, after };
}

async function slotBefore(slot: number, nextSlot: NextSlot): Promise<string | undefined> {
  /** The first used one from `number` on, if it is before the slot. */
  const firstFrom = async (number: number): Promise<number | undefined> => {
    const found = await nextSlot(number === 0 ? undefined : slotOf(number - 1));
    return found !== undefined && Number(found) < slot ? Number(found) : undefined;
  };
  let best: number | undefined;
  let end = slot;
  for (let step = 1; best === undefined && end > 0; step *= 2) {
    const from = Math.max(0, end - step);
    best = await firstFrom(from);
    if (best === undefined) end = from;
  }
  if (best === undefined) return undefined;
  // Nothing is used from `end` on up to the slot, and `best` is.
  while (end - best > 1) {
    const middle = Math.ceil((best + end) / 2);
    const found = await firstFrom(middle);
    if (found === undefined) end = middle;
    else best = found;
  }
  return slotOf(best);
}
