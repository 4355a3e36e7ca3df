import { MAX_PARTS } from '../../shared/limits.ts';
import { type ChecksumAlgorithm, checksumAlgorithms, isChecksum } from './expected-checksums.ts';
import { isoTime, type Owner, ownerXml } from './list-xml.ts';
import { invalidArgument, S3Error } from './s3-error.ts';
import { childrenOf, readRoot, requiredTextOf, textOf } from './xml-element.ts';
import { S3_NAMESPACE } from './xml-namespace.ts';
import type { XmlElement } from './xml-reader.ts';
import { XML_DECLARATION, xmlElement } from './xml-text.ts';

/** The documents of multipart uploads and of copies. */

interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: string;
  readonly type?: string | undefined;
}

interface UploadNames {
  readonly bucket: string;
  readonly key: string;
  readonly id: string;
}

/** One part as the client lists it; `etag` without quotes. */
export interface ListedPart {
  readonly number: number;
  readonly etag: string;
  readonly checksum?: Checksum | undefined;
}

/**
 * The parts of a CompleteMultipartUpload document. Throws S3Error MalformedXML, also for none and for
 * more than 10,000; InvalidArgument for a number out of range, and for a checksum that is none.
 */
export function parseCompleteUpload(document: string): ListedPart[] {
  const parts = childrenOf(readRoot(document, 'CompleteMultipartUpload'), 'Part');
  if (parts.length === 0 || parts.length > MAX_PARTS) throw new S3Error('MalformedXML');
  return parts.map((part) => ({
    number: parsePartNumber(requiredTextOf(part, 'PartNumber').trim()),
    etag: unquoted(requiredTextOf(part, 'ETag')),
    checksum: checksumOf(part),
  }));
}

function checksumOf(part: XmlElement): Checksum | undefined {
  const given = checksumAlgorithms.flatMap((algorithm) => {
    const value = textOf(part, checksumElement(algorithm))?.trim();
    return value ? [{ algorithm, value }] : [];
  });
  const [checksum, ...others] = given;
  if (!checksum || (others.length === 0 && isChecksum(checksum.algorithm, checksum.value))) {
    return checksum;
  }
  throw invalidArgument(
    'Invalid Base64 or multiple checksums present in request',
    'Checksum',
    given.map(({ value }) => value).join(),
  );
}

/** Throws S3Error InvalidArgument. */
export function parsePartNumber(text: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= MAX_PARTS) return number;
  throw new S3Error('InvalidArgument', {
    message: `Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`,
    extra: [
      ['ArgumentName', 'partNumber'],
      ['ArgumentValue', text],
    ],
  });
}

/** Clients send ETags with and without quotes. */
export function unquoted(etag: string): string {
  return etag.trim().replace(/^"(.*)"$/, '$1');
}

export function createdUploadXml({ bucket, key, id }: UploadNames): string {
  return answer('InitiateMultipartUploadResult', [
    xmlElement('Bucket', bucket),
    xmlElement('Key', key),
    xmlElement('UploadId', id),
  ]);
}

export function completedUploadXml(object: {
  readonly location: string;
  readonly bucket: string;
  readonly key: string;
  readonly etag: string;
  readonly checksum?: Checksum | undefined;
}): string {
  return answer('CompleteMultipartUploadResult', [
    xmlElement('Location', object.location),
    xmlElement('Bucket', object.bucket),
    xmlElement('Key', object.key),
    xmlElement('ETag', `"${object.etag}"`),
    ...checksumMembers(object.checksum),
  ]);
}

/** CopyObject and UploadPartCopy. */
export function copyResultXml(
  root: 'CopyObjectResult' | 'CopyPartResult',
  copy: {
    readonly etag: string;
    readonly lastModified: number;
    readonly checksum?: Checksum | undefined;
  },
): string {
  return answer(root, [
    xmlElement('LastModified', isoTime(copy.lastModified)),
    xmlElement('ETag', `"${copy.etag}"`),
    ...checksumMembers(copy.checksum),
  ]);
}

/** ListParts. */
export function listPartsXml(listing: {
  readonly upload: UploadNames & {
    readonly storageClass: string;
    readonly checksum?: Omit<Checksum, 'value'> | undefined;
  };
  readonly owner: Owner;
  readonly marker: number;
  readonly limit: number;
  readonly isTruncated: boolean;
  readonly parts: readonly (ListedPart & {
    readonly lastModified: number;
    readonly size: number;
  })[];
}): string {
  const { upload, owner, parts } = listing;
  const last = parts.at(-1);
  const { checksum } = upload;
  return answer('ListPartsResult', [
    xmlElement('Bucket', upload.bucket),
    xmlElement('Key', upload.key),
    xmlElement('UploadId', upload.id),
    ownerXml('Initiator', owner),
    ownerXml('Owner', owner),
    xmlElement('StorageClass', upload.storageClass),
    ...(checksum
      ? [
          xmlElement('ChecksumAlgorithm', checksum.algorithm.toUpperCase()),
          xmlElement('ChecksumType', checksum.type ?? 'FULL_OBJECT'),
        ]
      : []),
    xmlElement('PartNumberMarker', String(listing.marker)),
    // Without more to come it is left out: the AWS SDK's paginator goes on as long as there is one.
    ...(listing.isTruncated && last
      ? [xmlElement('NextPartNumberMarker', String(last.number))]
      : []),
    xmlElement('MaxParts', String(listing.limit)),
    xmlElement('IsTruncated', String(listing.isTruncated)),
    ...parts.map(
      (part) =>
        `<Part>${xmlElement('PartNumber', String(part.number))}${xmlElement('LastModified', isoTime(part.lastModified))}${xmlElement('ETag', `"${part.etag}"`)}${xmlElement('Size', String(part.size))}${valueElement(part.checksum)}</Part>`,
    ),
  ]);
}

function checksumMembers(checksum: Checksum | undefined): string[] {
  if (!checksum) return [];
  return [valueElement(checksum), xmlElement('ChecksumType', checksum.type ?? 'FULL_OBJECT')];
}

function valueElement(checksum: Checksum | undefined): string {
  return checksum ? xmlElement(checksumElement(checksum.algorithm), checksum.value) : '';
}

function checksumElement(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm.toUpperCase()}`;
}

function answer(root: string, members: readonly string[]): string {
  return `${XML_DECLARATION}<${root} xmlns="${S3_NAMESPACE}">${members.join('')}</${root}>`;
}
