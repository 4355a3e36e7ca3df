import type { JsonSchema } from './operation.ts';

/** Headers of answers. Two entries may be one header, where one answer always has it and another may. */

export interface Header {
  /** Where it is not the entry's own. */
  readonly name?: string;
  readonly description: string;
  readonly isRequired: boolean;
  readonly schema?: JsonSchema;
}

export const headers = {
  'X-Request-Id': {
    description: 'The id of the request, which its line in the log has too.',
    isRequired: true,
  },
  ETag: { description: 'The number of the last write, in quotes.', isRequired: true },
  CurrentETag: {
    name: 'ETag',
    description: 'The ETag of what is there now, if anything is.',
    isRequired: false,
  },
  Location: { description: 'The path of what was made.', isRequired: true },
  Link: {
    description: 'Where there is more: `<URL>; rel="next"`, the next page.',
    isRequired: false,
  },
  'X-Keystow-Revision': {
    description: 'Writes up to this number, and all before it, are in the list.',
    isRequired: true,
    schema: { type: 'string', pattern: '^\\d+$' },
  },
  BackupRevision: {
    name: 'X-Keystow-Revision',
    description: 'Writes up to this number are in the backup, and none behind it.',
    isRequired: true,
    schema: { type: 'string', pattern: '^\\d+$' },
  },
  'WWW-Authenticate': { description: 'Asks for Basic credentials.', isRequired: true },
  'Retry-After': {
    description: 'Seconds to wait before trying again.',
    isRequired: true,
    schema: { type: 'string', pattern: '^\\d+$' },
  },
  MaybeRetryAfter: {
    name: 'Retry-After',
    description: 'Seconds to wait before trying again, where that is known.',
    isRequired: false,
    schema: { type: 'string', pattern: '^\\d+$' },
  },
  'Accept-Patch': { description: 'The media types of patches.', isRequired: true },
  'Cache-Control': { description: 'Whether the answer may be kept.', isRequired: true },
  MaybeCacheControl: {
    name: 'Cache-Control',
    description: 'Whether the answer may be kept.',
    isRequired: false,
  },
  'X-Accel-Buffering': {
    description: '`no`, for streams: proxies hand events on at once.',
    isRequired: false,
  },
  'X-Runtime': { description: 'Seconds that signing took.', isRequired: true },
  ContentHash: {
    name: 'ETag',
    description: 'Of the bytes, in quotes.',
    isRequired: true,
  },
  DocumentETag: { name: 'ETag', description: 'Of the document.', isRequired: true },
  'Last-Modified': { description: 'When the bytes were stored.', isRequired: true },
  'Accept-Ranges': { description: '`bytes`.', isRequired: true },
  'Content-Range': { description: 'Which bytes these are, and of how many.', isRequired: true },
  'Content-Security-Policy': {
    description: 'Stored bytes never run as a page of the server.',
    isRequired: true,
  },
  ObjectLocation: {
    name: 'Location',
    description: 'The URL of the object, or the one that the form redirects to.',
    isRequired: true,
  },
  'x-amz-request-id': { description: 'As `X-Request-Id`.', isRequired: true },
  'x-amz-id-2': { description: 'Tells the process.', isRequired: true },
} as const satisfies Record<string, Header>;

export type HeaderName = keyof typeof headers;
