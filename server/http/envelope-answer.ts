import { STATUS_CODES } from 'node:http';
import type { EnvelopeAnswer } from '../../shared/envelope.ts';
import type { KeystowError } from '../../shared/errors.ts';

/** Answers as JSON inside another: of a Socket.IO message, of a batch. */

export interface InnerAnswer {
  readonly status: number;
  /** Undefined for none. */
  readonly headers: EnvelopeAnswer['headers'] | undefined;
  /** Empty for none. */
  readonly body: string;
  readonly isJson: boolean;
}

/** What an answer repeats of its request; `index` where it is the member of a batch. */
export interface Echo extends Partial<Pick<EnvelopeAnswer, 'method' | 'url' | 'id'>> {
  readonly index?: number;
}

const ANSWER_HEADERS = [
  ['etag', 'ETag'],
  ['location', 'Location'],
  ['link', 'Link'],
  ['retry-after', 'Retry-After'],
] as const;

/** Those of the headers that count, where there are any. */
export function answerHeaders(header: (name: string) => unknown): InnerAnswer['headers'] {
  let headers: EnvelopeAnswer['headers'];
  for (const [name, field] of ANSWER_HEADERS) {
    const value = header(field);
    if (typeof value !== 'string') continue;
    headers ??= {};
    headers[name] = value;
  }
  return headers;
}

export function errorAnswer({
  status,
  message,
  headers,
}: Pick<KeystowError, 'status' | 'message' | 'headers'>): InnerAnswer {
  return {
    status,
    headers: answerHeaders((name) => headers[name]),
    body: JSON.stringify({ error: message }),
    isJson: true,
  };
}

/** What is JSON goes in as it is: nobody parses it before the client does. */
export function answerJson(echo: Echo, answer: InnerAnswer, wantsText: boolean): string {
  const { index, method, url, id } = echo;
  const { status, headers, body } = answer;
  const statusText = STATUS_CODES[status] ?? '';
  // Each by name: JSON.stringify takes three times as long for an object that was spread.
  const json = JSON.stringify({ index, method, url, id, status, statusText, headers });
  if (body === '') return json;
  const data = answer.isJson && !wantsText ? body : JSON.stringify(body);
  return `${json.slice(0, -1)},"data":${data}}`;
}
