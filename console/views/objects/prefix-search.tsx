import { useEffect, useRef, useState } from 'preact/hooks';
import { replace } from '../../router.ts';
import { folderOf } from './folder.ts';
import { VIEW } from './places.ts';

const PAUSE_MS = 200;

/** How names in this folder begin; with a slash it leads into a folder. */
export function PrefixSearch(props: {
  bucket: string;
  prefix: string;
  chosen: string | undefined;
}) {
  const { bucket, prefix, chosen } = props;
  const folder = folderOf(prefix);
  const [text, setText] = useState(prefix.slice(folder.length));
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    setText(prefix.slice(folderOf(prefix).length));
    return () => clearTimeout(timer.current);
  }, [prefix]);

  function search(typed: string): void {
    setText(typed);
    clearTimeout(timer.current);
    timer.current = setTimeout(
      () => replace(VIEW, { bucket, prefix: folder + typed || undefined, key: chosen }),
      PAUSE_MS,
    );
  }

  return (
    <label class="search">
      <span class="visually-hidden">Names that begin with</span>
      <input
        type="search"
        placeholder="Names that begin with …"
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => search(event.currentTarget.value)}
      />
    </label>
  );
}
