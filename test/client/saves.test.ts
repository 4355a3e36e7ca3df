import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KeystowClient, SaveBytes, Saves } from '../../shared/client/index.ts';
import { collect } from '../support/collect.ts';
import { createRest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { clientOver, TRANSPORTS } from './both-transports.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
  const rest = createRest(server.url);
  await rest('PUT', '/api/buckets/game', { saves: true, savePrefix: 'own/prefix' });
});

afterAll(() => server.stop());

async function textOf({ body }: SaveBytes): Promise<string> {
  return new Response(body).text();
}

describe.each(TRANSPORTS)('saves over %s', (transport) => {
  let client: KeystowClient;
  let saves: Saves;

  beforeAll(() => {
    client = clientOver(transport, server.url);
    saves = client.saves('game', { n: TRANSPORTS.indexOf(transport) });
  });

  afterAll(() => client.close());

  it('are numbered one after the other, listed, read and restored', async () => {
    for (const [at, content] of ['one', 'two', 'three'].entries()) {
      const stored = await saves.upload(7, new Blob([content]));
      expect(stored).toMatchObject({
        version: at + 1,
        etag: expect.stringMatching(/^"[0-9a-f]{32}"$/),
      });
    }
    const versions = await saves.versions(7);
    expect(versions.map(({ version, size }) => [version, size])).toEqual([
      [1, 3],
      [2, 3],
      [3, 5],
    ]);
    expect(versions[0]?.key).toContain('own/prefix/ds/');
    const latest = await saves.read(7, 'latest');
    expect(latest).toMatchObject({ size: 5, etag: versions[2]?.etag });
    expect(await textOf(latest)).toBe('three');
    expect(await textOf(await saves.read('7', 2))).toBe('two');
    expect(await saves.restore(7, 1)).toMatchObject({
      version: 4,
      size: 3,
      etag: versions[0]?.etag,
    });
    expect(await textOf(await saves.read(7, 'latest'))).toBe('one');
  });

  it('have a form for the next version alone', async () => {
    const form = await saves.sign(8, { size: 3, signatureVersion: 4 });
    expect(form).toMatchObject({ slot: '00000000008', version: 1, url: `${server.url}/game` });
    await saves.upload(8, new Blob(['abc']));
    await saves.upload(8, new Blob(['def']));
    const { uploadForm } = await import('../../shared/client/index.ts');
    await expect(uploadForm(form, new Blob(['ghi']))).rejects.toMatchObject({
      code: 'forbidden',
      status: 403,
      s3Code: 'AccessDenied',
    });
  });

  it('have slots, page by page', async () => {
    for (const slot of [20, 21, 22]) await saves.upload(slot, new Blob(['x']));
    const pages = await collect(saves.slots({ after: 19, pageSize: 2 }));
    expect(pages.map((page) => page.map(({ slot, latest }) => [Number(slot), latest]))).toEqual([
      [
        [20, 1],
        [21, 1],
      ],
      [[22, 1]],
    ]);
    expect(await collect(saves.slots({ after: 22 }))).toEqual([]);
  });

  it('that are not there are not found', async () => {
    await expect(saves.versions(99)).rejects.toMatchObject({ code: 'not-found' });
    await expect(saves.read(99, 'latest')).rejects.toMatchObject({ code: 'not-found' });
    await expect(saves.restore(7, 77)).rejects.toMatchObject({ code: 'not-found' });
    await expect(collect(client.saves('uploads').slots())).rejects.toMatchObject({ status: 404 });
  });
});
