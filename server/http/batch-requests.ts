import { isUtf8 } from 'node:buffer';
import { setImmediate } from 'node:timers/promises';
import { KeystowError } from '../../shared/errors.ts';
import { MAX_BATCH_MEMBERS, MAX_ENVELOPE_URL_CHARS } from '../../shared/limits.ts';
import { rawElements, rawMembers } from '../json/raw-parts.ts';
import type { BatchMember } from '../services/batch.ts';
import type { DocumentChange } from '../services/document-changes.ts';
import { checkDocumentKey } from '../services/document-text.ts';
import {
  keyOf,
  readCreation,
  readPatch,
  readRemoval,
  readReplacement,
} from './document-requests.ts';
import { isJsonText, parseHeaders, wantsPlainText } from './envelope-headers.ts';
import { type Exchange, PlainExchange } from './exchange.ts';
import { isRecord } from './is-record.ts';
import { normalizeTarget } from './target.ts';

/** The body of a batch: an array of requests, each of which is read as if it stood alone. */

export interface BatchRequest {
  readonly member: BatchMember;
  /** What its answer repeats. */
  readonly echo: { readonly method: string; readonly url: string };
  /** The data of its answer is a string with the text. */
  readonly wantsText: boolean;
}

const READERS = new Map<string, (exchange: Exchange, maxBytes: number) => Promise<DocumentChange>>([
  ['POST', readCreation],
  ['PUT', readReplacement],
  ['PATCH', readPatch],
  ['DELETE', async (exchange) => readRemoval(exchange)],
]);
/** What is whole already is not waited for. */
const NEVER = new AbortController().signal;
const METHODS = [...READERS.keys()].join(', ');
/** Text that is parsed before others get their turn. */
const PARSED_AT_A_TIME_CHARS = 1_048_576;

/**
 * Throws `bad-request` or `too-large` for what is no batch: no array, too many members, one that does not
 * say what to do with which document, a key twice. What is wrong with a member alone is its own error.
 */
export async function parseBatch(body: Buffer, maxDocumentBytes: number): Promise<BatchRequest[]> {
  if (!isUtf8(body)) throw bad('The body is not valid UTF-8.');
  const elements = rawElements(body.toString());
  if (!elements) throw bad('A batch is a JSON array of {url, method, data?, headers?}.');
  if (elements.length > MAX_BATCH_MEMBERS) {
    throw new KeystowError('too-large', `A batch has at most ${MAX_BATCH_MEMBERS} members.`);
  }
  const requests: BatchRequest[] = [];
  const places = new Map<string, number>();
  let parsedChars = 0;
  for (const [index, element] of elements.entries()) {
    const { request, key } = await parseMember(index, element, maxDocumentBytes);
    const before = places.get(key);
    if (before !== undefined) {
      throw bad(`The members ${before} and ${index} are for one key: a batch changes each once.`);
    }
    places.set(key, index);
    requests.push(request);
    parsedChars += element.length;
    if (parsedChars < PARSED_AT_A_TIME_CHARS) continue;
    parsedChars = 0;
    await setImmediate();
  }
  return requests;
}

async function parseMember(
  index: number,
  text: string,
  maxDocumentBytes: number,
): Promise<{ request: BatchRequest; key: string }> {
  const what = `member ${index} of the batch`;
  const { method, url, headers: given, ...others } = parseElement(what, text);
  if (Object.keys(others).some((name) => name !== 'data')) {
    throw bad(`The ${what} has other members than url, method, data and headers.`);
  }
  const read = typeof method === 'string' ? READERS.get(method.toUpperCase()) : undefined;
  if (typeof method !== 'string' || !read) {
    throw bad(`The method of ${what} is one of ${METHODS}.`);
  }
  if (typeof url !== 'string' || !url.startsWith('/data/') || !url.isWellFormed()) {
    throw bad(`The url of ${what} is a path, such as "/data/test".`);
  }
  if (url.length > MAX_ENVELOPE_URL_CHARS) {
    throw bad(`The url of ${what} has at most ${MAX_ENVELOPE_URL_CHARS} characters.`);
  }
  const headers = parseHeaders(given, what);
  const body = bodyOf(rawMembers(text)?.get('data'), headers['content-type'], what);
  const exchange = new PlainExchange({
    method: method.toUpperCase(),
    url: normalizeTarget(Buffer.from(url).toString('latin1')),
    headers,
    ip: '',
    state: {
      requestId: '',
      envelope: { credentials: undefined, hasAuth: false, body, base: '', gone: NEVER },
    },
    req: undefined,
    res: undefined,
  });
  const key = keyOf(exchange);
  checkDocumentKey(key);
  const member = await refusing(() => read(exchange, maxDocumentBytes));
  const echo = { method: exchange.method, url };
  return { request: { member, echo, wantsText: wantsPlainText(headers['accept']) }, key };
}

function parseElement(what: string, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw bad(`The ${what} is not valid JSON: ${reason}.`);
  }
  if (!isRecord(value)) throw bad(`The ${what} is no object with url and method.`);
  return value;
}

async function refusing(work: () => Promise<DocumentChange>): Promise<BatchMember> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof KeystowError) return error;
    throw error;
  }
}

/** A string that is said to be JSON is the text itself. */
function bodyOf(data: string | undefined, contentType: string | undefined, what: string): Buffer {
  if (data === undefined) return Buffer.alloc(0);
  if (!data.startsWith('"') || !isJsonText(contentType)) return Buffer.from(data);
  const text: string = JSON.parse(data);
  if (!text.isWellFormed()) throw bad(`The data of ${what} has a lone surrogate: escape it.`);
  return Buffer.from(text);
}

function bad(message: string): KeystowError {
  return new KeystowError('bad-request', message);
}
