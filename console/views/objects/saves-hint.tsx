import { listBuckets } from '../../api/buckets.ts';
import { useRead } from '../../parts/use-read.ts';
import { href } from '../../router.ts';

/** Says of a bucket with saves why it refuses other files. Nothing of other buckets. */
export function SavesHint({ bucket }: { bucket: string }) {
  const { value: buckets = [] } = useRead('buckets', listBuckets);
  if (!buckets.some(({ name, saves }) => name === bucket && saves)) return null;
  return (
    <p class="notice">
      This bucket numbers saves, and refuses files of other names.
      <a href={href('saves', { bucket })}>Show its saves</a>
    </p>
  );
}
