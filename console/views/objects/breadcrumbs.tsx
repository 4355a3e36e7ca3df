import { StoredText } from '../../parts/stored-text.tsx';
import { crumbsOf } from './folder.ts';
import { hrefOf } from './places.ts';

/** The way from the buckets to the folder that is shown. */
export function Breadcrumbs({ bucket, folder }: { bucket: string; folder: string }) {
  const crumbs = [{ name: bucket, prefix: '' }, ...crumbsOf(folder)];
  return (
    <nav aria-label="Folder" class="crumbs">
      <ol class="plain">
        <li>
          <a href={hrefOf({})}>Buckets</a>
        </li>
        {crumbs.map(({ name, prefix }, at) => (
          <li key={prefix}>
            <a
              href={hrefOf({ bucket, prefix })}
              aria-current={at === crumbs.length - 1 ? 'page' : undefined}
            >
              {name === '' ? <i>without a name</i> : <StoredText text={name} />}
            </a>
          </li>
        ))}
      </ol>
    </nav>
  );
}
