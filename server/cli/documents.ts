import type { IncomingMessage } from 'node:http';
import type { ApiClient, ApiRequest } from './api-client.ts';
import { EXIT_USAGE, ExitError, RefusedError } from './exit-error.ts';

/** The path of a document, below the server's URL. */
export function documentPath(key: string): string {
  if (key === '') {
    throw new ExitError(EXIT_USAGE, 'the key must not be empty.');
  }
  try {
    return `/data/${encodeURIComponent(key)}`;
  } catch {
    throw new ExitError(EXIT_USAGE, 'the key must be valid Unicode.');
  }
}

/** The path of a list of documents; members that are undefined or empty are left out. */
export function listPath(query: {
  prefix?: string | undefined;
  after?: string | undefined;
  limit?: number;
}): string {
  const members = Object.entries(query)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return members.length === 0 ? '/data' : `/data?${members.join('&')}`;
}

/** A request to store `body`, the document's text. */
export function putRequest(
  key: string,
  body: Uint8Array,
  preconditions: Readonly<Record<string, string>> = {},
): ApiRequest {
  return {
    method: 'PUT',
    path: documentPath(key),
    headers: { 'content-type': 'application/json', ...preconditions },
    body,
  };
}

export const mustBeAbsent = { 'if-none-match': '*' } as const;

/**
 * Creates the document or replaces it, whichever applies: REST has one request for each, so the
 * second kind is sent where the first was refused, and both once more where others write and
 * delete the key at the same time. Other refusals are thrown.
 */
export async function createOrReplace(
  client: ApiClient,
  key: string,
  body: Uint8Array,
  first: 'create' | 'replace' = 'replace',
): Promise<{ response: IncomingMessage; by: 'create' | 'replace' }> {
  let by = first;
  for (let attempt = 1; attempt <= 4; attempt++) {
    const response = await client.send(putRequest(key, body, by === 'create' ? mustBeAbsent : {}));
    const status = response.statusCode;
    if (status === 200 || status === 201) {
      return { response, by };
    }
    if (status !== (by === 'create' ? 412 : 404)) {
      throw await client.refusal(response);
    }
    await client.skipBody(response);
    by = by === 'create' ? 'replace' : 'create';
  }
  throw new RefusedError(412, `${key} is created and deleted by others all the time; try again.`);
}
