import './saves.css';
import { type Bucket, listBuckets } from '../../api/buckets.ts';
import { ErrorNotice } from '../../parts/notice.tsx';
import { StoredText } from '../../parts/stored-text.tsx';
import { useRead } from '../../parts/use-read.ts';
import { route } from '../../router.ts';
import { NoSaveBuckets } from './no-save-buckets.tsx';
import { readPlace } from './save-place.ts';
import { ScopeForm } from './scope-form.tsx';
import { SlotList } from './slot-list.tsx';
import { SlotPanel } from './slot-panel.tsx';
import { SlotSearch } from './slot-search.tsx';

export function SavesView() {
  const { value: buckets, error, reload } = useRead('buckets', listBuckets);
  if (error !== undefined) return <ErrorNotice error={error} onRetry={reload} />;
  if (!buckets) return <p class="muted">Reading the buckets …</p>;
  return <SavesOf buckets={buckets.filter(({ saves }) => saves)} />;
}

function SavesOf({ buckets }: { buckets: readonly Bucket[] }) {
  const asked = readPlace(route.value.query);
  const [first] = buckets;
  if (!first) return <NoSaveBuckets />;
  const named = buckets.find(({ name }) => name === asked.bucket);
  const bucket = named ?? first;
  const place = { ...asked, bucket: bucket.name };
  const prefix = place.prefix ?? bucket.savePrefix;
  const folder = prefix === undefined ? undefined : { bucket: bucket.name, prefix, n: place.n };
  const scope = JSON.stringify(folder);
  return (
    <>
      <ScopeForm
        key={bucket.name}
        buckets={buckets}
        bucket={bucket}
        place={place}
        prefix={prefix}
      />
      {asked.bucket !== undefined && !named ? (
        <p class="notice" role="status">
          <span>
            There is no bucket <StoredText text={asked.bucket} /> with saves that your grants cover:
            choose another.
          </span>
        </p>
      ) : folder ? (
        <div class="split saves" key={scope}>
          <div class="column">
            <SlotSearch place={place} />
            <SlotList key={place.after} folder={folder} place={place} />
          </div>
          {place.slot === undefined ? (
            <p class="muted">Choose a slot, or find one by its number.</p>
          ) : (
            <SlotPanel
              key={place.slot}
              bucket={bucket}
              folder={folder}
              slot={place.slot}
              place={place}
            />
          )}
        </div>
      ) : (
        <p class="notice" role="status">
          This bucket has no prefix of its own: type the prefix of the saves that you look for, or
          choose one that is suggested.
        </p>
      )}
    </>
  );
}
