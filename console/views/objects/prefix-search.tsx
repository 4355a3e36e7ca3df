import { useTyped } from '../../parts/use-typed.ts';
import { replace } from '../../router.ts';
import { folderOf } from './folder.ts';
import { VIEW } from './places.ts';

/** How names in this folder begin; with a slash it leads into a folder. */
export function PrefixSearch(props: {
  bucket: string;
  prefix: string;
  chosen: string | undefined;
}) {
  const { bucket, prefix, chosen } = props;
  const folder = folderOf(prefix);
  const [typed, setTyped] = useTyped(prefix, (to) =>
    replace(VIEW, { bucket, prefix: to || undefined, key: chosen }),
  );

  return (
    <label class="search">
      <span class="visually-hidden">Names that begin with</span>
      <input
        type="search"
        placeholder="Names that begin with …"
        autocomplete="off"
        spellcheck={false}
        value={typed.slice(folder.length)}
        onInput={(event) => setTyped(folder + event.currentTarget.value)}
      />
    </label>
  );
}
