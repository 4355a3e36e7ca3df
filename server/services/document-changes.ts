import { KeystowError } from '../../shared/errors.ts';
import { MAX_DOCUMENT_DEPTH } from '../../shared/limits.ts';
import { applyJsonPatch } from '../json/json-patch.ts';
import { type JsonNode, parseLossless, stringifyLossless } from '../json/lossless.ts';
import { mergePatch, setMembers } from '../json/merge-patch.ts';
import { DamagedEntry, type KvCheck, type KvStore } from '../stores/kv-store.ts';
import { checkDocumentKey, parseDocumentText, parseJsonText } from './document-text.ts';
import { checkAllowed, type Principal } from './grants.ts';
import { isMatch, isNoneMatch, type Preconditions, wantsAbsence } from './preconditions.ts';

/** What a change makes of a document: the rules that single requests and batches have in common. */

export type PatchFormat = 'members' | 'merge-patch' | 'json-patch';

interface Change {
  readonly key: string;
  readonly pre: Preconditions;
}

/** An empty body of a creation means `{}`. */
export type DocumentChange = Change &
  (
    | { readonly type: 'create'; readonly body: Buffer }
    | { readonly type: 'replace'; readonly body: Buffer }
    | { readonly type: 'patch'; readonly format: PatchFormat; readonly body: Buffer }
    | { readonly type: 'remove' }
  );

/** A document as it is stored; a damaged one exists, without an ETag: it can be replaced and deleted. */
export interface Stored {
  /** Null where there is none. */
  readonly version: KvCheck['version'];
  readonly text?: Buffer;
}

/** Documents of `data/KEY` lie in the store under just that key: grants and changes name it so too. */
export const DATA_PREFIX = 'data/';
const EMPTY = Buffer.from('{}');
/** The values of a JSON Patch stand inside its array and their operations. */
const MAX_PATCH_DEPTH = MAX_DOCUMENT_DEPTH + 2;

/** All that can be told before the document is read. Throws `bad-request`, `forbidden`. */
export function checkChange(by: Principal, change: DocumentChange): void {
  checkDocumentKey(change.key);
  checkAllowed(by, 'write', DATA_PREFIX + change.key);
  if (change.type === 'replace' || (change.type === 'create' && change.body.byteLength > 0)) {
    parseDocumentText(change.body);
  }
  if (change.type === 'patch') parseJsonText(change.body, MAX_PATCH_DEPTH);
}

/** Rejects with `DamagedEntry` where a patch needs the text. */
export async function readStored(store: KvStore, change: DocumentChange): Promise<Stored> {
  try {
    const entry = await store.get(DATA_PREFIX + change.key);
    return entry ? { version: entry.version, text: entry.value } : { version: null };
  } catch (error) {
    if (error instanceof DamagedEntry && change.type !== 'patch') return { version: 'damaged' };
    throw error;
  }
}

/**
 * The text to store, null to delete. Throws `already-exists`, `not-found`, `precondition-failed` and
 * what a patch fails with.
 */
export function applyChange(
  change: DocumentChange,
  { version, text }: Stored,
  maxDocumentBytes: number,
): Buffer | null {
  const { key, pre } = change;
  if (change.type === 'create') {
    if (version !== null) throw alreadyExists(key);
    checkPreconditions(key, null, pre);
    return change.body.byteLength > 0 ? change.body : EMPTY;
  }
  if (version === null && !(change.type === 'replace' && wantsAbsence(pre))) throw notFound(key);
  checkPreconditions(key, version, pre);
  if (change.type === 'remove') return null;
  if (change.type === 'replace') return change.body;
  const { format, body } = change;
  const patch = parseLossless(body.toString(), MAX_PATCH_DEPTH);
  return Buffer.from(patched(key, text ?? EMPTY, format, patch, maxDocumentBytes));
}

export function etagOf(version: number | 'damaged'): string {
  return `"${version}"`;
}

export function notFound(key: string): KeystowError {
  return new KeystowError('not-found', `${key} not found.`);
}

export function alreadyExists(key: string): KeystowError {
  return new KeystowError('already-exists', `${key} already exists.`);
}

export function tooBusy(what: string): KeystowError {
  return new KeystowError('unavailable', `${what} written too often: try again.`, {
    headers: { 'Retry-After': '1' },
  });
}

function checkPreconditions(key: string, version: KvCheck['version'], pre: Preconditions): void {
  const etag = version === null ? undefined : etagOf(version);
  if (isMatch(pre, etag) && isNoneMatch(pre, etag)) return;
  throw new KeystowError(
    'precondition-failed',
    etag
      ? `${key} has the ETag ${etag} now: read it again and decide anew.`
      : `${key} does not exist, so no ETag matches.`,
    etag ? { headers: { ETag: etag } } : {},
  );
}

/** The text of the document with the patch applied. */
function patched(
  key: string,
  text: Buffer,
  format: PatchFormat,
  patch: JsonNode,
  maxBytes: number,
): string {
  const document = parseLossless(text.toString());
  const result = applyPatch(key, document, format, patch, maxBytes);
  if (typeof result === 'string') {
    throw new KeystowError(
      'bad-request',
      `The patch would leave ${key} without an object or array: that is no document.`,
    );
  }
  return stringifyLossless(result, maxBytes);
}

function applyPatch(
  key: string,
  document: JsonNode,
  format: PatchFormat,
  patch: JsonNode,
  maxBytes: number,
): JsonNode {
  if (format === 'json-patch') return applyJsonPatch(document, patch, maxBytes);
  if (format === 'merge-patch') return mergePatch(document, patch);
  if (!(patch instanceof Map)) {
    throw new KeystowError(
      'bad-request',
      'A PATCH with application/json is an object of the members to set.',
    );
  }
  if (!(document instanceof Map)) {
    throw new KeystowError(
      'conflict',
      `${key} holds an array, which has no members to set: send a JSON Patch.`,
    );
  }
  setMembers(document, patch);
  return document;
}
