import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { contentOf, keyOf, PREFIX, type SaveServer, startSaveServer } from './save-server.ts';

/** `GET /api/saves/:bucket`: the slots, and what every call refuses. */

const BUCKET = 'saves';
const FOLDER = `${BUCKET}/${PREFIX}/ds/1/data/`;
let server: SaveServer;

beforeAll(async () => {
  server = await startSaveServer();
  await server.makeSaves(BUCKET);
  for (const [slot, latest] of [
    ['99999999999', 1],
    ['10', 3],
    ['9', 2],
    ['0', 1],
    ['100', 1],
  ] as const) {
    await server.saveAll(BUCKET, 1, latest, slot);
  }
  for (const place of [
    { n: 2 },
    { n: 11 },
    { prefix: 'other' },
    { prefix: `${PREFIX}/ds/1/data/x` },
  ]) {
    await server.save(BUCKET, keyOf(5, { slot: '77', ...place }), 'x');
  }
});

afterAll(() => server.stop());

const SLOTS = ['00000000000', '00000000009', '00000000010', '00000000100', '99999999999'];

async function list(query = '', rest: Rest = server.admin) {
  const { status, text, json, headers } = await rest('GET', `/api/saves/${BUCKET}${query}`);
  expect(status, text).toBe(200);
  const slots = json as { slot: string; latest: number; time: string }[];
  return { slots, names: slots.map(({ slot }) => slot), link: headers.get('link') };
}

it('lists the slots by number, with their latest and its time', async () => {
  const { slots, names, link } = await list();
  expect(names).toEqual(SLOTS);
  expect(slots.map(({ latest }) => latest)).toEqual([1, 2, 3, 1, 1]);
  for (const slot of slots) {
    expect(Object.keys(slot)).toEqual(['slot', 'latest', 'time']);
    expect(new Date(slot.time).toISOString()).toBe(slot.time);
  }
  expect(link).toBeNull();
});

it.each([
  ['?n=2', ['00000000077']],
  ['?n=11', ['00000000077']],
  ['?n=3', []],
  ['?n=0', []],
  ['?prefix=other', ['00000000077']],
  ['?prefix=other&n=2', []],
  ['?prefix=', SLOTS],
  [`?prefix=${PREFIX}&n=1`, SLOTS],
  ['?prefix=oth', []],
  ['?prefix=%00', undefined],
  ['?after=9', SLOTS.slice(2)],
  ['?after=00000000009', SLOTS.slice(2)],
  ['?after=11', SLOTS.slice(3)],
  ['?after=99999999999', []],
  ['?limit=10000', SLOTS],
])('of %s', async (query, expected) => {
  if (expected) expect((await list(query)).names).toEqual(expected);
  else expectError(await server.admin('GET', `/api/saves/${BUCKET}${query}`), 400);
});

it.each([1, 2, 4, 5])('pages of %i follow the Link to the end', async (limit) => {
  const pages: string[][] = [];
  let query = `?limit=${limit}&prefix=${encodeURIComponent(PREFIX)}`;
  for (;;) {
    const { names, link } = await list(query);
    pages.push(names);
    if (link === null) break;
    const next = /^<([^>]+)>; rel="next"$/.exec(link)?.[1] ?? '';
    expect(next.startsWith(`/api/saves/${BUCKET}?`)).toBe(true);
    query = next.slice(next.indexOf('?'));
    expect(new URLSearchParams(query).get('prefix')).toBe(PREFIX);
  }
  expect(pages.flat()).toEqual(SLOTS);
  expect(pages.slice(0, -1).every((page) => page.length === limit)).toBe(true);
  expect(pages.at(-1)?.length).toBeGreaterThan(0);
});

describe('to members', () => {
  const grants: [string, string[], string[]][] = [
    ['all', [BUCKET], SLOTS],
    ['bucket', [`${BUCKET}/`], SLOTS],
    ['folder', [FOLDER], SLOTS],
    ['begun', [`${FOLDER}000000000`], SLOTS.slice(0, 3)],
    ['slot', [`${FOLDER}00000000010-`], ['00000000010']],
    ['digits', [`${FOLDER}00000000010`], ['00000000010']],
    [
      'several',
      [`${FOLDER}9`, `${FOLDER}00000000009-`, `${FOLDER}0000000000`],
      ['00000000000', '00000000009', '99999999999'].sort(),
    ],
    ['version', [`${FOLDER}00000000010-00001`], []],
    ['versions', [`${FOLDER}00000000010-0`, `${FOLDER}00000000010-1`], []],
    ['elsewhere', ['other/', 'data/'], []],
  ];

  it.each(grants)('shows what their grants cover: %s', async (name, prefixes, expected) => {
    const all = prefixes.map((prefix) => ({ prefix, access: 'read' as const }));
    await server.makeMember(name, all);
    const rest = createRest(server.url, name, `${name}-password`);
    expect((await list('', rest)).names).toEqual(expected);
    const paged = await list('?limit=1', rest);
    expect(paged.names).toEqual(expected.slice(0, 1));
    expect(paged.link !== null).toBe(expected.length > 1);
    for (const slot of SLOTS) {
      const { status } = await rest('GET', `/api/saves/${BUCKET}/${slot}`);
      expect([slot, status]).toEqual([slot, expected.includes(slot) ? 200 : 403]);
      const latest = await rest('GET', `/api/saves/${BUCKET}/${slot}/1`);
      expect([slot, latest.status]).toEqual([slot, expected.includes(slot) ? 200 : 403]);
    }
  });
});

describe('every call', () => {
  const calls: [method: string, path: string, body?: unknown][] = [
    ['GET', ''],
    ['GET', '/10'],
    ['POST', '/10', {}],
    ['GET', '/10/latest'],
    ['GET', '/10/1'],
    ['POST', '/10/restore', { version: 1 }],
  ];

  it.each(calls)('%s %s needs credentials', async (method, path, body) => {
    const wrong = createRest(server.url, 'admin', 'wrong');
    expectError(await wrong(method, `/api/saves/${BUCKET}${path}`, body), 401);
  });

  it.each(calls)('%s %s of a bucket that has no saves is a 404', async (method, path, body) => {
    await server.makeBucket('plain');
    for (const bucket of ['plain', 'absent', 'NO_BUCKET', '%2F']) {
      expectError(await server.admin(method, `/api/saves/${bucket}${path}`, body), 404, /bucket/);
    }
  });

  it.each(calls)('%s %s needs a prefix', async (method, path, body) => {
    await server.makeSaves('no-prefix', { savePrefix: null });
    const refused = await server.admin(method, `/api/saves/no-prefix${path}`, body);
    expectError(refused, 400, /\?prefix=/);
  });

  it.each(calls)('%s %s refuses a bad n or prefix with a sentence', async (method, path, body) => {
    for (const n of ['-1', 'x', '1.5', '', '1e3', '1000000000', '%31x', '٣']) {
      const query = `?n=${encodeURIComponent(n).replace('%2531', '%31')}`;
      const refused = await server.admin(method, `/api/saves/${BUCKET}${path}${query}`, body);
      expectError(refused, 400, /^n is a whole number from 0 to 999999999\.$/);
    }
    for (const prefix of ['%zz', '%ff', 'a%00b', 'p'.repeat(1_100)]) {
      const refused = await server.admin(
        method,
        `/api/saves/${BUCKET}${path}?prefix=${prefix}`,
        body,
      );
      expectError(refused, 400, /\w/);
    }
  });

  it.each(calls.slice(1))(
    '%s %s refuses a bad slot with a sentence',
    async (method, path, body) => {
      for (const slot of ['x', '-1', '1.5', '123456789012', '1%200', '%D9%A3', '0x1', '1e3']) {
        const bad = path.replace('/10', `/${slot}`);
        expectError(
          await server.admin(method, `/api/saves/${BUCKET}${bad}`, body),
          400,
          /^A slot is/,
        );
      }
    },
  );

  it.each(['x', '-1', '1.5', '100000', '1234567890', 'restore', 'LATEST', '1%00'])(
    'a bad version is refused with a sentence: %s',
    async (version) => {
      const refused = await server.admin('GET', `/api/saves/${BUCKET}/10/${version}`);
      expectError(refused, 400, /^version is a whole number from 0 to 99999\.$/);
    },
  );

  it.each([
    ['?limit=0', /^limit /],
    ['?limit=10001', /^limit /],
    ['?limit=', /^limit /],
    ['?limit=x', /^limit /],
    ['?after=x', /^A slot /],
    ['?after=', /^A slot /],
    ['?after=123456789012', /^A slot /],
  ])('a bad page is refused with a sentence: %s', async (query, message) => {
    expectError(await server.admin('GET', `/api/saves/${BUCKET}${query}`), 400, message);
  });

  it.each([
    ['DELETE', ''],
    ['PUT', '/10'],
    ['DELETE', '/10/1'],
    ['PATCH', '/10/restore'],
  ])('%s is not allowed of %s', async (method, path) => {
    const refused = await server.admin(method, `/api/saves/${BUCKET}${path}`);
    expectError(refused, 405);
    expect(refused.headers.get('allow')).toMatch(/GET|POST/);
  });

  it.each(['', '/', `/${BUCKET}/`, `/${BUCKET}/10/1/2`])('there is nothing at %s', async (path) => {
    expectError(await server.admin('GET', `/api/saves${path}`), 404);
  });
});

it('a slot of which all was deleted is listed still, and goes on', async () => {
  await server.makeSaves('deleted');
  await server.saveAll('deleted', 1, 2, '5');
  for (const version of [1, 2]) {
    await server.admin('DELETE', `/deleted/${keyOf(version, { slot: '5' })}`);
  }
  const { json } = await server.admin('GET', '/api/saves/deleted');
  expect(json).toMatchObject([{ slot: '00000000005', latest: 2 }]);
  expect(await server.versions('deleted', '5')).toEqual([]);
  expectError(await server.admin('GET', '/api/saves/deleted/5/latest'), 404, /latest/);
  await server.saveAll('deleted', 3, 3, '5');
  const latest = await server.admin('GET', '/api/saves/deleted/5/latest');
  expect(latest.text).toBe(contentOf(3));
});
