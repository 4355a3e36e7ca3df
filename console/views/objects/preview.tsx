import { useEffect, useState } from 'preact/hooks';
import type { StoredObject } from '../../api/object-page.ts';
import { readBytes } from '../../api/objects.ts';
import { formatBytes } from '../../parts/amounts.ts';
import { isAbort } from '../../parts/explain.ts';
import { ErrorNotice } from '../../parts/notice.tsx';
import { visible } from '../../parts/visible.ts';
import { fileNameOf } from './folder.ts';
import {
  decodeText,
  MAX_IMAGE_BYTES,
  MAX_TEXT_BYTES,
  type PreviewKind,
  previewKind,
} from './preview-kind.ts';

interface PreviewProps {
  readonly bucket: string;
  readonly object: StoredObject;
  readonly headers: Headers;
}

export function Preview({ bucket, object, headers }: PreviewProps) {
  const contentType = headers.get('content-type') ?? undefined;
  const contentEncoding = headers.get('content-encoding') ?? undefined;
  const [asText, setAsText] = useState(false);
  const told = previewKind({ ...object, contentType, contentEncoding });
  const kind: PreviewKind = asText ? { kind: 'text' } : told;
  if (kind.kind === 'none') {
    return (
      <p class="notice">
        {kind.reason}
        {kind.mayBeText && (
          <button type="button" onClick={() => setAsText(true)}>
            Show as text
          </button>
        )}
      </p>
    );
  }
  const type = kind.kind === 'image' ? kind.type : undefined;
  const isEncoded = contentEncoding !== undefined;
  return <Shown key={type} {...{ bucket, object, contentType, isEncoded }} image={type} />;
}

/** Made for this page alone: what others have stored is shown as one of a few types that run nothing. */
interface Made {
  readonly url: string;
  readonly isCut: boolean;
}

interface ShownProps {
  readonly bucket: string;
  readonly object: StoredObject;
  readonly contentType: string | undefined;
  readonly isEncoded: boolean;
  /** A type, or undefined for text. */
  readonly image: string | undefined;
}

function Shown({ bucket, object, contentType, isEncoded, image }: ShownProps) {
  const { key } = object;
  const [made, setMade] = useState<Made>();
  const [error, setError] = useState<unknown>();
  const [round, setRound] = useState(0);

  // The round is what asks for another reading.
  useEffect(() => {
    const ended = new AbortController();
    let url: string | undefined;
    const read = async (): Promise<void> => {
      const bytes = image ? MAX_IMAGE_BYTES : MAX_TEXT_BYTES;
      const read = await readBytes(bucket, key, { bytes, isEncoded, signal: ended.signal });
      if (ended.signal.aborted) return;
      const blob = image
        ? new Blob([read], { type: image })
        : new Blob([decodeText(read, contentType)], { type: 'text/plain;charset=utf-8' });
      url = URL.createObjectURL(blob);
      setMade({ url, isCut: read.byteLength === bytes && object.size > bytes });
    };
    setError(undefined);
    read().catch((reason) => {
      if (!isAbort(reason)) setError(reason);
    });
    return () => {
      ended.abort();
      if (url !== undefined) URL.revokeObjectURL(url);
    };
  }, [round]);

  const name = visible(fileNameOf(key));
  if (error !== undefined) {
    return <ErrorNotice error={error} onRetry={() => setRound((before) => before + 1)} />;
  }
  if (!made) return <p class="muted">Reading the preview …</p>;
  return (
    <figure class="preview">
      {image ? (
        <Picture url={made.url} name={name} />
      ) : (
        <iframe sandbox="" src={made.url} title={`Text of ${name}`} />
      )}
      {made.isCut && (
        <figcaption class="hint">
          The first {formatBytes(MAX_TEXT_BYTES)} of {formatBytes(object.size)}: download it for the
          rest.
        </figcaption>
      )}
    </figure>
  );
}

/**
 * As an image no SVG runs a script or loads anything (SVG Integration, secure animated mode), nor can it lead anywhere; and
 * unlike in a frame it keeps its own styles, which the console's policy would take away there.
 */
function Picture({ url, name }: { url: string; name: string }) {
  const [isBroken, setBroken] = useState(false);
  if (isBroken) return <p class="notice">The browser cannot show this image: download it.</p>;
  return <img src={url} alt={`Preview of ${name}`} onError={() => setBroken(true)} />;
}
