import { useId, useRef, useState } from 'preact/hooks';
import type { Bucket } from '../../api/buckets.ts';
import { StoredText } from '../../parts/stored-text.tsx';
import { useRead } from '../../parts/use-read.ts';
import { visible } from '../../parts/visible.ts';
import { go } from '../../router.ts';
import { parseN, placeQuery, type SavePlace } from './save-place.ts';
import { usedNumbers, usedPrefixes } from './used-scopes.ts';

/** Which saves: of which bucket, under which prefix and n. It suggests those that are used. */
export function ScopeForm(props: {
  buckets: readonly Bucket[];
  bucket: Bucket;
  place: SavePlace;
  prefix: string | undefined;
}) {
  const { buckets, bucket, place, prefix } = props;
  const [prefixes, numbers] = [useId(), useId()];
  // A field shows no line breaks, so one that nobody has typed in is not read.
  const isTyped = useRef(false);
  const [problem, setProblem] = useState<string>();
  const { value: suggestedPrefixes = [] } = useRead(bucket.name, (signal) =>
    usedPrefixes(bucket.name, signal),
  );
  const { value: suggestedNumbers = [] } = useRead(
    JSON.stringify([bucket.name, prefix]),
    async (signal) => (prefix === undefined ? [] : usedNumbers(bucket.name, prefix, signal)),
  );

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const data = new FormData(event.currentTarget);
    const n = parseN(String(data.get('n')));
    if (n === undefined) {
      setProblem('n is a whole number, 0 to 999999999.');
      return;
    }
    setProblem(undefined);
    const typed = isTyped.current ? String(data.get('prefix')) : prefix;
    const isOwn = typed === bucket.savePrefix || typed === '';
    const query = placeQuery({ bucket: bucket.name, prefix: isOwn ? undefined : typed, n });
    go('saves', query);
  }

  return (
    <form class="toolbar saves-scope" onSubmit={submit}>
      <label>
        Bucket
        <select
          value={bucket.name}
          onChange={({ currentTarget }) =>
            go('saves', placeQuery({ bucket: currentTarget.value, n: 1 }))
          }
        >
          {buckets.map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="wide">
        Prefix
        <input
          key={prefix}
          name="prefix"
          class="mono"
          defaultValue={prefix}
          list={prefixes}
          autocomplete="off"
          spellcheck={false}
          onInput={() => {
            isTyped.current = true;
          }}
        />
      </label>
      <label class="short" title="The N of the keys PREFIX/ds/N/data/SLOT-VERSION">
        n
        <input
          key={place.n}
          name="n"
          inputMode="numeric"
          defaultValue={String(place.n)}
          list={numbers}
          autocomplete="off"
          aria-invalid={problem !== undefined}
        />
      </label>
      <button type="submit">Show</button>
      {prefix !== undefined && visible(prefix) !== prefix && (
        <p class="saves-prefix muted">
          The prefix has characters that cannot be seen: <StoredText text={prefix} />
        </p>
      )}
      {problem && (
        <p class="notice error" role="alert">
          {problem}
        </p>
      )}
      <datalist id={prefixes}>
        {suggestedPrefixes.filter(isOneLine).map((used) => (
          <option key={used} value={used}>
            {visible(used)}
          </option>
        ))}
      </datalist>
      <datalist id={numbers}>
        {suggestedNumbers.map((used) => (
          <option key={used} value={String(used)} />
        ))}
      </datalist>
    </form>
  );
}

/** A field would take the line breaks out. */
function isOneLine(text: string): boolean {
  return !/[\r\n]/.test(text);
}
