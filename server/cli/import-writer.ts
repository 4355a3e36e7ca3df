import { setTimeout as delay } from 'node:timers/promises';
import type { ImportRecord } from '../../shared/ndjson/record.ts';
import type { ApiClient } from './api-client.ts';
import { createOrReplace, mustBeAbsent, putRequest } from './documents.ts';
import { RefusedError } from './exit-error.ts';

export type ConflictRule = 'replace' | 'skip' | 'fail';
export type Written = 'stored' | 'skipped';

/** How often a busy server (429, 503) is asked again, and how long it may make us wait. */
const MAX_ATTEMPTS = 10;
const MAX_WAIT_SECONDS = 30;

/** Makes the function that stores one document as the rule says, waiting for a busy server. */
export function createWriter(
  client: ApiClient,
  onConflict: ConflictRule,
): (record: ImportRecord) => Promise<Written> {
  // An import mostly meets either an empty store or a full one: what worked last is tried first.
  let first: 'create' | 'replace' = 'create';

  async function replace(key: string, body: Buffer): Promise<Written> {
    const { response, by } = await createOrReplace(client, key, body, first);
    first = by;
    await client.skipBody(response);
    return 'stored';
  }

  async function create(key: string, body: Buffer): Promise<Written> {
    const response = await client.expect([200, 201, 412], putRequest(key, body, mustBeAbsent));
    await client.skipBody(response);
    if (response.statusCode !== 412) {
      return 'stored';
    }
    if (onConflict === 'skip') {
      return 'skipped';
    }
    throw new RefusedError(412, `${key} already exists.`);
  }

  const write = onConflict === 'replace' ? replace : create;
  return ({ key, value }) => patiently(() => write(key, Buffer.from(value)));
}

/** Whether every further document would fare the same, so that going on makes no sense. */
export function endsImport(error: unknown): boolean {
  return !(error instanceof RefusedError) || [401, 429, 503, 507].includes(error.status);
}

async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      const wait = error instanceof RefusedError ? error.retryAfterSeconds : undefined;
      const busy = error instanceof RefusedError && [429, 503].includes(error.status);
      if (!busy || wait === undefined || wait > MAX_WAIT_SECONDS || attempts === MAX_ATTEMPTS) {
        throw error;
      }
      await delay(wait * 1_000);
    }
  }
}
