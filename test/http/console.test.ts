import { readdir, stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRequest } from '../support/http-request.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** The files of the console; what a browser makes of them is in test/console. */

const PUBLIC = 'https://saves.example:8443';
let server: TestServer;

beforeAll(async () => {
  server = await startServer({ env: { PUBLIC_URL: PUBLIC } });
});

afterAll(() => server.stop());

function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
  return sendRequest(server.url, { method, path, headers, credentials: null });
}

async function script(): Promise<string> {
  const page = await get('/console');
  return /<script [^>]*src="([^"]+)"/.exec(page.text)?.[1] ?? '';
}

describe('the page', () => {
  it('needs no credentials, and allows scripts and styles of its own assets alone', async () => {
    const { host } = new URL(server.url);
    const page = await get('/console');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect(page.headers.get('cache-control')).toBe('no-cache');
    const policy = String(page.headers.get('content-security-policy')).split('; ');
    const assets = `${host}/console/assets/ saves.example:8443/console/assets/`;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`script-src ${assets}`);
    expect(policy).toContain(`style-src ${assets}`);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(page.text).not.toMatch(/<script(?![^>]* src=)|<style| style=| on\w+=/);
  });

  it('opens from a link on another site, which may use nothing else', async () => {
    const headers = { 'sec-fetch-site': 'cross-site', accept: 'text/html' };
    expect((await get('/console', headers)).status).toBe(200);
    expect((await get('/', headers)).headers.get('location')).toBe('/console');
    expect((await get('/api/users', headers)).status).toBe(403);
    expect((await get('/', { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  });

  it('says why it does not open under a name that its policy cannot have', async () => {
    for (const host of ['[::1]:6375', 'a;script-src *', 'a b']) {
      const answer = await get('/console', { host });
      expect(answer.status).toBe(400);
      expect(answer.text).toContain('Open the console by a host name');
    }
  });
});

describe('an asset', () => {
  it('is kept for ever, compressed for who takes that', async () => {
    const path = await script();
    const plain = await get(path, { 'accept-encoding': 'identity' });
    const small = await get(path, { 'accept-encoding': 'gzip, deflate, br' });
    expect([plain.status, small.status]).toEqual([200, 200]);
    expect(plain.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(plain.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(small.headers.get('content-encoding')).toBe('gzip');
    expect([plain.headers.get('vary'), small.headers.get('vary')]).toEqual([
      'Accept-Encoding',
      'Accept-Encoding',
    ]);
    // fetch asks for gzip, and undoes it.
    expect(await (await fetch(server.url + path)).text()).toBe(plain.text);
  });

  it('answers HEAD', async () => {
    const answer = await get(await script(), {}, 'HEAD');
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('');
  });
});

it('is under 250 KB compressed without the editor, which nothing loads before it is needed', async () => {
  const folder = 'dist/console/assets';
  const files = (await readdir(folder)).filter((name) => name.endsWith('.gz'));
  const editor = files.filter((name) => name.startsWith('code-mirror-'));
  expect(editor).toHaveLength(1);
  const sizes = files
    .filter((name) => !editor.includes(name))
    .map((name) => stat(`${folder}/${name}`));
  const bytes = (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0);
  expect(bytes).toBeLessThan(250_000);
  expect((await get('/console')).text).not.toContain('code-mirror');
});

describe('what is not there', () => {
  it.each([
    '/console/nothing.js',
    '/console/assets/',
    '/console/index.html.gz',
    '/console/../server/main.js',
    '/console/..%2fserver%2fmain.js',
    '/console/assets/..\\..\\server\\main.js',
    '/console/assets%00',
  ])('is a 404 with a sentence: %s', async (path) => {
    const answer = await get(path);
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.text)).toEqual({ error: expect.stringContaining('There is nothing') });
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('is %s: a 405 with Allow', async (method) => {
    const answer = await get('/console', {}, method);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('HEAD, GET');
  });
});
