import { useEffect, useState } from 'preact/hooks';
import { useTyped } from '../../parts/use-typed.ts';
import { href, replace } from '../../router.ts';

/** Which part of the feed is shown, as the fragment has it: by the beginning of paths, and from a number on. */
export function FeedFilter({ prefix, since }: { prefix: string; since: string }) {
  const [typed, setTyped] = useTyped(prefix, (to) => show(to, since));
  const [number, setNumber] = useState(since);
  useEffect(() => setNumber(since), [since]);

  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    show(typed, number.trim());
  };
  return (
    <form class="filter" onSubmit={submit}>
      <label>
        Paths that begin with
        <input
          name="prefix"
          value={typed}
          placeholder="/data/players/"
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </label>
      <label>
        After number
        <input
          name="since"
          value={number}
          placeholder="the latest"
          autocomplete="off"
          pattern="\d{1,16}|oldest"
          title="A number such as 42, or: oldest"
          onInput={(event) => setNumber(event.currentTarget.value)}
        />
      </label>
      <button type="submit">Show</button>
      <a href={href('live', { prefix: prefix || undefined, since: 'oldest' })}>From the oldest</a>
      {since !== '' && <a href={href('live', { prefix: prefix || undefined })}>The latest</a>}
    </form>
  );
}

function show(prefix: string, since: string): void {
  replace('live', { prefix: prefix || undefined, since: since || undefined });
}
