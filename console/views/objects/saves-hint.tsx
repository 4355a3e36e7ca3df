import { useEffect, useState } from 'preact/hooks';
import { listBuckets } from '../../api/buckets.ts';
import { href } from '../../router.ts';

/** Says of a bucket with saves why it refuses other files. Nothing of other buckets. */
export function SavesHint({ bucket }: { bucket: string }) {
  const [hasSaves, setSaves] = useState(false);

  useEffect(() => {
    const ended = new AbortController();
    const none = (): void => setSaves(false);
    listBuckets(ended.signal).then((buckets) => {
      setSaves(buckets.some(({ name, saves }) => name === bucket && saves === true));
    }, none);
    return () => ended.abort();
  }, [bucket]);

  if (!hasSaves) return null;
  return (
    <p class="notice">
      This bucket numbers saves, and refuses files of other names.
      <a href={href('saves', { bucket })}>Show its saves</a>
    </p>
  );
}
