import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KeystowClient, type UploadProgress, uploadForm } from '../../shared/client/index.ts';
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

function etagOf(bytes: Uint8Array): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`;
}

describe.each(TRANSPORTS)('uploads over %s', (transport) => {
  let client: KeystowClient;

  beforeAll(() => {
    client = clientOver(transport, server.url);
  });

  afterAll(() => client.close());

  it('are signed and sent, and tell how far they are', async () => {
    const bytes = new Uint8Array(randomBytes(3_000_000));
    const progress: UploadProgress[] = [];
    const stored = await client.uploads.upload(
      new File([bytes], 'größe "1".bin', { type: 'image/png' }),
      { prefix: `${transport}/`, contentType: 'image/png', metadata: { note: 'kept' } },
      { onProgress: (told) => progress.push(told) },
    );
    expect(stored).toMatchObject({
      etag: etagOf(bytes),
      key: expect.stringContaining(`${transport}/`),
      location: expect.stringContaining(server.url),
    });
    const { sent, total } = progress.at(-1) ?? { sent: 0, total: 1 };
    expect(sent).toBe(total);
    expect(total).toBeGreaterThan(bytes.length);
    expect(progress.length).toBeGreaterThan(10);
    expect(progress.map((told) => told.sent)).toEqual(
      progress.map((told) => told.sent).toSorted((a, b) => a - b),
    );
    const read = await fetch(`${server.url}/uploads/${encodeURIComponent(stored.key)}`, {
      headers: { authorization: `Basic ${btoa(`admin:${server.password}`)}` },
    });
    expect(read.headers.get('content-type')).toBe('image/png');
    expect(read.headers.get('x-amz-meta-note')).toBe('kept');
    expect(etagOf(new Uint8Array(await read.arrayBuffer()))).toBe(stored.etag);
  });

  it('take the name of the file where the key leaves it open', async () => {
    const form = await client.uploads.sign({ key: `named/${transport}-${'$'}{filename}` });
    await uploadForm(form, new File(['a'], 'own.txt'));
    await uploadForm(form, new Blob(['b']), { fileName: 'given.txt' });
    const { json } = await rest('GET', `/api/objects/uploads?prefix=named/${transport}`);
    expect(json).toMatchObject({
      objects: [
        { key: `named/${transport}-given.txt`, size: 1 },
        { key: `named/${transport}-own.txt`, size: 1 },
      ],
    });
  });

  it('that are refused have the code of S3', async () => {
    const form = await client.uploads.sign({ maxBytes: 10 });
    await expect(uploadForm(form, new Blob(['more than ten bytes']))).rejects.toMatchObject({
      name: 'KeystowClientError',
      code: 'bad-request',
      status: 400,
      s3Code: 'EntityTooLarge',
      message: 'Your proposed upload exceeds the maximum allowed size',
    });
    const fields = { ...form.fields, key: 'another\'s & "own"' };
    await expect(uploadForm({ ...form, fields }, new Blob(['a']))).rejects.toMatchObject({
      code: 'forbidden',
      s3Code: 'AccessDenied',
      message: expect.stringContaining('["eq", "$key", '),
    });
    await expect(client.uploads.sign({ bucket: 'none' })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('that are cancelled store nothing', async () => {
    const key = `cancelled/${transport}`;
    const cancelling = new AbortController();
    const reason = new Error('changed my mind');
    const upload = client.uploads.upload(
      new Blob([new Uint8Array(20_000_000)]),
      { key },
      {
        signal: cancelling.signal,
        onProgress: ({ sent, total }) => {
          if (sent > total / 4) cancelling.abort(reason);
        },
      },
    );
    await expect(upload).rejects.toBe(reason);
    const { json } = await rest('GET', `/api/objects/uploads?prefix=${key}`);
    expect(json).toMatchObject({ objects: [] });
  });

  it('of submissions are told of once they have arrived', async () => {
    const fileName = `passport-${transport}.png`;
    const [form] = await client.uploads.signSubmissions([
      { fileName, spektrDataField: 'passport' },
    ]);
    if (!form) throw new Error('There is one form for each file.');
    expect(form).toMatchObject({ fileName, spektrDataField: 'passport' });
    const { etag } = await uploadForm(form, new Blob(['picture']));
    const arrived = await client.uploads.submissions();
    expect(arrived.find((submission) => submission.fileName === fileName)).toEqual({
      key: form.fields['key'],
      fileName,
      spektrDataField: 'passport',
      size: 7,
      etag,
      time: expect.stringMatching(/Z$/),
    });
  });
});

it('says how long its body is, as S3 itself wants it', async () => {
  const asked = createServer((req, res) => {
    const { 'content-length': length, 'transfer-encoding': coding } = req.headers;
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    req.on('end', () => res.setHeader('location', `${length}/${bytes}/${coding}`).end());
  }).listen(0, '127.0.0.1');
  await once(asked, 'listening');
  const address = asked.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const form = { url: `http://127.0.0.1:${port}/`, fields: { key: 'ü' } };
  const { location = '' } = await uploadForm(form, new Blob([new Uint8Array(200_000)]));
  const [length, bytes, coding] = location.split('/');
  expect(Number(bytes)).toBeGreaterThan(200_000);
  expect([length, coding]).toEqual([bytes, 'undefined']);
  asked.closeAllConnections();
  asked.close();
});
