import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCESS_KEY, uploadForm } from '../faults/upload-form.ts';
import { ask, connect, request } from '../socket/client.ts';
import { PASSWORD } from '../support/environment.ts';
import { makeFolder } from '../support/make-folder.ts';
import { type Metrics, parseMetrics } from '../support/metrics-text.ts';
import { rawRequest } from '../support/raw-http.ts';
import { basic, createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** `GET /api/metrics`: who may ask, and that everything that happens is counted once. */

const TOKEN = 'a-token-of-these-tests';
const COUNT = 'keystow_request_duration_seconds_count';

let server: TestServer;
let rest: Rest;

beforeAll(async () => {
  const folder = await makeFolder();
  const file = join(folder, 'token');
  await writeFile(file, `${TOKEN}\n`);
  server = await startServer({ folder, env: { ...ACCESS_KEY, METRICS_TOKEN_FILE: file } });
  rest = createRest(server.url);
});

afterAll(() => server.stop());

function ofToken(token: string, path = '/api/metrics'): Promise<Response> {
  return fetch(server.url + path, { headers: { authorization: `Bearer ${token}` } });
}

async function metrics(): Promise<Metrics> {
  return parseMetrics(await (await ofToken(TOKEN)).text());
}

/** How much more there is afterwards of what `read` reads; counting may come a moment after the answer. */
async function growth(
  work: () => Promise<unknown>,
  read: (seen: Metrics) => number,
): Promise<() => Promise<number>> {
  const before = read(await metrics());
  await work();
  return async () => read(await metrics()) - before;
}

describe('who may read the metrics', () => {
  it.each([
    ['nobody in particular', {}, 401],
    ['a wrong token', { authorization: 'Bearer wrong' }, 401],
    ['the beginning of the token', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }, 401],
    ['an empty token', { authorization: 'Bearer ' }, 401],
    ['the token', { authorization: `Bearer ${TOKEN}` }, 200],
    ['the token, as RFC 6750 lets clients write it', { authorization: `bearer  ${TOKEN}` }, 200],
  ])('%s', async (_who, headers: Record<string, string>, status) => {
    const answer = await fetch(`${server.url}/api/metrics`, { headers });
    expect(answer.status).toBe(status);
    const text = await answer.text();
    if (status === 200) expect(parseMetrics(text).names).toContain('keystow_build_info');
    else expect(Object.keys(JSON.parse(text))).toEqual(['error']);
    expect(answer.headers.get('www-authenticate') !== null).toBe(status === 401);
  });

  it('an admin may, a member may not', async () => {
    const answer = await rest('GET', '/api/metrics');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const grants = [{ prefix: '', access: 'write' }];
    await rest('PUT', '/api/users/metered', { password: 'metered', role: 'member', grants });
    expect((await createRest(server.url, 'metered', 'metered')('GET', '/api/metrics')).status).toBe(
      403,
    );
  });

  it('the token is good for nothing else', async () => {
    for (const path of ['/data', '/api/users'])
      expect((await ofToken(TOKEN, path)).status).toBe(401);
  });

  it('without METRICS_TOKEN no token is right', async () => {
    const bare = await startServer();
    for (const token of ['undefined', TOKEN]) {
      const headers = { authorization: `Bearer ${token}` };
      expect((await fetch(`${bare.url}/api/metrics`, { headers })).status).toBe(401);
    }
    await bare.stop();
  });
});

describe('requests', () => {
  it.each([
    ['POST', '/data/counted%20key', '{}', 'POST', '/data/*', 201],
    ['GET', '/data/counted%20key', undefined, 'GET', '/data/*', 200],
    ['GET', '/data/absent/deep', undefined, 'GET', '/data/*', 404],
    ['GET', '/data?limit=5', undefined, 'GET', '/data', 200],
    ['GET', '/data', undefined, 'GET', '/data', 200],
    ['GET', '/api/health', undefined, 'GET', '/api/health', 200],
    ['PUT', '/api/users/x', '{', 'PUT', '/api/users/*', 400],
    ['GET', '/api/objects/uploads', undefined, 'GET', '/api/objects/:bucket', 200],
    ['GET', '/api/nowhere', undefined, 'GET', 'none', 404],
    ['PUT', '/uploads/some/key', 'bytes', 'PUT', 'PutObject', 200],
    ['GET', '/uploads/some/key', undefined, 'GET', 'GetObject', 200],
    ['HEAD', '/uploads/some/key', undefined, 'HEAD', 'HeadObject', 200],
    ['GET', '/uploads?list-type=2', undefined, 'GET', 'ListObjectsV2', 200],
    ['GET', '/uploads', undefined, 'GET', 'ListObjects', 200],
    ['GET', '/uploads?acl', undefined, 'GET', 'GetBucketAcl', 200],
    ['POST', '/uploads/some/key?uploads', '', 'POST', 'CreateMultipartUpload', 200],
    ['DELETE', '/uploads/some/key', undefined, 'DELETE', 'DeleteObject', 204],
    ['PATCH', '/uploads/some/key', '{}', 'PATCH', 'S3', 405],
    ['GET', '/uploads/some/key?torrent', undefined, 'GET', 'S3', 501],
  ])('%s %s', async (method, path, body, counted, route, status) => {
    const labels = { via: 'http', method: counted, route, status: String(status) };
    const more = await growth(
      async () => expect((await rest(method, path, body)).status).toBe(status),
      (seen) => seen.sum(COUNT, labels),
    );
    await expect.poll(more).toBe(1);
  });

  it('a copy is not a put, and a form is a form', async () => {
    await rest('PUT', '/uploads/source', 'bytes');
    const copied = await growth(
      () => rest('PUT', '/uploads/copy', '', { 'x-amz-copy-source': '/uploads/source' }),
      (seen) => seen.sum(COUNT, { route: 'CopyObject', status: '200' }),
    );
    await expect.poll(copied).toBe(1);
    const form = uploadForm('of-a-form', randomBytes(100));
    const posted = await growth(
      () =>
        fetch(server.url + form.path, {
          method: 'POST',
          headers: form.headers,
          body: new Uint8Array(form.body),
        }),
      (seen) => seen.sum(COUNT, { route: 'PostObject', method: 'POST', status: '201' }),
    );
    await expect.poll(posted).toBe(1);
  });

  it('envelopes, past Koa and through it, and those that nobody can read', async () => {
    const client = await connect(server.url);
    const via = 'socket';
    for (const [url, route] of [
      ['/data/counted%20key', '/data/*'],
      ['/api/health', '/api/health'],
    ] as const) {
      const more = await growth(
        () => request(client, 'GET', url),
        (seen) => seen.sum(COUNT, { via, method: 'GET', route, status: '200' }),
      );
      expect(await more(), url).toBe(1);
    }
    const unread = await growth(
      () => ask(client, { method: randomBytes(8).toString('hex'), url: '/data' }),
      (seen) => seen.sum(COUNT, { via, method: 'none', route: 'none', status: '400' }),
    );
    expect(await unread()).toBe(1);
    const seen = await metrics();
    expect(seen.sum('keystow_sockets')).toBe(1);
    client.close();
    await expect.poll(async () => (await metrics()).sum('keystow_sockets')).toBe(0);
  });

  it('that are no HTTP, and clients that leave', async () => {
    const broken = await growth(
      () => rawRequest(server.url, 'GET /data HTTP/1.1\r\nNo header\r\n\r\n'),
      (seen) => seen.sum(COUNT, { route: 'none', status: '400', method: 'none', via: 'http' }),
    );
    expect(await broken()).toBe(1);
    await rest('PUT', '/uploads/large', randomBytes(32 * 1_048_576));
    const left = await growth(
      async () => {
        const { hostname, port } = new URL(server.url);
        const socket = createConnection({ host: hostname, port: Number(port) });
        const authorization = basic('admin', PASSWORD);
        socket.write(
          `GET /uploads/large HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n\r\n`,
        );
        // It takes the beginning, and no more than fits into the connection.
        await once(socket, 'readable');
        socket.destroy();
      },
      (seen) => seen.sum(COUNT, { route: 'GetObject', status: 'aborted' }),
    );
    await expect.poll(left).toBe(1);
  });

  it('show no path, key, user or token in any label', async () => {
    const text = await (await ofToken(TOKEN)).text();
    expect(text).not.toMatch(/counted|some\/key|of-a-form|metered|nowhere|uploads\/|a-token/);
  });

  it('make no series of their own, however many paths there are', async () => {
    await rest('GET', '/data/first');
    const lines = async (): Promise<number> =>
      (await (await ofToken(TOKEN)).text())
        .split('\n')
        .filter((line) => line.startsWith('keystow_request')).length;
    const before = await lines();
    await Promise.all(Array.from({ length: 50 }, (_, i) => rest('GET', `/data/other-${i}`)));
    expect(await lines()).toBe(before);
  });
});

describe('what else is counted', () => {
  it('commits, their batches, and the sequence', async () => {
    const before = await metrics();
    const created = await Promise.all(
      Array.from({ length: 20 }, (_, i) => rest('POST', `/data/commit-${i}`, '{}')),
    );
    expect(created.every(({ status }) => status === 201)).toBe(true);
    const after = await metrics();
    const grown = (name: string, labels = {}): number =>
      after.sum(name, labels) - before.sum(name, labels);
    expect(grown('keystow_store_sequence')).toBe(20);
    expect(grown('keystow_commits_total', { outcome: 'stored' })).toBe(20);
    expect(grown('keystow_commit_duration_seconds_count')).toBe(20);
    expect(grown('keystow_batch_commits_sum')).toBe(20);
    const batches = grown('keystow_batch_commits_count');
    expect(batches).toBeGreaterThan(0);
    expect(batches).toBeLessThanOrEqual(20);
    expect(grown('keystow_batch_duration_seconds_count')).toBe(batches);
    expect(grown('keystow_batch_duration_seconds_sum')).toBeGreaterThan(0);
    expect(grown('keystow_batch_bytes_sum')).toBeGreaterThan(20 * 64);
    expect(after.sum('keystow_commits_under_way')).toBe(0);
  });

  it('a check that does not hold is a conflict', async () => {
    const more = await growth(
      () => Promise.all(Array.from({ length: 5 }, () => rest('POST', '/data/contended', '{}'))),
      (seen) => seen.sum('keystow_commits_total', { outcome: 'conflict' }),
    );
    expect(await more()).toBeGreaterThan(0);
  });

  it('uploads and their bytes', async () => {
    const bytes = await growth(
      () => rest('PUT', '/uploads/sized', randomBytes(100_000)),
      (seen) => seen.sum('keystow_upload_bytes_total'),
    );
    expect(await bytes()).toBe(100_000);
    const failed = await growth(
      () => rest('PUT', '/uploads/sized', 'other', { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' }),
      (seen) => seen.sum('keystow_uploads_total', { outcome: 'failed' }),
    );
    expect(await failed()).toBe(1);
    expect((await metrics()).sum('keystow_uploads_under_way')).toBe(0);
  });

  it('bytes of connections, open and closed', async () => {
    for (const direction of ['in', 'out']) {
      const more = await growth(
        () =>
          direction === 'in'
            ? rest('PUT', '/uploads/traffic', randomBytes(1_000_000))
            : rest('GET', '/uploads/traffic'),
        (seen) => seen.sum('keystow_traffic_bytes_total', { direction }),
      );
      await expect.poll(more).toBeGreaterThan(1_000_000);
      // The metrics themselves are sent over such a connection.
      expect(await more()).toBeLessThan(2_000_000);
    }
    expect((await metrics()).sum('keystow_connections')).toBeGreaterThan(0);
  });

  it('credentials that were known, and those that were not', async () => {
    await rest('GET', '/data/first');
    const hits = await growth(
      () => rest('GET', '/data/first'),
      (seen) => seen.sum('keystow_credential_cache_total', { result: 'hit' }),
    );
    expect(await hits()).toBe(1);
    const misses = await growth(
      () => createRest(server.url, 'admin', 'wrong')('GET', '/data/first'),
      (seen) => seen.sum('keystow_credential_cache_total', { result: 'miss' }),
    );
    expect(await misses()).toBe(1);
    const seen = await metrics();
    expect(seen.sum('keystow_credential_cache_entries')).toBeGreaterThan(0);
    expect(seen.sum('keystow_passwords_waiting')).toBe(0);
    expect(seen.sum('keystow_passwords_under_way')).toBe(0);
  });

  it('feeds of changes', async () => {
    const leaving = new AbortController();
    const { headers } = { headers: { accept: 'text/event-stream' } };
    const stream = await fetch(`${server.url}/api/changes`, {
      signal: leaving.signal,
      headers: { ...headers, authorization: `Basic ${btoa(`admin:${server.password}`)}` },
    });
    expect(stream.status).toBe(200);
    expect((await metrics()).sum('keystow_feeds')).toBe(1);
    await rest('POST', '/data/watched', '{}');
    await expect.poll(async () => (await metrics()).sum('keystow_feed_lag')).toBe(0);
    leaving.abort();
    await expect.poll(async () => (await metrics()).sum('keystow_feeds')).toBe(0);
  });

  it('the process, its event loop, the disk and what runs', async () => {
    const { default: manifest } = await import('../../package.json', { with: { type: 'json' } });
    const seen = await metrics();
    expect(seen.sum('keystow_build_info', { version: manifest.version })).toBe(1);
    expect(seen.sum('keystow_ready')).toBe(1);
    expect(seen.sum('keystow_disk_free_bytes')).toBeGreaterThan(0);
    expect(seen.sum('keystow_disk_min_free_bytes')).toBe(256 * 1_048_576);
    for (const name of ['process_cpu_seconds_total', 'nodejs_eventloop_lag_p99_seconds'])
      expect(seen.names).toContain(name);
  });
});
