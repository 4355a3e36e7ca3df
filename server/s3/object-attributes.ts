import { type CannedAcl, parseCannedAcl } from './canned-acl.ts';
import {
  type ExpectedChecksums,
  parseExpectedChecksums,
  refuseOtherChecksums,
} from './expected-checksums.ts';
import { type FormFields, fieldValue } from './form-fields.ts';
import { isHeaderText } from './header-text.ts';
import { type ObjectTag, parseTagging, parseTaggingHeader } from './object-tags.ts';
import { invalidArgument, S3Error } from './s3-error.ts';
import { textToBytes } from './uri-encoding.ts';

/** The user's metadata of one object: names without their prefix and values, in bytes of UTF-8. */
export const MAX_METADATA_BYTES = 2_048;

const META_PREFIX = 'x-amz-meta-';

/** The headers that are kept with an object and given back with it. */
export const storedHeaderNames = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
] as const;

export type StoredHeaderName = (typeof storedHeaderNames)[number];

const storageClasses = new Set([
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'GLACIER_IR',
  'DEEP_ARCHIVE',
  'EXPRESS_ONEZONE',
]);

/** What an upload says of its object, besides its key and its bytes. */
export interface ObjectAttributes {
  readonly acl: CannedAcl;
  /** Those that were given and not empty, as they were sent. */
  readonly headers: Readonly<Partial<Record<StoredHeaderName, string>>>;
  /** Without `x-amz-meta-`, names in lower case, in the order in which they came. */
  readonly metadata: readonly (readonly [name: string, value: string])[];
  readonly storageClass: string;
  readonly tags: readonly ObjectTag[];
  readonly expected: ExpectedChecksums;
}

/**
 * Of a form's fields. Throws S3Error: InvalidArgument for an ACL, a header or a metadata name that
 * cannot be kept, MetadataTooLarge over 2 KB together, InvalidStorageClass, MalformedXML and InvalidTag
 * for `tagging`, InvalidDigest and InvalidRequest for checksums, NotImplemented for keys of encryption.
 */
export function parseObjectAttributes(fields: FormFields): ObjectAttributes {
  const acl = fieldValue(fields, 'acl');
  const tagging = fieldValue(fields, 'tagging');
  refuseOtherChecksums(fields);
  return {
    ...parseCommonAttributes(fields),
    acl: acl === undefined ? 'private' : parseCannedAcl(acl, 'acl'),
    tags: tagging === undefined ? [] : parseTagging(tagging),
    expected: parseExpectedChecksums((name) => fieldValue(fields, name)),
  };
}

/**
 * Of the headers of PutObject and its like. Throws as `parseObjectAttributes` does, and S3Error
 * NotImplemented for headers that promise what is not kept.
 */
export function parseHeaderAttributes(headers: FormFields): Omit<ObjectAttributes, 'expected'> {
  refuseOtherPromises(headers);
  const acl = fieldValue(headers, 'x-amz-acl');
  const attributes = parseCommonAttributes(headers);
  return {
    ...attributes,
    headers: withoutChunks(attributes.headers),
    acl: acl ? parseCannedAcl(acl, 'x-amz-acl') : 'private',
    tags: parseTaggingHeader(textToBytes(fieldValue(headers, 'x-amz-tagging') ?? '')),
  };
}

function parseCommonAttributes(fields: FormFields) {
  const get = (name: string): string | undefined => fieldValue(fields, name);
  checkEncryption(fields);
  return {
    headers: parseStoredHeaders(get),
    metadata: parseMetadata(fields),
    storageClass: parseStorageClass(get('x-amz-storage-class')),
  };
}

/** How the body came is not what the object is. */
function withoutChunks(headers: ObjectAttributes['headers']): ObjectAttributes['headers'] {
  const { 'content-encoding': encoding = '', ...others } = headers;
  const kept = encoding
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding.toLowerCase() !== 'aws-chunked');
  return kept.length === 0 ? others : { ...others, 'content-encoding': kept.join(',') };
}

const OTHER_PROMISES =
  /^x-amz-(grant-|object-lock-|website-redirect-location$|write-offset-bytes$)/;

function refuseOtherPromises(headers: FormFields): void {
  for (const [key, { name }] of headers) {
    if (OTHER_PROMISES.test(key))
      throw new S3Error('NotImplemented', { extra: [['Header', name]] });
  }
}

function parseStoredHeaders(
  get: (name: string) => string | undefined,
): Partial<Record<StoredHeaderName, string>> {
  const headers: Partial<Record<StoredHeaderName, string>> = {};
  for (const name of storedHeaderNames) {
    const value = get(name);
    if (value === undefined || value === '') continue;
    if (!isHeaderText(value)) {
      throw invalidArgument('A header must not contain control characters.', name, value);
    }
    headers[name] = value;
  }
  return headers;
}

function parseMetadata(fields: FormFields): [string, string][] {
  const metadata: [string, string][] = [];
  let size = 0;
  for (const [key, { value }] of fields) {
    if (!key.startsWith(META_PREFIX)) continue;
    const name = key.slice(META_PREFIX.length);
    // Given back as a header, so a token of RFC 9110 section 5.6.2.
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) {
      throw invalidArgument('A metadata name must be a valid part of a header name.', key, value);
    }
    size += Buffer.byteLength(name) + Buffer.byteLength(value);
    metadata.push([name, value]);
  }
  if (size > MAX_METADATA_BYTES) {
    throw new S3Error('MetadataTooLarge', {
      extra: [
        ['Size', String(size)],
        ['MaxSizeAllowed', String(MAX_METADATA_BYTES)],
      ],
    });
  }
  return metadata;
}

/**
 * S3 encrypts everything with a key of its own, AES256, which forms may ask for all the same: here
 * that is left to the disk. Another key would be a promise that is not kept.
 */
function checkEncryption(fields: FormFields): void {
  for (const [key, { name, value }] of fields) {
    if (!key.startsWith('x-amz-server-side-encryption')) continue;
    if (key === 'x-amz-server-side-encryption' && value === 'AES256') continue;
    throw new S3Error('NotImplemented', { extra: [['Header', name]] });
  }
}

function parseStorageClass(requested: string | undefined): string {
  if (requested === undefined) return 'STANDARD';
  if (storageClasses.has(requested)) return requested;
  throw new S3Error('InvalidStorageClass', { extra: [['StorageClassRequested', requested]] });
}
