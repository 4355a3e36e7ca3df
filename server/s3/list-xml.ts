import type { ListParameters } from './list-parameters.ts';
import { isoSeconds } from './timestamps.ts';
import { textToBytes, uriEncodePath } from './uri-encoding.ts';
import { S3_NAMESPACE } from './xml-namespace.ts';
import { XML_DECLARATION, xmlElement } from './xml-text.ts';

/** The answers of S3's lists by key. */

export interface Owner {
  readonly id: string;
  readonly displayName: string;
}

export interface ListedObject {
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly lastModified: number;
  /** Without quotes. */
  readonly etag: string;
  readonly size: number;
  readonly storageClass: string;
  readonly checksum?:
    | { readonly algorithm: string; readonly type?: string | undefined }
    | undefined;
}

interface Listing<T> {
  readonly bucket: string;
  readonly parameters: ListParameters;
  readonly items: readonly T[];
  readonly commonPrefixes: readonly string[];
}

/** ListObjects. `nextMarker` only where it is not simply the last key. */
export function listObjectsXml(
  listing: Listing<ListedObject> & {
    readonly owner: Owner;
    readonly marker: string;
    readonly isTruncated: boolean;
    readonly nextMarker: string | undefined;
  },
): string {
  const name = nameElement(listing.parameters);
  return listXml('ListBucketResult', listing, [
    name('Marker', listing.marker),
    ...(listing.nextMarker === undefined ? [] : [name('NextMarker', listing.nextMarker)]),
    ...frame(listing, 'MaxKeys', listing.isTruncated),
    ...listing.items.map((object) => contents(object, name, listing.owner)),
  ]);
}

/** ListObjectsV2. */
export function listObjectsV2Xml(
  listing: Listing<ListedObject> & {
    /** Only where the client asked for it. */
    readonly owner: Owner | undefined;
    readonly startAfter: string | undefined;
    readonly continuationToken: string | undefined;
    readonly nextContinuationToken: string | undefined;
  },
): string {
  const { items, commonPrefixes, startAfter, continuationToken, nextContinuationToken } = listing;
  const name = nameElement(listing.parameters);
  return listXml('ListBucketResult', listing, [
    ...(startAfter === undefined ? [] : [name('StartAfter', startAfter)]),
    ...optional('ContinuationToken', continuationToken),
    ...optional('NextContinuationToken', nextContinuationToken),
    xmlElement('KeyCount', String(items.length + commonPrefixes.length)),
    ...frame(listing, 'MaxKeys', nextContinuationToken !== undefined),
    ...items.map((object) => contents(object, name, listing.owner)),
  ]);
}

/** ListObjectVersions: each object is its own null version, the latest. */
export function listVersionsXml(
  listing: Listing<ListedObject> & {
    readonly owner: Owner;
    readonly keyMarker: string;
    readonly versionIdMarker: string;
    readonly next: { readonly keyMarker: string; readonly isKey: boolean } | undefined;
  },
): string {
  const { next } = listing;
  const name = nameElement(listing.parameters);
  return listXml('ListVersionsResult', listing, [
    name('KeyMarker', listing.keyMarker),
    xmlElement('VersionIdMarker', listing.versionIdMarker),
    ...(next ? [name('NextKeyMarker', next.keyMarker)] : []),
    ...(next?.isKey ? [xmlElement('NextVersionIdMarker', 'null')] : []),
    ...frame(listing, 'MaxKeys', next !== undefined),
    ...listing.items.map(
      (object) =>
        `<Version>${name('Key', object.key)}<VersionId>null</VersionId><IsLatest>true</IsLatest>${objectMembers(object)}${ownerXml('Owner', listing.owner)}</Version>`,
    ),
  ]);
}

export interface ListedUpload {
  readonly key: string;
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly initiated: number;
  readonly storageClass: string;
  readonly checksum?: { readonly algorithm: string; readonly type: string } | undefined;
}

/** ListMultipartUploads. */
export function listUploadsXml(
  listing: Listing<ListedUpload> & {
    readonly owner: Owner;
    readonly keyMarker: string;
    readonly uploadIdMarker: string;
    readonly next: { readonly keyMarker: string; readonly uploadIdMarker: string } | undefined;
  },
): string {
  const { next } = listing;
  const name = nameElement(listing.parameters);
  const owner = ownerXml('Initiator', listing.owner) + ownerXml('Owner', listing.owner);
  return listXml(
    'ListMultipartUploadsResult',
    listing,
    [
      name('KeyMarker', listing.keyMarker),
      xmlElement('UploadIdMarker', listing.uploadIdMarker),
      ...(next
        ? [
            name('NextKeyMarker', next.keyMarker),
            xmlElement('NextUploadIdMarker', next.uploadIdMarker),
          ]
        : []),
      ...frame(listing, 'MaxUploads', next !== undefined),
      ...listing.items.map(
        (upload) =>
          `<Upload>${name('Key', upload.key)}${xmlElement('UploadId', upload.id)}${owner}${xmlElement('StorageClass', upload.storageClass)}${xmlElement('Initiated', isoTime(upload.initiated))}${checksumXml(upload.checksum)}</Upload>`,
      ),
    ],
    'Bucket',
  );
}

function listXml(
  root: string,
  { bucket, parameters, commonPrefixes }: Listing<unknown>,
  members: readonly string[],
  bucketMember = 'Name',
): string {
  const name = nameElement(parameters);
  const prefixes = commonPrefixes.map(
    (prefix) => `<CommonPrefixes>${name('Prefix', prefix)}</CommonPrefixes>`,
  );
  return `${XML_DECLARATION}<${root} xmlns="${S3_NAMESPACE}">${xmlElement(bucketMember, bucket)}${name('Prefix', parameters.prefix)}${members.join('')}${prefixes.join('')}</${root}>`;
}

/** What was asked for, and whether there is more. */
function frame(
  { parameters }: Listing<unknown>,
  limitName: string,
  isTruncated: boolean,
): string[] {
  const { limit, delimiter, isUrlEncoded } = parameters;
  return [
    xmlElement(limitName, String(limit)),
    ...(delimiter === undefined ? [] : [nameElement(parameters)('Delimiter', delimiter)]),
    ...(isUrlEncoded ? [xmlElement('EncodingType', 'url')] : []),
    xmlElement('IsTruncated', String(isTruncated)),
  ];
}

type NameElement = (element: string, name: string) => string;

/** Names may hold what XML cannot: `encoding-type=url` is for them. */
function nameElement({ isUrlEncoded }: ListParameters): NameElement {
  return (element, name) =>
    xmlElement(element, isUrlEncoded ? uriEncodePath(textToBytes(name)) : name);
}

function contents(object: ListedObject, name: NameElement, owner: Owner | undefined): string {
  return `<Contents>${name('Key', object.key)}${objectMembers(object)}${owner ? ownerXml('Owner', owner) : ''}</Contents>`;
}

function objectMembers({ lastModified, etag, size, storageClass, checksum }: ListedObject): string {
  return [
    xmlElement('LastModified', isoTime(lastModified)),
    xmlElement('ETag', `"${etag}"`),
    checksumXml(checksum),
    xmlElement('Size', String(size)),
    xmlElement('StorageClass', storageClass),
  ].join('');
}

function checksumXml(checksum: ListedObject['checksum']): string {
  if (!checksum) return '';
  return (
    xmlElement('ChecksumAlgorithm', checksum.algorithm.toUpperCase()) +
    xmlElement('ChecksumType', checksum.type ?? 'FULL_OBJECT')
  );
}

export function ownerXml(element: string, { id, displayName }: Owner): string {
  return `<${element}>${xmlElement('ID', id)}${xmlElement('DisplayName', displayName)}</${element}>`;
}

/** S3's lists write milliseconds, but they are always zero: the time is that of `Last-Modified`. */
export function isoTime(time: number): string {
  return isoSeconds(time).replace('Z', '.000Z');
}

function optional(element: string, text: string | undefined): string[] {
  return text === undefined ? [] : [xmlElement(element, text)];
}
