import { href } from '../../router.ts';
import type { NearestSlots } from './nearest-slots.ts';
import { placeQuery, type SavePlace } from './save-place.ts';
import { atSlot } from './slot-search.tsx';

/** Perhaps a digit is wrong: the used slots beside it. */
export function UnusedSlot(props: { slot: string; nearest: NearestSlots; place: SavePlace }) {
  const { nearest, place } = props;
  const link = (slot: string) => (
    <a class="mono" href={href('saves', placeQuery(atSlot(place, slot)))}>
      {slot}
    </a>
  );
  const { before, after } = nearest;
  return (
    <div class="panel">
      {before === undefined && after === undefined ? (
        <p>No other slot with this prefix and n is used, either: check both, and the bucket.</p>
      ) : (
        <>
          <p>
            Check the number, and n = {place.n}. The nearest slots that are used, of those that you
            may read:
          </p>
          <ul>
            <li>{before === undefined ? 'none before it' : <>before it {link(before)}</>}</li>
            <li>{after === undefined ? 'none after it' : <>after it {link(after)}</>}</li>
          </ul>
        </>
      )}
    </div>
  );
}
