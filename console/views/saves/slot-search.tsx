import { useId, useState } from 'preact/hooks';
import { go } from '../../router.ts';
import { placeQuery, type SavePlace } from './save-place.ts';
import { parseSlot, slotOf } from './slot-number.ts';

/** To a slot by its number, with its leading zeros or without. */
export function SlotSearch({ place }: { place: SavePlace }) {
  const [problem, setProblem] = useState<string>();
  const id = useId();

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const slot = parseSlot(String(new FormData(event.currentTarget).get('slot')));
    setProblem(slot === undefined ? 'A slot is a number of at most 11 digits.' : undefined);
    if (slot !== undefined) go('saves', placeQuery(atSlot(place, slot)));
  }

  return (
    <form class="saves-search" onSubmit={submit}>
      <div class="toolbar">
        <input
          name="slot"
          class="mono"
          aria-label="Slot number"
          placeholder="Slot number"
          inputMode="numeric"
          autocomplete="off"
          aria-invalid={problem !== undefined}
          aria-describedby={problem ? id : undefined}
        />
        <button type="submit">Find</button>
      </div>
      {problem && (
        <p id={id} class="notice error" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}

/** The list then begins with the slot, or with the next one that is used. */
export function atSlot({ bucket, prefix, n }: SavePlace, slot: string): SavePlace {
  const number = Number(slot);
  return { bucket, prefix, n, slot, after: number === 0 ? undefined : slotOf(number - 1) };
}
