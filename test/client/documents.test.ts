import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  type JsonValue,
  type KeystowClient,
  KeystowClientError,
  text,
} from '../../shared/client/index.ts';
import { collect } from '../support/collect.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { clientOver, TRANSPORTS } from './both-transports.ts';

let server: TestServer;
let rest: Rest;

beforeAll(async () => {
  server = await startServer();
  rest = createRest(server.url);
});

afterAll(() => server.stop());

/** What the promise rejects with. */
async function errorOf(work: Promise<unknown>): Promise<KeystowClientError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof KeystowClientError)) throw new Error(`No such error: ${String(error)}`);
  return error;
}

describe.each(TRANSPORTS)('documents over %s', (transport) => {
  let client: KeystowClient;
  let at: string;

  beforeAll(() => {
    client = clientOver(transport, server.url);
    at = `${transport}/`;
  });

  afterAll(() => client.close());

  it('are created, read, replaced, patched and deleted', async () => {
    const { documents } = client;
    const key = `${at}life ü/../%`;
    const created = await documents.create(key, { n: 1, list: [] });
    expect(created).toEqual({
      key,
      etag: expect.stringMatching(/^"\d+"$/),
      value: { n: 1, list: [] },
    });
    expect(await documents.get(key)).toEqual(created);
    const replaced = await documents.replace(key, { n: 2, list: [1] }, { ifMatch: created.etag });
    expect(Number(replaced.etag.slice(1, -1))).toBeGreaterThan(Number(created.etag.slice(1, -1)));
    const patches = [
      { set: { n: null } },
      { merge: { n: 3, gone: null } },
      { operations: [{ op: 'add', path: '/list/-', value: 2 }] },
    ] as const;
    let last: JsonValue = null;
    for (const patch of patches) last = (await documents.patch(key, patch)).value;
    expect(last).toEqual({ n: 3, list: [1, 2] });
    expect((await rest('GET', `/data?prefix=${encodeURIComponent(at)}`)).json).toEqual([key]);
    await documents.delete(key);
    expect(await errorOf(documents.get(key))).toMatchObject({ code: 'not-found', status: 404 });
  });

  it.each(['.', '..'])('of the key %s are not taken for something else', async (key) => {
    const code = transport === 'REST' ? 'bad-request' : 'not-found';
    expect(await errorOf(client.documents.get(key))).toMatchObject({ code });
    expect(await errorOf(client.documents.delete(key))).toMatchObject({ code });
  });

  it('that were not changed are not sent again', async () => {
    const { etag } = await client.documents.create(`${at}same`);
    expect(await client.documents.getIfChanged(`${at}same`, etag)).toBeUndefined();
    await client.documents.replace(`${at}same`, { a: 1 });
    const changed = await client.documents.getIfChanged(`${at}same`, etag);
    expect(changed?.value).toEqual({ a: 1 });
  });

  it('are refused with the code, the status and the sentence of the server', async () => {
    const { documents } = client;
    const { etag } = await documents.create(`${at}there`);
    expect(await errorOf(documents.create(`${at}there`))).toMatchObject({
      code: 'already-exists',
      status: 406,
      message: `${at}there already exists.`,
    });
    expect(await errorOf(documents.replace(`${at}there`, {}, { ifMatch: '"0"' }))).toMatchObject({
      code: 'precondition-failed',
      status: 412,
      etag,
    });
    expect(await errorOf(documents.delete(`${at}there`, { ifMatch: '"0"' }))).toMatchObject({
      code: 'precondition-failed',
    });
    expect(await errorOf(documents.replace(`${at}there`, 1))).toMatchObject({
      code: 'bad-request',
    });
    const fails = { operations: [{ op: 'test', path: '/a', value: 1 }] } as const;
    expect(await errorOf(documents.patch(`${at}there`, fails))).toMatchObject({ code: 'conflict' });
    const credentials = { username: 'admin', password: 'wrong' };
    const stranger = clientOver(transport, server.url, { credentials });
    expect(await errorOf(stranger.documents.get('x'))).toMatchObject({
      code: 'unauthenticated',
      status: 401,
    });
    stranger.close();
  });

  it('as text keep numbers, order and white space', async () => {
    const texts = client.documentsAs(text);
    const sent = '{ "b": 1.0, "1": 12345678901234567890, "b": 2.50 }';
    expect((await texts.create(`${at}text`, sent)).value).toBe(sent);
    expect((await texts.get(`${at}text`)).value).toBe(sent);
    expect((await rest('GET', `/data/${at}text`)).text).toBe(sent);
    const patched = await texts.patch(`${at}text`, { set: '{"c":1e400}' });
    expect(patched.value).toBe('{"b":2.50,"1":12345678901234567890,"c":1e400}');
    const [line] = await collect(texts.export({ prefix: `${at}text` }));
    expect(line?.value).toBe(patched.value);
    const [result] = await texts.batch([{ type: 'replace', key: `${at}text`, value: sent }]);
    expect(result?.value).toBe(sent);
    // What JSON.parse makes of it.
    const { value } = await client.documents.get(`${at}text`);
    expect(JSON.stringify(value)).toBe('{"1":12345678901234567000,"b":2.5}');
  });

  it('may be of a kind of their own', async () => {
    const player = z.object({ name: z.string(), level: z.int() });
    const players = client.documentsAs<z.infer<typeof player>>({
      parse: (sent) => player.parse(JSON.parse(sent)),
      stringify: JSON.stringify,
    });
    const { value } = await players.create(`${at}player`, { name: 'Ada', level: 7 });
    expect(value.level + 1).toBe(8);
    await rest('PUT', `/data/${at}player`, { name: 'Ada' });
    await expect(players.get(`${at}player`)).rejects.toBeInstanceOf(z.ZodError);
  });

  it('are listed page by page, and exported', async () => {
    const keys = Array.from({ length: 25 }, (_, n) => `${at}list/${String(n).padStart(2, '0')},"`);
    await client.documents.batch(keys.map((key) => ({ type: 'create', key, value: { key } })));
    const pages = await collect(client.documents.keys({ prefix: `${at}list/`, pageSize: 10 }));
    expect(pages.map((page) => page.length)).toEqual([10, 10, 5]);
    expect(pages.flat()).toEqual(keys);
    const after = await collect(
      client.documents.keys({ prefix: `${at}list/`, after: keys[22] ?? '' }),
    );
    expect(after).toEqual([keys.slice(23)]);
    expect(await collect(client.documents.keys({ prefix: 'none/' }))).toEqual([]);
    const exported = await collect(client.documents.export({ prefix: `${at}list/` }));
    expect(exported.map(({ key, value }) => [key, value])).toEqual(
      keys.map((key) => [key, { key }]),
    );
    for await (const { key, etag } of client.documents.export({ prefix: `${at}list/` })) {
      expect((await client.documents.get(key)).etag).toBe(etag);
      break;
    }
  });

  it('are changed in batches, all or none', async () => {
    const { documents } = client;
    const [a, b, c] = ['a', 'b', 'c'].map((name) => `${at}batch/${name}`);
    if (!a || !b || !c) throw new Error('There are three.');
    const made = await documents.batch([
      { type: 'create', key: a, value: { n: 1 } },
      { type: 'create', key: b },
    ]);
    expect(made.map(({ key, value }) => [key, value])).toEqual([
      [a, { n: 1 }],
      [b, {}],
    ]);
    const changed = await documents.batch([
      { type: 'patch', key: a, patch: { merge: { n: 2 } }, ifMatch: made[0]?.etag ?? '' },
      { type: 'delete', key: b, ifMatch: made[1]?.etag ?? '' },
      { type: 'create', key: c, value: [1] },
    ]);
    expect(changed.map(({ value }) => value)).toEqual([{ n: 2 }, undefined, [1]]);
    expect(await documents.get(a)).toEqual(changed[0]);
    const error = await errorOf(
      documents.batch([
        { type: 'replace', key: a, value: { n: 3 } },
        { type: 'replace', key: c, value: [2], ifMatch: '"0"' },
        { type: 'delete', key: b },
      ]),
    );
    expect(error).toMatchObject({ code: 'conflict', status: 409 });
    expect(error.failures).toEqual([
      {
        index: 1,
        url: `/data/${c}`,
        status: 412,
        code: 'precondition-failed',
        message: expect.stringMatching(/ETag/),
        etag: changed[2]?.etag,
      },
      {
        index: 2,
        url: `/data/${b}`,
        status: 404,
        code: 'not-found',
        message: `${b} not found.`,
        etag: undefined,
      },
    ]);
    expect((await documents.get(a)).value).toEqual({ n: 2 });
  });

  it('may be many in a batch, too many for one message', async () => {
    const changes = Array.from({ length: 1_000 }, (_, n) => ({
      type: 'create' as const,
      key: `${at}many/${n}`,
      value: { padding: 'x'.repeat(5_000) },
    }));
    expect(await client.documents.batch(changes)).toHaveLength(1_000);
  });

  it('are not waited for once the signal is aborted', async () => {
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await expect(client.documents.get('x', { signal })).rejects.toBe(reason);
    await expect(client.documents.create(`${at}aborted`, {}, { signal })).rejects.toBe(reason);
    expect((await rest('GET', `/data/${at}aborted`)).status).toBe(404);
    const later = new AbortController();
    const walk = collect(client.documents.export({ signal: later.signal }));
    later.abort(reason);
    await expect(walk).rejects.toBe(reason);
  });
});

describe('a closed client', () => {
  it.each(TRANSPORTS)('over %s says so', async (transport) => {
    const client = clientOver(transport, server.url);
    await client.documents.create(`closed/${transport}`);
    client.close();
    expect(await errorOf(client.documents.get('x'))).toMatchObject({
      code: 'network',
      message: 'The client was closed.',
    });
  });
});
