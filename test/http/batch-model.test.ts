import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseAnswers, parseRefusal } from '../support/batch.ts';
import { runs } from '../support/long-runs.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** Any batches against a map of keys, and a batch of one against the request alone. */

const KEYS = ['a', 'b', 'c', 'd', 'e'];
const IF_MATCH = ['none', 'now', 'old', '*', 'not *'] as const;

interface Member {
  readonly key: string;
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly data: unknown;
  readonly match: (typeof IF_MATCH)[number];
}

interface Held {
  readonly value: unknown;
  readonly etag: string;
}

let server: TestServer;
let rest: Rest;

beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
});

afterAll(() => server.stop());

const members = fc.uniqueArray(
  fc.record<Member>({
    key: fc.constantFrom(...KEYS),
    method: fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE'),
    data: fc.oneof(
      { arbitrary: fc.dictionary(fc.constantFrom('x', 'y', 'z'), fc.integer()), weight: 9 },
      { arbitrary: fc.constantFrom([], [1], 'text', 7, null), weight: 1 },
    ),
    match: fc.oneof(
      { arbitrary: fc.constant<Member['match']>('none'), weight: 4 },
      fc.constantFrom(...IF_MATCH),
    ),
  }),
  { selector: ({ key }) => key, minLength: 1, maxLength: KEYS.length },
);

function headersOf({ match }: Member, held: Held | undefined): Record<string, string> {
  if (match === 'none') return {};
  if (match === 'now') return { 'if-match': held?.etag ?? '"0"' };
  if (match === 'old') return { 'if-match': '"0"' };
  return match === '*' ? { 'if-match': '*' } : { 'if-none-match': '*' };
}

/** What the contract says of one request: its status, and what is there afterwards. */
function modelled(
  { method, data, match }: Member,
  held: Held | undefined,
): { status: number; value?: unknown } {
  const isDocument = typeof data === 'object' && data !== null;
  const isMatch = {
    none: true,
    now: held !== undefined,
    old: false,
    '*': held !== undefined,
    'not *': held === undefined,
  }[match];
  if (method === 'POST') {
    if (!isDocument) return { status: 400 };
    if (held) return { status: 406 };
    return isMatch ? { status: 201, value: data } : { status: 412 };
  }
  if (method === 'PUT' && !isDocument) return { status: 400 };
  if (!held) {
    const creates = method === 'PUT' && match === 'not *';
    return creates ? { status: 201, value: data } : { status: 404 };
  }
  if (!isMatch) return { status: 412 };
  if (method === 'DELETE') return { status: 204 };
  if (method === 'PUT') return { status: 200, value: data };
  if (!isDocument || Array.isArray(data)) return { status: 400 };
  if (Array.isArray(held.value)) return { status: 409 };
  return { status: 200, value: Object.assign({}, held.value, data) };
}

async function stored(prefix: string): Promise<unknown> {
  const accept = { accept: 'application/x-ndjson' };
  const { text } = await rest('GET', `/data?prefix=${prefix}`, undefined, accept);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

it('does what a map of keys would do, or nothing', { timeout: 600_000 }, async () => {
  let round = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(members, { minLength: 1, maxLength: 8 }), async (batches) => {
      round += 1;
      const prefix = `model-${round}/`;
      const held = new Map<string, Held>();
      for (const batch of batches) {
        const answer = await rest(
          'POST',
          '/api/batch',
          batch.map((member) => ({
            url: `/data/${prefix}${member.key}`,
            method: member.method,
            data: member.data,
            headers: headersOf(member, held.get(member.key)),
          })),
        );
        const expected = batch.map((member) => modelled(member, held.get(member.key)));
        const failures = expected.flatMap(({ status }, index) =>
          status >= 400 ? [{ index, status }] : [],
        );
        if (failures.length > 0) {
          expect(answer.status).toBe(409);
          const { answers } = parseRefusal(answer.json);
          expect(answers.map(({ index, status }) => ({ index, status }))).toEqual(failures);
        } else {
          expect(answer.status, answer.text).toBe(200);
          const answers = parseAnswers(answer.json);
          expect(answers.map(({ status }) => status)).toEqual(expected.map(({ status }) => status));
          for (const [index, { key }] of batch.entries()) {
            const [was, will] = [answers[index], expected[index]];
            expect(was?.data).toEqual(will?.value);
            if (will?.status === 204) held.delete(key);
            else held.set(key, { value: will?.value, etag: was?.headers?.etag ?? '' });
          }
        }
        const rows = KEYS.flatMap((key) => {
          const row = held.get(key);
          return row ? [{ key: prefix + key, etag: row.etag, value: row.value }] : [];
        });
        expect(await stored(prefix)).toEqual(rows);
      }
    }),
    { numRuns: runs(60, 400) },
  );
});

it('of one member says what the request alone says', { timeout: 600_000 }, async () => {
  let round = 0;
  await fc.assert(
    fc.asyncProperty(members, async (requests) => {
      round += 1;
      for (const member of requests) {
        const { key, method, data } = member;
        for (const name of ['alone', 'batched']) {
          if (key < 'c') await rest('POST', `/data/${name}-${round}/${key}`, { y: 1 });
        }
        const headers = headersOf(member, undefined);
        const path = `-${round}/${key}`;
        const body = method === 'DELETE' ? undefined : data;
        const alone = await rest(method, `/data/alone${path}`, JSON.stringify(body), headers);
        const request = { url: `/data/batched${path}`, method, data: body, headers };
        const answer = await rest('POST', '/api/batch', [request]);
        const [inBatch] =
          answer.status === 200
            ? parseAnswers(answer.json)
            : parseRefusal(answer.json).answers.map((refused) => ({ ...refused }));
        expect(inBatch?.status).toBe(alone.status);
        const text = JSON.stringify(inBatch?.data ?? null).replaceAll('batched', 'alone');
        // An ETag in the sentence is another write's.
        const plain = (said: string) => said.replaceAll(/\\"\d+\\"/g, 'ETAG');
        expect(plain(text)).toBe(plain(alone.text || 'null'));
        const location = alone.headers.get('location');
        expect(inBatch?.headers?.['location'] ?? null).toBe(
          location?.replace('alone', 'batched') ?? null,
        );
      }
    }),
    { numRuns: runs(40, 250) },
  );
});
