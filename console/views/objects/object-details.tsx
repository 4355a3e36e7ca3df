import { useEffect, useRef, useState } from 'preact/hooks';
import type { StoredObject } from '../../api/object-page.ts';
import { keyOfUrl } from '../../api/object-path.ts';
import { findObject, readHeaders } from '../../api/objects.ts';
import { onChange } from '../../live.ts';
import { formatBytes, formatCount, formatTime } from '../../parts/amounts.ts';
import { CopyButton } from '../../parts/copy-button.tsx';
import { isAbort } from '../../parts/explain.ts';
import { ErrorNotice } from '../../parts/notice.tsx';
import { StoredText } from '../../parts/stored-text.tsx';
import { DeleteObjectsDialog } from './delete-objects.tsx';
import { download } from './download.ts';
import { fileNameOf } from './folder.ts';
import { ownMetadata, storedHeaders } from './object-metadata.ts';
import { Preview } from './preview.tsx';

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
      {!object && !isGone && !error && <p class="muted">Reading …</p>}
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

function DownloadButton({ bucket, objectKey }: { bucket: string; objectKey: string }) {
  const [work, setWork] = useState<AbortController>();
  const [error, setError] = useState<unknown>();
  useEffect(() => () => work?.abort(), [work]);

  async function start(): Promise<void> {
    const own = new AbortController();
    setWork(own);
    setError(undefined);
    try {
      await download(bucket, objectKey, own.signal);
    } catch (reason) {
      if (!isAbort(reason)) setError(reason);
    }
    setWork(undefined);
  }

  return (
    <>
      {work ? (
        <button type="button" onClick={() => work.abort()}>
          Cancel the download
        </button>
      ) : (
        <button type="button" class="primary" onClick={start}>
          Download
        </button>
      )}
      <ErrorNotice error={error} />
    </>
  );
}

interface ReadObject {
  readonly object: StoredObject | undefined;
  readonly headers: Headers | undefined;
  readonly isGone: boolean;
  readonly error: unknown;
}

const NOT_READ: ReadObject = {
  object: undefined,
  headers: undefined,
  isGone: false,
  error: undefined,
};
const SETTLE_MS = 250;

/** An object as it is now: read again when it is written or deleted. */
function useObject(bucket: string, key: string): ReadObject & { reload: () => void } {
  const [state, setState] = useState(NOT_READ);
  const [round, setRound] = useState(0);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = onChange((item) => {
      if ('url' in item && keyOfUrl(item.url, bucket) !== key) return;
      clearTimeout(timer);
      timer = setTimeout(() => setRound((before) => before + 1), SETTLE_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [bucket, key]);

  // The round is what asks for another reading.
  useEffect(() => {
    const ended = new AbortController();
    const show = (state: ReadObject): void => {
      if (!ended.signal.aborted) setState(state);
    };
    const read = async (): Promise<void> => {
      const object = await findObject(bucket, key, ended.signal);
      if (!object) return show({ ...NOT_READ, isGone: true });
      try {
        const headers = await readHeaders(bucket, key, ended.signal);
        show({ ...NOT_READ, object, headers });
      } catch (error) {
        // The list knows something of it, too.
        show({ ...NOT_READ, object, error });
      }
    };
    read().catch((error) => show({ ...NOT_READ, error }));
    return () => ended.abort();
  }, [bucket, key, round]);

  return { ...state, reload: () => setRound((before) => before + 1) };
}
