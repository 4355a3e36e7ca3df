import {
  KeystowClientError,
  type SaveSlot,
  type SaveVersion,
} from '../../../shared/client/index.ts';
import { current } from '../../session.ts';
import { type NearestSlots, nearestSlots, SLOTS_AT_ONCE } from './nearest-slots.ts';
import type { SaveFolder } from './save-change.ts';
import { slotOf } from './slot-number.ts';

export type SlotState =
  | {
      readonly kind: 'used';
      /** The oldest first. */
      readonly kept: readonly SaveVersion[];
      /** The highest number that was ever saved. */
      readonly latest: number;
    }
  | { readonly kind: 'unused'; readonly nearest: NearestSlots };

/** What there is of a slot. Rejects with `forbidden` where the user may not read it. */
export async function readSlot(
  { bucket, prefix, n }: SaveFolder,
  slot: string,
  signal: AbortSignal,
): Promise<SlotState> {
  const saves = current().client.saves(bucket, { prefix, n });

  async function behind(after: string | undefined, pageSize: number): Promise<SaveSlot[]> {
    const options = { signal, pageSize, ...(after === undefined ? {} : { after }) };
    for await (const page of saves.slots(options)) return page;
    return [];
  }

  try {
    const kept = await saves.versions(slot, { signal });
    const [counted] = await behind(slot === slotOf(0) ? undefined : slotOf(Number(slot) - 1), 1);
    const newest = kept.at(-1)?.version ?? 0;
    const latest = counted?.slot === slot ? Math.max(counted.latest, newest) : newest;
    return { kind: 'used', kept, latest };
  } catch (error) {
    const isUnused = error instanceof KeystowClientError && error.code === 'not-found';
    if (!isUnused) throw error;
    const nearest = await nearestSlots(slot, async (after) => {
      const page = await behind(after, SLOTS_AT_ONCE);
      return page.map((used) => used.slot);
    });
    return { kind: 'unused', nearest };
  }
}
