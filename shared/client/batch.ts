import type { Codec } from './codec.ts';
import { type Patch, patchBody, preconditions } from './patch.ts';
import { documentPath } from './paths.ts';
import type { Requests } from './requests.ts';
import { jsonOf } from './transport.ts';

/** Several changes in one request: `POST /api/batch`. */

export type BatchChange<Value> =
  | { readonly type: 'create'; readonly key: string; readonly value?: Value }
  | {
      readonly type: 'replace';
      readonly key: string;
      readonly value: Value;
      readonly ifMatch?: string;
    }
  | {
      readonly type: 'patch';
      readonly key: string;
      readonly patch: Patch;
      readonly ifMatch?: string;
    }
  | { readonly type: 'delete'; readonly key: string; readonly ifMatch?: string };

export interface BatchResult<Value> {
  readonly key: string;
  /** Undefined for what was deleted. */
  readonly etag: string | undefined;
  readonly value: Value | undefined;
}

interface Member {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  /** The text of the data: a string that is said to be JSON is stored as it is. */
  readonly data?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

interface MemberAnswer {
  readonly status: number;
  readonly url: string;
  readonly headers?: { readonly etag?: string };
  readonly data?: string;
}

const AS_TEXT = { 'content-type': 'application/json', accept: 'text/plain' };

export async function sendBatch<Value>(
  request: Requests,
  codec: Codec<Value>,
  changes: readonly BatchChange<Value>[],
  signal: AbortSignal | undefined,
): Promise<BatchResult<Value>[]> {
  const body = JSON.stringify(changes.map((change) => toMember(change, codec)));
  const answer = await request({ method: 'POST', path: '/api/batch', body, signal });
  const answers: MemberAnswer[] = jsonOf(answer);
  return changes.map(({ key }, index) => {
    const { headers, data } = answers[index] ?? {};
    return {
      key,
      etag: headers?.etag,
      value: data === undefined ? undefined : codec.parse(data),
    };
  });
}

function toMember<Value>(change: BatchChange<Value>, codec: Codec<Value>): Member {
  const url = documentPath(change.key);
  if (change.type === 'create') {
    const data = change.value === undefined ? undefined : codec.stringify(change.value);
    return { method: 'POST', url, data, headers: AS_TEXT };
  }
  const headers = { ...AS_TEXT, ...preconditions(change) };
  if (change.type === 'delete') return { method: 'DELETE', url, headers };
  if (change.type === 'replace') {
    return { method: 'PUT', url, data: codec.stringify(change.value), headers };
  }
  const { body, contentType } = patchBody(change.patch);
  return { method: 'PATCH', url, data: body, headers: { ...headers, 'content-type': contentType } };
}
