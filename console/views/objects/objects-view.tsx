import { route } from '../../router.ts';
import { BucketList } from './bucket-list.tsx';
import { BucketView } from './bucket-view.tsx';
import './objects.css';
import { placeOf } from './places.ts';
import { UploadPanel } from './upload-panel.tsx';

export function ObjectsView() {
  const { bucket, prefix = '', key } = placeOf(route.value.query);
  return (
    <>
      {bucket === undefined ? (
        <BucketList />
      ) : (
        <BucketView key={bucket} bucket={bucket} prefix={prefix} chosen={key} />
      )}
      <UploadPanel />
    </>
  );
}
