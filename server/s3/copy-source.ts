import { isBucketName } from './bucket-name.ts';
import type { ByteRange } from './byte-range.ts';
import { isNotModified, type Validators } from './conditional-request.ts';
import { parseResource } from './object-key.ts';
import { invalidArgument, S3Error } from './s3-error.ts';
import { checkVersionId } from './version-id.ts';

/** What a copy is made of. */
export interface CopySource {
  readonly bucket: string;
  readonly key: string;
}

/**
 * `x-amz-copy-source`: `/BUCKET/KEY`, percent-encoded, with or without its first slash. Clients encode
 * the slashes as well, S3 takes them for what they are.
 * Throws S3Error InvalidArgument; NoSuchVersion for another version than the null one.
 */
export function parseCopySource(header: string): CopySource {
  const [path = '', query = ''] = header.split('?', 2);
  const { bucket, key } = readResource(path, header);
  if (bucket === undefined || key === '') throw badSource(header);
  if (!isBucketName(bucket)) {
    throw invalidArgument('Invalid copy source bucket name', 'x-amz-copy-source', header);
  }
  checkVersionId(new URLSearchParams(query).get('versionId') ?? undefined, key);
  return { bucket, key };
}

function readResource(path: string, header: string) {
  try {
    return parseResource(path.replaceAll(/%2f/gi, '/'));
  } catch {
    throw badSource(header);
  }
}

function badSource(header: string): S3Error {
  return invalidArgument(
    'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    'x-amz-copy-source',
    header,
  );
}

/**
 * `x-amz-copy-source-range`: `bytes=FIRST-LAST`, both of them in the object.
 * Throws S3Error InvalidArgument or InvalidRange.
 */
export function parseCopyRange(header: string | undefined, size: number): ByteRange | undefined {
  if (header === undefined) return undefined;
  const [, first, last] = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(header) ?? [];
  const range = { start: Number(first), end: Number(last) };
  if (first === undefined || range.start > range.end) {
    throw invalidArgument(
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
      'x-amz-copy-source-range',
      header,
    );
  }
  if (range.end < size) return range;
  throw invalidArgument(
    `Range specified is not valid for source object of size: ${size}`,
    'x-amz-copy-source-range',
    header,
  );
}

/** Throws S3Error PreconditionFailed; `get` finds a header by its name in lower case. */
export function checkCopyConditions(
  get: (name: string) => string | undefined,
  source: Validators,
): void {
  const prefix = 'x-amz-copy-source-if-';
  const isUnchanged = isNotModified(
    {
      'if-match': get(`${prefix}match`),
      'if-none-match': get(`${prefix}none-match`),
      'if-modified-since': get(`${prefix}modified-since`),
      'if-unmodified-since': get(`${prefix}unmodified-since`),
    },
    source,
  );
  if (isUnchanged) throw new S3Error('PreconditionFailed');
}

/** `x-amz-metadata-directive` and its like. Throws S3Error InvalidArgument. */
export function parseDirective(name: string, value: string | undefined): 'COPY' | 'REPLACE' {
  if (value === undefined || value === '' || value === 'COPY') return 'COPY';
  if (value === 'REPLACE') return 'REPLACE';
  throw invalidArgument(`Unknown ${name.replace('x-amz-', '').replaceAll('-', ' ')}.`, name, value);
}
