import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { some } from '../support/long-runs.ts';
import { makeFolder } from '../support/make-folder.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { cliFor, fakeServer, runCli } from './run-cli.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ env: { TLS: 'on', HTTP_PORT: '0' } });
});
afterAll(() => server.stop());

describe('credentials', () => {
  it('come from flags before variables', async () => {
    const cli = cliFor('http://127.0.0.1:1', 'wrong');
    const flags = ['--url', server.url, '--user', 'admin', '--password', server.password];
    expect(await cli(['list', ...flags])).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('are asked for by name where there is no terminal to ask on', async () => {
    const env = { KEYSTOW_URL: server.url, KEYSTOW_USER: 'ada', KEYSTOW_PASSWORD: '' };
    expect(await runCli(['list'], { env })).toEqual({
      code: 2,
      stdout: '',
      stderr: 'keystow: no password: put the one of ada into the variable KEYSTOW_PASSWORD.\n',
    });
  });

  it('that are wrong exit with 1 and the sentence of the server', async () => {
    const { code, stderr } = await cliFor(server.url, 'wrong')(['list']);
    expect(stderr).toMatch(/^keystow: Wrong user name or password\.\n$/);
    expect(code).toBe(1);
  });

  it('cannot have a colon in the user name', async () => {
    const { code, stderr } = await cliFor(server.url, 'x')(['list', '--user', 'a:b']);
    expect(stderr).toBe('keystow: --user must be a name without a colon.\n');
    expect(code).toBe(2);
  });
});

describe('TLS', () => {
  const list = (cwd: string | undefined, args: string[] = [], env: Record<string, string> = {}) =>
    cliFor(server.tlsUrl, server.password)(['list', ...args], {
      env,
      ...(cwd === undefined ? {} : { cwd }),
    });

  it('trusts certs/server.crt of the current folder for this machine', async () => {
    expect(await list(server.folder)).toEqual({ code: 0, stdout: '', stderr: '' });
    const localhost = server.tlsUrl.replace('127.0.0.1', 'localhost');
    expect((await list(server.folder, ['--url', localhost])).code).toBe(0);
  });

  it('refuses a certificate that nobody trusts, and names the ways out', async () => {
    const { code, stderr } = await list(undefined);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^keystow: [^\n]+--ca FILE[^\n]+--insecure[^\n]+\n$/);
  });

  it('trusts what --ca or KEYSTOW_CA name', async () => {
    const certificate = join(server.folder, 'certs/server.crt');
    expect((await list(undefined, ['--ca', certificate])).code).toBe(0);
    expect((await list(undefined, [], { KEYSTOW_CA: certificate })).code).toBe(0);
  });

  it('does not verify with --insecure, or KEYSTOW_INSECURE=1 and no other value', async () => {
    expect((await list(undefined, ['--insecure'])).code).toBe(0);
    expect((await list(undefined, [], { KEYSTOW_INSECURE: '1' })).code).toBe(0);
    expect((await list(undefined, [], { KEYSTOW_INSECURE: '0' })).code).toBe(3);
  });

  it('refuses a server whose certificate is not the one in certs', async () => {
    const other = await startServer({ env: { TLS: 'on' } });
    try {
      const { code, stderr } = await list(other.folder);
      expect(stderr).toContain('its certificate is not one that this machine trusts');
      expect(code).toBe(3);
    } finally {
      await other.stop();
    }
  });

  it('lets --ca replace certs/server.crt rather than add to it', async () => {
    const other = await startServer({ env: { TLS: 'on' } });
    try {
      const ca = join(other.folder, 'certs/server.crt');
      expect((await list(server.folder, ['--ca', ca])).code).toBe(3);
    } finally {
      await other.stop();
    }
  });

  it('checks the name in the certificate', async () => {
    const folder = await makeFolder();
    const { cert, private: key } = await generate([
      { name: 'commonName', value: 'elsewhere.test' },
    ]);
    const elsewhere = createServer({ cert, key }).listen(0, '127.0.0.1');
    try {
      await once(elsewhere, 'listening');
      const ca = join(folder, 'ca.pem');
      await writeFile(ca, cert);
      const { port } = elsewhere.address() as AddressInfo;
      const url = `https://127.0.0.1:${port}`;
      const { code, stderr } = await list(undefined, ['--ca', ca, '--url', url]);
      expect(stderr).toContain('its certificate is for another name');
      expect(code).toBe(3);
    } finally {
      elsewhere.close();
      await rm(folder, { recursive: true });
    }
  });

  it('names a --ca file that it cannot read', async () => {
    const { code, stderr } = await list(undefined, ['--ca', '/nowhere.pem']);
    expect(stderr).toContain('cannot read the certificates in /nowhere.pem: no such file');
    expect(code).toBe(1);
  });

  it('says so when one side speaks TLS and the other does not', async () => {
    const plain = server.url.replace('http:', 'https:');
    const a = await list(undefined, ['--url', plain]);
    expect(a.stderr).toContain('does not speak TLS');
    expect(a.code).toBe(3);
    const b = await list(undefined, ['--url', server.tlsUrl.replace('https:', 'http:')]);
    expect(b.stderr).toContain('a server with TLS needs an https URL');
    expect(b.code).toBe(3);
  });
});

describe('the server', () => {
  const ofLists = ['user', 'key', 'bucket'].map((noun) => [noun, 'list']);

  it('that cannot be reached is exit code 3 and one sentence', async () => {
    const closed = await fakeServer(() => {});
    await closed.close();
    for (const args of [
      ['list'],
      ['get', 'a'],
      ['import'],
      ['export'],
      ['key', 'add'],
      ['upload', '/dev/null'],
      ['sign'],
      ...ofLists,
    ]) {
      const { code, stderr, stdout } = await cliFor(closed.url, 'x')(args);
      expect(stderr).toMatch(/^keystow: cannot reach http:\S+: nothing listens there;[^\n]+\n$/);
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    }
  });

  it('that is no Keystow is recognised', async () => {
    const fake = await fakeServer((request, response) => {
      response.statusCode = request.url === '/data/moved' ? 302 : 200;
      response.setHeader('content-type', 'text/html').end('<p>Hello!</p>');
    });
    try {
      const cli = cliFor(fake.url, 'x');
      for (const args of [['list'], ['export'], ['get', 'moved'], ...ofLists]) {
        const { code, stderr, stdout } = await cli(args);
        expect(stderr).toMatch(/^keystow: [^\n]+is --url a Keystow server\?\n$/);
        expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      }
    } finally {
      await fake.close();
    }
  });

  it('may live below a path, and gets the credentials in UTF-8', async () => {
    const seen: unknown[] = [];
    const fake = await fakeServer((request, response) => {
      seen.push(request.url, request.headers.authorization);
      response.end('[]');
    });
    try {
      const cli = cliFor(`${fake.url}/store/`, 'pässword');
      await cli(['list', '--limit', '5', '--user', 'ädmin']);
      const credentials = Buffer.from('ädmin:pässword').toString('base64');
      expect(seen).toEqual(['/store/data?limit=5', `Basic ${credentials}`]);
    } finally {
      await fake.close();
    }
  });

  it('does not send the credentials to another one that it links to', async () => {
    const urls: unknown[] = [];
    const fake = await fakeServer((request, response) => {
      urls.push(request.url);
      if (urls.length === 1) {
        response.setHeader('link', '<http://192.0.2.1/elsewhere?after=a>; rel="next"');
      }
      response.end('["a"]');
    });
    try {
      expect((await cliFor(fake.url, 'x')(['list'])).stdout).toBe('a\na\n');
      expect(urls).toEqual(['/data?limit=1000', '/data?after=a']);
    } finally {
      await fake.close();
    }
  });

  it.each(
    some(
      [
        ['localhost:6375', 'must begin with https:// or http://'],
        ['ftp://localhost', 'must begin with https:// or http://'],
        ['https://ada:secret@localhost', 'not in --url'],
      ],
      2,
    ),
  )('is named by an URL, not by %s', async (url, message) => {
    const { code, stderr } = await cliFor(url, 'x')(['list']);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('secret');
    expect(code).toBe(2);
  });
});
