import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FILENAME } from '../../server/s3/form-fields.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { startRefused } from '../support/start-refused.ts';
import { type Backends, startBackends } from './cluster.ts';

/** DIRECT_UPLOADS=on: forms lead to the S3-compatible store, and what arrives there is an object here. */

let backends: Backends;
let nodes: TestServer[];
let rest: Rest;
let other: Rest;

beforeAll(async () => {
  backends = await startBackends();
  const env = { ...(await backends.settings()), DIRECT_UPLOADS: 'on' };
  nodes = await Promise.all([startServer({ env }), startServer({ env })]);
  const [one, two] = nodes.map(({ url }) => createRest(url));
  if (!one || !two) throw new Error('There are two nodes.');
  rest = one;
  other = two;
});

afterAll(async () => {
  await Promise.all((nodes ?? []).map((node) => node.stop()));
  await backends?.stop();
});

interface Form {
  readonly url: string;
  readonly fields: Record<string, string>;
}

async function sign(data: Record<string, unknown>, by: Rest = rest): Promise<Form> {
  const { status, json, text } = await by('POST', '/api/v2/s3/create_signed_url', { data });
  expect(status, text).toBe(202);
  return (json as { data: Form }).data;
}

function send({ url, fields }: Form, file: string): Promise<Response> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', new Blob([file]), 'file');
  return fetch(url, { method: 'POST', body: form });
}

describe('a form', () => {
  it('leads past the server, and what arrived is there on every node', async () => {
    const form = await sign({
      key: 'photos/cat',
      contentType: 'image/png',
      metadata: { by: 'mia' },
    });
    expect(new URL(form.url).port).not.toBe(new URL(nodes[0]?.url ?? '').port);
    expect((await other('GET', '/uploads/photos/cat')).status).toBe(404);
    expect((await send(form, 'meow')).status).toBe(201);
    const answer = await other('GET', '/uploads/photos/cat');
    expect([answer.status, answer.text]).toEqual([200, 'meow']);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'image/png',
      'x-amz-meta-by': 'mia',
      etag: '"4a4be40c96ac6314e91d93f38043a634"',
    });
    const listed = await rest('GET', '/api/objects/uploads?prefix=photos/');
    expect(listed.json).toMatchObject({ objects: [{ key: 'photos/cat', size: 4 }] });
  });

  it('makes one object, however many ask for it at once on every node', async () => {
    for (let round = 0; round < 5; round += 1) {
      const form = await sign({ key: `raced/${round}` });
      expect((await send(form, `bytes ${round}`)).status).toBe(201);
      const asked = [rest, other, rest, other, rest, other];
      const read = (ask: Rest) => ask('GET', `/uploads/raced/${round}`);
      await Promise.all(asked.map(read));
      for (const ask of asked) {
        const { status, text } = await read(ask);
        expect([status, text]).toEqual([200, `bytes ${round}`]);
      }
    }
  });

  it('limits the size, even where the store does not look at its policy', async () => {
    const form = await sign({ key: 'limited', maxBytes: 3 });
    await send(form, 'four');
    expect((await rest('GET', '/uploads/limited')).status).toBe(404);
  });

  it('is of no use to a user who was removed before it arrived', async () => {
    await rest('PUT', '/api/users/mia', {
      password: 'mia-password',
      role: 'member',
      grants: [{ prefix: 'uploads/mia/', access: 'write' }],
    });
    const mia = createRest(nodes[0]?.url ?? '', 'mia', 'mia-password');
    const form = await sign({ key: 'mia/late' }, mia);
    await rest('DELETE', '/api/users/mia');
    expect((await send(form, 'too late')).status).toBe(201);
    expect((await rest('GET', '/uploads/mia/late')).status).toBe(404);
  });

  it('leads here where only this server can take it', async () => {
    const here = `${nodes[0]?.url}/`;
    await rest('PUT', '/api/buckets/saves', { saves: true, savePrefix: 'game' });
    expect((await sign({ key: `a/${FILENAME}` })).url).toMatch(here);
    expect((await sign({ key: 'v2', signatureVersion: 'v2' })).url).toMatch(here);
    const save = await rest('POST', '/api/saves/saves/1');
    expect((save.json as Form).url).toMatch(here);
  });
});

describe('a submission', () => {
  it('is told once it has arrived', async () => {
    const { json } = await rest('POST', '/submit-files', [
      { fileName: 'pass.png', spektrDataField: 'passport' },
      { fileName: 'never.png' },
    ]);
    const [form] = json as Form[];
    if (!form) throw new Error('There are two.');
    expect((await send(form, 'scan')).status).toBe(201);
    const arrived = await other('GET', '/submit-files');
    expect(arrived.json).toMatchObject([
      { fileName: 'pass.png', spektrDataField: 'passport', size: 4 },
    ]);
  });
});

describe('the setting', () => {
  it('needs a store to upload to', async () => {
    const { stderr } = await startRefused({ DIRECT_UPLOADS: 'on' });
    expect(stderr).toContain('give BLOBS=s3://');
  });
});
