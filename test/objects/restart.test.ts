import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRaw } from '../support/raw-http.ts';
import { createRest } from '../support/rest.ts';
import { sendS3 } from '../support/s3-client.ts';
import {
  ADMIN_KEY,
  FORM_TYPE,
  formBody,
  type S3Server,
  startS3Server,
} from '../support/s3-server.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { signForm } from '../support/sign-form.ts';

/** Objects over the end of a server and its next start. */

let server: S3Server;
let again: TestServer;

beforeAll(async () => {
  server = await startS3Server();
});

afterAll(() => again.stop());

it('an upload that is in flight at a stop is finished, and is there after it', async () => {
  const pairs = signForm({ pair: ADMIN_KEY, bucket: 'uploads', fields: { key: 'in-flight' } });
  const body = formBody(pairs, Buffer.alloc(300_000, 'x'));
  const raw = await openRaw(server.url);
  raw.send(
    `POST /uploads HTTP/1.1\r\nHost: x\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  raw.send(body.subarray(0, 200_000));
  await expect.poll(() => server.blobs(), { interval: 5 }).toHaveLength(1);
  const stopped = server.stop({ keep: true });
  raw.send(body.subarray(200_000));
  expect((await raw.answer()).status).toBe(204);
  raw.destroy();
  await stopped;
});

it('what a crash left of uploads is gone after the next start, and nothing else', async () => {
  const blobs = join(server.dataDir, 'blobs');
  await mkdir(join(blobs, 'ab'), { recursive: true });
  await writeFile(join(blobs, 'ab', `ab${'0'.repeat(30)}`), 'left behind');
  await writeFile(join(blobs, 'incoming', 'cd'), 'left behind');
  const kept = (await server.blobs()).filter((name) => name !== 'cd' && !name.startsWith('ab000'));
  expect(kept).toHaveLength(1);
  again = await startServer({ folder: server.folder });
  expect(await server.blobs()).toEqual(kept);
  const answer = await createRest(again.url)('GET', '/uploads/in-flight');
  expect([answer.status, answer.text]).toEqual([200, 'x'.repeat(300_000)]);
});

it('a client that goes away while it is answered is no error of the server', async () => {
  const rest = createRest(again.url);
  // More than the buffers of a connection take.
  const pairs = signForm({
    pair: ADMIN_KEY,
    bucket: 'uploads',
    fields: { key: 'large', acl: 'public-read' },
  });
  const { status } = await sendS3(again.url, {
    method: 'POST',
    path: '/uploads',
    headers: { 'content-type': FORM_TYPE },
    body: formBody(pairs, Buffer.alloc(16_000_000)),
  });
  expect(status).toBe(204);
  const { hostname, port } = new URL(again.url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.write('GET /uploads/large HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'data');
  socket.resetAndDestroy();
  await expect.poll(() => again.log()).toContain('"cutOff":true');
  const { headers } = await rest('GET', '/api/health');
  await expect.poll(() => again.log()).toContain(headers.get('x-request-id') ?? '?');
  expect(again.log()).not.toContain('"level":50');
});
