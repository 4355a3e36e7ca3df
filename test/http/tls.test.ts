import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { connect, type SecureVersion } from 'node:tls';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRequest } from '../support/http-request.ts';
import { some } from '../support/long-runs.ts';
import { makeFolder } from '../support/make-folder.ts';
import { basic } from '../support/rest.ts';
import { startServer } from '../support/server.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { startRefused } from '../support/start-refused.ts';

let server: ServerProcess;
let cert: string;
const folders: string[] = [];

beforeAll(async () => {
  server = await startProcess({ env: { TLS: 'on', HTTP_PORT: '0' } });
  cert = await readFile(join(server.folder, 'certs/server.crt'), 'utf8');
});

afterAll(async () => {
  await server.stop();
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
});

/** A request that trusts nothing but the certificate of the server. */
function getTrusting(path: string, servername: string, address = '127.0.0.1') {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const { port } = new URL(server.tlsUrl);
    const headers = { authorization: basic('admin', server.password) };
    const options = { host: address, port, path, headers, ca: cert, servername, agent: false };
    request(options, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, text }));
    })
      .on('error', reject)
      .end();
  });
}

/** The protocol that a client of just this version gets, or what went wrong. */
function handshake(version: SecureVersion): Promise<string | null> {
  const { port } = new URL(server.tlsUrl);
  return new Promise((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      port: Number(port),
      ca: cert,
      servername: 'localhost',
      minVersion: version,
      maxVersion: version,
      // OpenSSL 3 offers the old versions at this level only.
      ciphers: 'DEFAULT:@SECLEVEL=0',
    });
    socket.on('secureConnect', () => {
      resolve(socket.getProtocol());
      socket.destroy();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

describe('the certificate made at first start', () => {
  it('is beside its key, which only the owner can read', async () => {
    expect(cert).toMatch(/^-----BEGIN CERTIFICATE-----/);
    const key = join(server.folder, 'certs/server.key');
    expect((await stat(key)).mode & 0o777).toBe(0o600);
    expect(createPrivateKey(await readFile(key)).type).toBe('private');
  });

  it('is for localhost, 127.0.0.1, ::1 and the host name, and self-signed', () => {
    const parsed = new X509Certificate(cert);
    expect(parsed.checkHost('localhost')).toBe('localhost');
    expect(parsed.checkHost(hostname())).toBe(hostname());
    expect(parsed.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(parsed.checkIP('::1')).toBe('::1');
    expect(parsed.checkHost('example.com')).toBeUndefined();
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(Date.parse(parsed.validFrom)).toBeLessThanOrEqual(Date.now());
    expect(Date.parse(parsed.validTo)).toBeGreaterThan(Date.now() + 300 * 86_400_000);
  });

  it('lets a client that trusts it in, by each of its names', async () => {
    for (const name of ['localhost', hostname()]) {
      expect((await getTrusting('/data', name)).status, name).toBe(200);
    }
    await expect(getTrusting('/data', 'example.com')).rejects.toThrow(/altnames|certificate/i);
  });

  it('is made where TLS_CERT and TLS_KEY say, and kept at a second start', async () => {
    const env = { TLS: 'on', TLS_CERT: 'my/own.crt', TLS_KEY: 'my/other/own.key' };
    const first = await startProcess({ env });
    const files = [env.TLS_CERT, env.TLS_KEY].map((file) => join(first.folder, file));
    const before = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    expect((await stat(files[1] ?? '')).mode & 0o777).toBe(0o600);
    expect(existsSync(join(first.folder, 'certs'))).toBe(false);
    await first.stop({ keep: true });
    const second = await startProcess({ env, folder: first.folder });
    const after = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    await second.stop();
    expect(after).toEqual(before);
  });
});

describe('the versions of TLS', () => {
  it.each<[SecureVersion, string | RegExp]>([
    ['TLSv1.3', 'TLSv1.3'],
    ['TLSv1.2', 'TLSv1.2'],
    ['TLSv1.1', /ALERT_PROTOCOL_VERSION/],
    ['TLSv1', /ALERT_PROTOCOL_VERSION/],
  ])('%s: %s', async (version, outcome) => {
    expect(await handshake(version)).toMatch(outcome);
  });
});

describe('the listeners', () => {
  it('are each named by a ready line', () => {
    expect(server.lines).toEqual([
      `keystow listening on ${server.tlsUrl}`,
      `keystow listening on ${server.url}`,
    ]);
    expect(server.tlsUrl).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('serve the same documents', async () => {
    const created = await sendRequest(server.url, {
      method: 'POST',
      path: '/data/both',
      body: '[1]',
    });
    expect(created.status).toBe(201);
    expect((await getTrusting('/data/both', 'localhost')).text).toBe('[1]');
  });

  it('are all interfaces under the name localhost unless HOST says otherwise', async () => {
    const everywhere = await startProcess({ env: { HOST: '' } });
    expect(everywhere.lines).toEqual([expect.stringMatching(/ on http:\/\/localhost:\d+$/)]);
    const { port } = new URL(everywhere.url);
    for (const host of ['localhost', '127.0.0.1', '127.0.0.2']) {
      const health = await fetch(`http://${host}:${port}/api/health`);
      expect(health.status).toBe(200);
      await health.body?.cancel();
    }
    // Without TLS no certificate is made either.
    expect(existsSync(join(everywhere.folder, 'certs'))).toBe(false);
    await everywhere.stop();
  });

  it('with TLS drop a client that speaks plain HTTP, and go on', async () => {
    const { port } = new URL(server.tlsUrl);
    const socket = connectPlain(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    expect((await getTrusting('/api/health', 'localhost')).status).toBe(200);
  });
});

describe('a certificate of one’s own', () => {
  const passphrase = 'a passphrase';
  let folder: string;
  let files: Record<'TLS_CERT' | 'TLS_KEY', string>;

  beforeAll(async () => {
    folder = await makeFolder();
    folders.push(folder);
    const made = await generate([{ name: 'commonName', value: 'own.example' }], {
      keyType: 'ec',
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'own.example' }] }],
    });
    const key = createPrivateKey(made.private).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase,
    });
    files = { TLS_CERT: join(folder, 'own.crt'), TLS_KEY: join(folder, 'own.key') };
    await writeFile(files.TLS_CERT, made.cert);
    await writeFile(files.TLS_KEY, key);
    await writeFile(join(folder, 'passphrase'), `${passphrase}\n`);
    await writeFile(join(folder, 'broken.pem'), 'not PEM');
  });

  it.each([
    ['TLS_PASSPHRASE', () => ({ TLS_PASSPHRASE: passphrase })],
    ['TLS_PASSPHRASE_FILE', () => ({ TLS_PASSPHRASE_FILE: join(folder, 'passphrase') })],
  ])('is used, its key opened by %s', async (_name, secret) => {
    const own = await startServer({ env: { TLS: 'on', ...files, ...secret() } });
    const { port } = new URL(own.tlsUrl);
    const socket = connect({
      host: '127.0.0.1',
      port: Number(port),
      ca: await readFile(files.TLS_CERT),
      servername: 'own.example',
    });
    await once(socket, 'secureConnect');
    expect(socket.getPeerCertificate().subject.CN).toBe('own.example');
    socket.destroy();
    await own.stop();
  });

  it.each(
    some<[string, (path: (file: string) => string) => Record<string, string>, RegExp]>(
      [
        ['only the certificate', (path) => ({ TLS_KEY: path('none.key') }), /TLS_KEY .*none\.key/],
        ['only the key', (path) => ({ TLS_CERT: path('none.crt') }), /TLS_CERT .*none\.crt/],
        ['a broken certificate', (path) => ({ TLS_CERT: path('broken.pem') }), /broken\.pem/],
        ['a broken key', (path) => ({ TLS_KEY: path('broken.pem') }), /broken\.pem/],
        ['a wrong passphrase', () => ({ TLS_PASSPHRASE: 'wrong one' }), /own\.key/],
        ['a CA that is not there', (path) => ({ TLS_CA: path('none.ca') }), /TLS_CA/],
        ['a broken CA', (path) => ({ TLS_CA: path('broken.pem') }), /broken\.pem|TLS_CA/],
        [
          'a key of another certificate',
          (path) => ({ TLS_CERT: path('../certs/server.crt'), TLS_PASSPHRASE: passphrase }),
          /own\.key/,
        ],
      ],
      3,
    ),
  )('with %s is refused: one line that says which, exit 1', async (_name, change, message) => {
    const path = (file: string) => {
      return file.startsWith('../') ? join(server.folder, file.slice(3)) : join(folder, file);
    };
    const refused = await startRefused({
      TLS: 'on',
      DATA_DIR: join(folder, 'data'),
      TLS_PASSPHRASE: passphrase,
      ...files,
      ...change(path),
    });
    expect(refused.code, refused.stderr).toBe(1);
    expect(refused.stderr).toMatch(/^keystow: [^\n]+\n$/);
    expect(refused.stderr).toMatch(message);
    expect(refused.stderr).not.toMatch(/wrong one|a passphrase/);
    expect(refused.stdout).toBe('');
    // Nothing was made in place of what is missing.
    for (const file of ['none.key', 'none.crt', 'none.ca']) {
      expect(existsSync(join(folder, file))).toBe(false);
    }
  });
});
