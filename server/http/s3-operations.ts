import type { Exchange } from './exchange.ts';

/** What S3 calls its operations, by level, method and subresource: for metrics. */
const NAMES: Readonly<Record<string, string>> = {
  'service GET': 'ListBuckets',
  'service POST': 'PostObject',
  'bucket GET': 'ListObjects',
  'bucket GET ?acl': 'GetBucketAcl',
  'bucket GET ?cors': 'GetBucketCors',
  'bucket GET ?location': 'GetBucketLocation',
  'bucket GET ?uploads': 'ListMultipartUploads',
  'bucket GET ?versioning': 'GetBucketVersioning',
  'bucket GET ?versions': 'ListObjectVersions',
  'bucket HEAD': 'HeadBucket',
  'bucket PUT': 'CreateBucket',
  'bucket PUT ?acl': 'PutBucketAcl',
  'bucket PUT ?cors': 'PutBucketCors',
  'bucket POST': 'PostObject',
  'bucket POST ?delete': 'DeleteObjects',
  'bucket DELETE': 'DeleteBucket',
  'bucket DELETE ?cors': 'DeleteBucketCors',
  'object GET': 'GetObject',
  'object GET ?acl': 'GetObjectAcl',
  'object GET ?tagging': 'GetObjectTagging',
  'object GET ?uploadId': 'ListParts',
  'object HEAD': 'HeadObject',
  'object PUT': 'PutObject',
  'object PUT ?acl': 'PutObjectAcl',
  'object PUT ?tagging': 'PutObjectTagging',
  'object PUT ?uploadId': 'UploadPart',
  'object POST ?uploadId': 'CompleteMultipartUpload',
  'object POST ?uploads': 'CreateMultipartUpload',
  'object DELETE': 'DeleteObject',
  'object DELETE ?tagging': 'DeleteObjectTagging',
  'object DELETE ?uploadId': 'AbortMultipartUpload',
};

/** With a source to copy from. */
const COPIES: Readonly<Record<string, string>> = {
  PutObject: 'CopyObject',
  UploadPart: 'UploadPartCopy',
};

/** `operation` is `GET ?acl`; what has no name is `S3`. */
export function s3OperationName(ctx: Exchange, level: string, operation: string): string {
  const name = NAMES[`${level} ${operation}`] ?? 'S3';
  if (ctx.get('x-amz-copy-source') !== '') return COPIES[name] ?? name;
  const isV2 = name === 'ListObjects' && /(?:^|&)list-type=2(?:&|$)/.test(ctx.querystring);
  return isV2 ? 'ListObjectsV2' : name;
}
