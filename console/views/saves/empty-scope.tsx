import { StoredText } from '../../parts/stored-text.tsx';
import { useRead } from '../../parts/use-read.ts';
import { href } from '../../router.ts';
import type { SaveFolder } from './save-change.ts';
import { placeQuery, type SavePlace } from './save-place.ts';
import { usedNumbers, usedPrefixes } from './used-scopes.ts';

/** Nothing is saved here; perhaps it was saved under another n or prefix. */
export function EmptyScope({ folder, place }: { folder: SaveFolder; place: SavePlace }) {
  const { bucket, prefix, n } = folder;
  const { value } = useRead(JSON.stringify([bucket, prefix]), async (signal) => {
    const [numbers, prefixes] = await Promise.all([
      usedNumbers(bucket, prefix, signal),
      usedPrefixes(bucket, signal),
    ]);
    return { numbers, prefixes };
  });
  const { numbers = [], prefixes = [] } = value ?? {};
  const others = prefixes.filter((other) => other !== prefix);
  return (
    <div class="panel">
      <p>
        Nothing is saved under <StoredText text={`${prefix}/ds/${n}/data/`} /> that you may read.
      </p>
      {numbers.length > 0 && (
        <p>
          This prefix has saves with n ={' '}
          {numbers.map((number, index) => (
            <span key={number}>
              {index > 0 && ', '}
              <a href={href('saves', placeQuery({ ...place, n: number }))}>{number}</a>
            </span>
          ))}
          .
        </p>
      )}
      {others.length > 0 && (
        <>
          <p>The bucket has saves under:</p>
          <ul class="saves-prefixes">
            {others.map((other) => (
              <li key={other}>
                <a href={href('saves', placeQuery({ ...place, prefix: other }))}>
                  <StoredText text={other} />
                </a>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
