import { slotOf } from './slot-number.ts';

export const SLOTS_AT_ONCE = 200;

/** The first used slots behind one, or from the very first on where it is undefined: SLOTS_AT_ONCE, or all there are. */
export type NextSlots = (after: string | undefined) => Promise<readonly string[]>;

export interface NearestSlots {
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** How much further back each step is than the last: six of them reach from one end of all slots to the other. */
const FURTHER = 64;

/** The used slots on both sides of an unused one. */
export async function nearestSlots(slot: string, next: NextSlots): Promise<NearestSlots> {
  const [before, [after]] = await Promise.all([slotBefore(Number(slot), next), next(slot)]);
  return { before, after };
}

/** The server lists forwards alone: it is looked for in ever larger steps back, and then by halves. */
async function slotBefore(slot: number, next: NextSlots): Promise<string | undefined> {
  /** The last of those from `number` on that are below the slot, and whether it is the last of all. */
  async function lastFrom(number: number) {
    const found = await next(number === 0 ? undefined : slotOf(number - 1));
    const below = found.filter((used) => Number(used) < slot);
    const isLast = below.length < SLOTS_AT_ONCE;
    return { last: below.length > 0 ? Number(below.at(-1)) : undefined, isLast };
  }

  let best: number | undefined;
  /** None is used from here on up to the slot. */
  let end = slot;
  for (let step = 1; best === undefined && end > 0; step *= FURTHER) {
    const from = Math.max(0, slot - step);
    const { last, isLast } = await lastFrom(from);
    if (last !== undefined && isLast) return slotOf(last);
    if (last === undefined) end = from;
    best = last;
  }
  if (best === undefined) return undefined;
  while (end - best > 1) {
    const middle = Math.ceil((best + end) / 2);
    const { last, isLast } = await lastFrom(middle);
    if (last !== undefined && isLast) return slotOf(last);
    if (last === undefined) end = middle;
    else best = last;
  }
  return slotOf(best);
}
