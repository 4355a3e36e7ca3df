import { KeystowError } from '../../shared/errors.ts';
import type { DocumentChange, PatchFormat } from '../services/document-changes.ts';
import { parsePreconditions } from '../services/preconditions.ts';
import { checkJsonType, contentType, readBody } from './body.ts';
import type { Exchange } from './exchange.ts';
import { decodeAfter } from './target.ts';

/** What a request says of one document, whether it stands alone or in a batch. */

const PATCH_FORMATS = new Map<string, PatchFormat>([
  ['application/json', 'members'],
  ['application/merge-patch+json', 'merge-patch'],
  ['application/json-patch+json', 'json-patch'],
]);
const PATCH_TYPES = [...PATCH_FORMATS.keys()].join(', ');

type Change<Type> = Extract<DocumentChange, { type: Type }>;

/** Throws `bad-request`. */
export function keyOf(exchange: Exchange): string {
  return decodeAfter(exchange, '/data/');
}

/** Throws `bad-request`. */
export function preconditionsOf({ headers }: Exchange) {
  return parsePreconditions(headers['if-match'], headers['if-none-match']);
}

export async function readCreation(
  exchange: Exchange,
  maxBytes: number,
): Promise<Change<'create'>> {
  return { type: 'create', ...(await readDocument(exchange, maxBytes)) };
}

export async function readReplacement(
  exchange: Exchange,
  maxBytes: number,
): Promise<Change<'replace'>> {
  return { type: 'replace', ...(await readDocument(exchange, maxBytes)) };
}

export async function readPatch(exchange: Exchange, maxBytes: number): Promise<Change<'patch'>> {
  const key = keyOf(exchange);
  const format = PATCH_FORMATS.get(contentType(exchange) ?? 'application/json');
  if (!format) {
    throw new KeystowError(
      'unsupported-media-type',
      `A PATCH has one of these content types: ${PATCH_TYPES}.`,
      { headers: { 'Accept-Patch': PATCH_TYPES } },
    );
  }
  const body = await readBody(exchange, maxBytes);
  return { type: 'patch', key, format, body, pre: preconditionsOf(exchange) };
}

export function readRemoval(exchange: Exchange): Change<'remove'> {
  return { type: 'remove', key: keyOf(exchange), pre: preconditionsOf(exchange) };
}

async function readDocument(exchange: Exchange, maxBytes: number) {
  const key = keyOf(exchange);
  checkJsonType(exchange);
  const body = await readBody(exchange, maxBytes);
  return { key, body, pre: preconditionsOf(exchange) };
}
