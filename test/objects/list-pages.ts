import { expect } from 'vitest';
import { sendS3 } from '../support/s3-client.ts';
import { AS_ADMIN } from '../support/s3-server.ts';
import type { Entry } from './list-model.ts';

/** S3's lists by key over HTTP, page after page as each of them goes on. */

export interface ListCall {
  readonly prefix?: string;
  readonly delimiter?: string | undefined;
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}

export interface ListedPage {
  readonly entries: readonly Entry[];
  /** Of uploads. */
  readonly ids: readonly string[];
  readonly isTruncated: boolean;
  /** Every element with text, of the last one of its name, not decoded. */
  readonly xml: Readonly<Record<string, string>>;
  readonly text: string;
}

export const LISTS = ['ListObjects', 'ListObjectsV2', 'ListObjectVersions'] as const;

export type ListName = (typeof LISTS)[number] | 'ListMultipartUploads';

interface Kind {
  readonly fixed: Readonly<Record<string, string>>;
  readonly afterName: string;
  readonly limitName: string;
  readonly itemName: string;
  next(page: ListedPage): Record<string, string>;
}

const decode = (text: string | undefined): string => decodeURIComponent(text ?? '');

const kinds: Readonly<Record<ListName, Kind>> = {
  ListObjects: {
    fixed: {},
    afterName: 'marker',
    limitName: 'max-keys',
    itemName: 'Contents',
    next: ({ xml, entries }) => ({
      marker:
        xml['NextMarker'] === undefined ? (entries.at(-1)?.name ?? '') : decode(xml['NextMarker']),
    }),
  },
  ListObjectsV2: {
    fixed: { 'list-type': '2' },
    afterName: 'start-after',
    limitName: 'max-keys',
    itemName: 'Contents',
    next: ({ xml }) => ({ 'continuation-token': xml['NextContinuationToken'] ?? '' }),
  },
  ListObjectVersions: {
    fixed: { versions: '' },
    afterName: 'key-marker',
    limitName: 'max-keys',
    itemName: 'Version',
    next: ({ xml }) => ({
      'key-marker': decode(xml['NextKeyMarker']),
      ...(xml['NextVersionIdMarker'] ? { 'version-id-marker': xml['NextVersionIdMarker'] } : {}),
    }),
  },
  ListMultipartUploads: {
    fixed: { uploads: '' },
    afterName: 'key-marker',
    limitName: 'max-uploads',
    itemName: 'Upload',
    next: ({ xml }) => ({
      'key-marker': decode(xml['NextKeyMarker']),
      'upload-id-marker': xml['NextUploadIdMarker'] ?? '',
    }),
  },
};

/** All pages of one list. */
export async function listAll(
  url: string,
  bucket: string,
  name: ListName,
  call: ListCall,
  headers: Readonly<Record<string, string>> = AS_ADMIN,
): Promise<ListedPage[]> {
  const { fixed, afterName, limitName, itemName, next } = kinds[name];
  const query: Record<string, string> = { ...fixed, 'encoding-type': 'url' };
  if (call.prefix) query['prefix'] = call.prefix;
  if (call.delimiter) query['delimiter'] = call.delimiter;
  if (call.limit !== undefined) query[limitName] = String(call.limit);
  if (call.after) query[afterName] = call.after;
  const pages: ListedPage[] = [];
  for (;;) {
    const path = `/${bucket}?${encodeQuery(query)}`;
    const answer = await sendS3(url, { path, headers });
    expect(answer.status, answer.text).toBe(200);
    const page = readPage(answer.text, answer.xml, itemName);
    pages.push(page);
    if (!page.isTruncated) return pages;
    Object.assign(query, next(page));
  }
}

function encodeQuery(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
}

function readPage(text: string, xml: Readonly<Record<string, string>>, item: string): ListedPage {
  const items = blocks(text, item);
  const texts = (all: readonly string[], member: string): string[] =>
    all.map((block) => new RegExp(`<${member}>([^<]*)</${member}>`).exec(block)?.[1] ?? '');
  const names = texts(items, 'Key').map(decode);
  const prefixes = texts(blocks(text, 'CommonPrefixes'), 'Prefix').map(decode);
  return {
    entries: [
      ...names.map((name) => ({ name, isCommonPrefix: false })),
      ...prefixes.map((name) => ({ name, isCommonPrefix: true })),
    ],
    ids: texts(items, 'UploadId'),
    isTruncated: xml['IsTruncated'] === 'true',
    xml,
    text,
  };
}

function blocks(text: string, name: string): string[] {
  return [...text.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs'))].map(
    ([, block = '']) => block,
  );
}
