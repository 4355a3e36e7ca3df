import { useEffect, useRef, useState } from 'preact/hooks';
import type { StoredObject } from '../../api/object-page.ts';
import { formatBytes, formatCount, formatTime } from '../../parts/amounts.ts';
import { CopyButton } from '../../parts/copy-button.tsx';
import { ErrorNotice } from '../../parts/notice.tsx';
import { StoredText } from '../../parts/stored-text.tsx';
import { DeleteObjectsDialog } from './delete-objects.tsx';
import { DownloadButton } from './download-button.tsx';
import { fileNameOf } from './folder.ts';
import { ownMetadata, storedHeaders } from './object-metadata.ts';
import { Preview } from './preview.tsx';
import { useObject } from './use-object.ts';

interface ObjectDetailsProps {
  readonly bucket: string;
  readonly objectKey: string;
  readonly onClose: () => void;
}

export function ObjectDetails({ bucket, objectKey, onClose }: ObjectDetailsProps) {
  const { object, headers, isGone, error, reload } = useObject(bucket, objectKey);
  const [isDeleting, setDeleting] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);

  return (
    <section class="panel details" aria-label="Object">
      <div class="details-head">
        <h2 ref={heading} tabIndex={-1} class="breaks">
          <StoredText text={fileNameOf(objectKey)} />
        </h2>
        <button type="button" class="quiet" aria-label="Close the object" onClick={onClose}>
          ×
        </button>
      </div>
      <ErrorNotice error={error} onRetry={reload} />
      {isGone && (
        <p class="notice" role="status">
          There is no object of this name: it was deleted, or never here. Go back to the list.
        </p>
      )}
      {!object && !isGone && error === undefined && <p class="muted">Reading …</p>}
      {object && (
        <>
          <div class="toolbar">
            <DownloadButton bucket={bucket} objectKey={objectKey} />
            <CopyButton text={objectKey} what="Key" />
            <button type="button" class="danger" onClick={() => setDeleting(true)}>
              Delete
            </button>
          </div>
          {headers && (
            <Preview key={object.etag} bucket={bucket} object={object} headers={headers} />
          )}
          <Metadata object={object} headers={headers} />
        </>
      )}
      {isDeleting && (
        <DeleteObjectsDialog
          bucket={bucket}
          keys={[objectKey]}
          onClose={() => setDeleting(false)}
          onDeleted={() => {
            setDeleting(false);
            onClose();
          }}
        />
      )}
    </section>
  );
}

function Metadata({ object, headers }: { object: StoredObject; headers: Headers | undefined }) {
  const { key, size, time, etag, acl } = object;
  const own = headers ? ownMetadata(headers) : [];
  const rows = [
    { name: 'Key', value: key },
    {
      name: 'Size',
      value: size < 1024 ? formatBytes(size) : `${formatBytes(size)} (${formatCount(size)} bytes)`,
    },
    { name: 'Changed', value: formatTime(time) },
    ...(headers ? storedHeaders(headers) : []),
    { name: 'ETag', value: etag },
    { name: 'Who else may read it', value: acl },
  ];
  return (
    <>
      <Rows rows={rows} label="What is known of the object" />
      {own.length > 0 && (
        <>
          <h3>Metadata</h3>
          <Rows rows={own} label="Metadata" />
        </>
      )}
    </>
  );
}

function Rows(props: { rows: readonly { name: string; value: string }[]; label: string }) {
  return (
    <dl class="facts" aria-label={props.label}>
      {props.rows.map(({ name, value }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <StoredText text={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
