import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, RequestListener } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runs, some } from '../support/long-runs.ts';
import { makeFolder } from '../support/make-folder.ts';
import { basic, createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type CliResult, cliFor, fakeServer, spawnCli } from './run-cli.ts';

const LARGE = runs(6, 70) * 1_048_576;
const SIGN = '/api/v2/s3/create_signed_url';

let server: TestServer;
let rest: Rest;
let cli: ReturnType<typeof cliFor>;
let folder: string;
let large: Buffer;
let skew = 0;

beforeAll(async () => {
  folder = await makeFolder();
  large = randomBytes(LARGE);
  await Promise.all([
    writeFile(join(folder, 'cat.txt'), 'meow'),
    writeFile(join(folder, 'odd "é\n%22.txt'), 'odd'),
    writeFile(join(folder, 'empty'), ''),
    writeFile(join(folder, 'large'), large),
    mkdir(join(folder, 'folder')),
  ]);
  server = await startServer({
    env: { TLS: 'on', HTTP_PORT: '0', MAX_UPLOAD_BYTES: String(LARGE) },
    now: () => Date.now() + skew,
  });
  rest = createRest(server.url);
  cli = cliFor(server.url, server.password);
  await rest('PUT', '/api/buckets/photos', {});
  const grants = [{ prefix: 'photos/ada/', access: 'write' }];
  await rest('PUT', '/api/users/ada', { password: 'x', role: 'member', grants });
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

function upload(args: string[], options: Parameters<typeof cli>[1] = {}): Promise<CliResult> {
  return cli(['upload', ...args], { cwd: folder, ...options });
}

async function read(location: string): Promise<{ bytes: Buffer; headers: Headers }> {
  const response = await fetch(location, {
    headers: { authorization: basic('admin', server.password) },
  });
  expect(response.status).toBe(200);
  return { bytes: Buffer.from(await response.arrayBuffer()), headers: response.headers };
}

function stored(location: string, content: string | Buffer): CliResult {
  const md5 = createHash('md5').update(content).digest('hex');
  return { code: 0, stdout: `location ${location}\netag "${md5}"\n`, stderr: '' };
}

function address(key: string): string {
  return `${server.url}/photos/${key.replaceAll('/', '%2F')}`;
}

/** Something that hands out forms, and then takes them in its own way. */
async function withForms(
  form: { url?: string; fields?: object },
  listener: RequestListener,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const fake = await fakeServer((request, response) => {
    if (request.url !== SIGN) {
      listener(request, response);
      return;
    }
    const { url = `${fake.url}/photos`, fields = { key: 'k' } } = form;
    response.writeHead(202).end(JSON.stringify({ data: { url, fields } }));
  });
  try {
    await work(fake.url);
  } finally {
    await fake.close();
  }
}

describe('upload', () => {
  it.each([
    ['cat.txt', 'photos/a/b', 'a/b', 'meow'],
    ['cat.txt', 'photos/cats/', 'cats/cat.txt', 'meow'],
    ['cat.txt', 'photos/', 'cat.txt', 'meow'],
    ['empty', 'photos/', 'empty', ''],
  ])('of %s to %s has the key %s', async (file, target, key, content) => {
    expect(await upload([file, target])).toEqual(stored(address(key), content));
    expect((await read(address(key))).bytes.toString()).toBe(content);
  });

  it.each([
    [[], 'uploads'],
    [['photos'], 'photos'],
  ])('to %j has a key of the server with the name of the file', async (target, bucket) => {
    const { code, stdout, stderr } = await upload(['cat.txt', ...target]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [, location = ''] = /^location (\S+)\netag "[\da-f]{32}"\n$/.exec(stdout) ?? [];
    expect(location).toMatch(new RegExp(`/${bucket}/direct_uploads%2F[\\da-f-]{36}%2Fcat\\.txt$`));
    expect((await read(location)).bytes.toString()).toBe('meow');
  });

  it('takes names that need escapes in the form and in the address', async () => {
    const name = 'odd "é\n%22.txt';
    const location = `${server.url}/photos/${encodeURIComponent(`x/${name}`)}`;
    expect(await upload([name, 'photos/x/'])).toEqual(stored(location, 'odd'));
  });

  it('sends type, ACL and metadata with it', async () => {
    const settings = ['--content-type', 'text/plain', '--acl', 'public-read'];
    const meta = ['--meta', 'mood=good', '--meta', 'of=A B'];
    expect((await upload(['cat.txt', 'photos/meta', ...settings, ...meta])).code).toBe(0);
    const { status, headers } = await fetch(address('meta'));
    expect(status).toBe(200);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'text/plain',
      'x-amz-meta-mood': 'good',
      'x-amz-meta-of': 'A B',
    });
  });

  it('announces the size of a file, and sends standard input chunked', async () => {
    expect(await upload(['large', 'photos/'])).toEqual(stored(address('large'), large));
    expect((await read(address('large'))).bytes.equals(large)).toBe(true);
    expect(await upload(['-', 'photos/piped'], { stdin: large })).toEqual(
      stored(address('piped'), large),
    );
    expect((await read(address('piped'))).bytes.equals(large)).toBe(true);

    const seen: unknown[] = [];
    const listener: RequestListener = async (request, response) => {
      const { headers } = request;
      const { length } = await buffer(request);
      seen.push([headers.authorization, headers['transfer-encoding'], headers['content-length']]);
      const etag = `"${createHash('md5').update('meow').digest('hex')}"`;
      response.writeHead(201, { etag, location: String(length) }).end();
    };
    await withForms({}, listener, async (url) => {
      const { stdout } = await upload(['cat.txt'], { env: { KEYSTOW_URL: url } });
      const length = /^location (\d+)\n/.exec(stdout)?.[1];
      await upload(['-'], { env: { KEYSTOW_URL: url }, stdin: 'meow' });
      expect(seen).toEqual([
        [undefined, undefined, length],
        [undefined, 'chunked', undefined],
      ]);
    });
  });

  it('uploads over TLS, trusting what it trusts the server by', async () => {
    const env = { KEYSTOW_URL: server.tlsUrl };
    const location = `${server.tlsUrl}/photos/tls`;
    const file = join(folder, 'cat.txt');
    const args = ['upload', file, 'photos/tls'];
    const expected = stored(location, 'meow');
    expect(await cli(args, { env, cwd: server.folder })).toEqual(expected);
    expect(await cli([...args, '--ca', join(server.folder, 'certs/server.crt')], { env })).toEqual(
      expected,
    );
    expect(await cli([...args, '--insecure'], { env })).toEqual(expected);
    await withForms(
      { url: server.tlsUrl },
      () => {},
      async (url) => {
        const { code, stderr } = await upload(['cat.txt'], { env: { KEYSTOW_URL: url } });
        expect(stderr).toMatch(/^keystow: [^\n]+--ca FILE[^\n]+PUBLIC_URL[^\n]+\n$/);
        expect(code).toBe(3);
      },
    );
  });
});

describe('a refused upload', () => {
  const refused = (sentence: string): CliResult => ({
    code: 1,
    stdout: '',
    stderr: `keystow: ${sentence}\n`,
  });

  it.each(
    some(
      [
        ['no such file', ['nothing'], 'cannot read nothing: no such file or directory.'],
        ['a folder', ['folder'], 'folder is a folder: upload its files one by one.'],
        ['no such bucket', ['cat.txt', 'nowhere/a'], 'There is no bucket nowhere.'],
      ],
      3,
    ),
  )('for %s', async (_, args, sentence) => {
    expect(await upload(args)).toEqual(refused(sentence));
  });

  it('for a grant that is missing', async () => {
    const env = { KEYSTOW_USER: 'ada', KEYSTOW_PASSWORD: 'x' };
    expect((await upload(['cat.txt', 'photos/ada/'], { env })).code).toBe(0);
    const { code, stderr } = await upload(['cat.txt', 'photos/bob/'], { env });
    expect(stderr).toMatch(/^keystow: [^\n]+\n$/);
    expect(code).toBe(1);
  });

  it('for too many bytes, announced or not', async () => {
    const tooLarge = join(folder, 'too-large');
    await writeFile(tooLarge, Buffer.concat([large, large]));
    const sentence = 'EntityTooLarge: Your proposed upload exceeds the maximum allowed size.';
    expect(await upload([tooLarge, 'photos/too-large'])).toEqual(refused(sentence));
    const stdin = Buffer.concat([large, Buffer.alloc(1)]);
    expect(await upload(['-', 'photos/too-large'], { stdin })).toEqual(refused(sentence));
  });

  it('for a form that has expired', async () => {
    const { json } = await rest('POST', SIGN, { data: { bucket: 'photos', expiresIn: 60 } });
    const { data } = json as { data: { url: string; fields: object } };
    skew = 61_000;
    try {
      await withForms(
        data,
        () => {},
        async (url) => {
          expect(await upload(['cat.txt'], { env: { KEYSTOW_URL: url } })).toEqual(
            refused('AccessDenied: Invalid according to Policy: Policy expired.'),
          );
        },
      );
    } finally {
      skew = 0;
    }
  });

  it('ends although standard input stays open', async () => {
    const listener: RequestListener = (request, response) => {
      request.once('data', () => {
        response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>');
      });
    };
    await withForms({}, listener, async (url) => {
      const env = { KEYSTOW_URL: url, KEYSTOW_PASSWORD: 'x' };
      const child = spawnCli(['upload', '-'], { env });
      child.stdin.on('error', () => {});
      child.stdin.write('first');
      const [[code], stderr] = await Promise.all([once(child, 'close'), buffer(child.stderr)]);
      expect(stderr.toString()).toBe('keystow: AccessDenied\n');
      expect(code).toBe(1);
    });
  });

  it.each([
    ['is no XML', 502, {}, '<p>Bad gateway</p>', /answered 502 Bad Gateway to the upload\.$/],
    [
      'redirects',
      307,
      { location: 'http://192.0.2.1/' },
      '',
      /answered 307 [^\n]+ to the upload\.$/,
    ],
    ['says no place', 204, {}, '', /did not say where the upload is/],
    [
      'has the ETag of something else',
      201,
      { etag: '"0"', location: 'http://localhost/k' },
      '',
      /differs from what was sent: its ETag is "0", the MD5 of cat.txt is [\da-f]{32}\.$/,
    ],
  ])('where the answer %s', async (_, status, headers, body, message) => {
    const listener: RequestListener = (request, response) => {
      request.resume().on('end', () => response.writeHead(status, headers).end(body));
    };
    await withForms({}, listener, async (url) => {
      const { code, stdout, stderr } = await upload(['cat.txt'], { env: { KEYSTOW_URL: url } });
      expect(stderr.trimEnd()).toMatch(message);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    });
  });

  it.each(
    some(
      [
        [[]],
        [['']],
        [['cat.txt', '']],
        [['cat.txt', '/key']],
        [['-', 'photos/']],
        [['-', 'photos/x/']],
        [['cat.txt', 'photos', '--meta', 'x']],
      ],
      2,
    ),
  )('as wrong usage: %j', async (args) => {
    const { code, stdout, stderr } = await upload(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^keystow: /);
  });
});

describe('a broken upload is exit code 3', () => {
  it.each([
    [
      'no answer comes',
      (request: IncomingMessage) => request.once('data', () => request.destroy()),
    ],
    [
      'the answer breaks off',
      (request: IncomingMessage) =>
        request.once('data', () =>
          request.socket.end('HTTP/1.1 201 Created\r\ncontent-length: 9\r\n\r\nx'),
        ),
    ],
  ])('where %s', async (_, breakOff) => {
    await withForms({}, breakOff, async (url) => {
      const { code, stdout, stderr } = await upload(['large'], { env: { KEYSTOW_URL: url } });
      expect(stderr).toMatch(/^keystow: the connection to \S+ broke before [^\n]+ complete\.\n$/);
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    });
  });

  it('where nobody listens at the address of the form', async () => {
    const closed = await fakeServer(() => {});
    await closed.close();
    await withForms(
      { url: `${closed.url}/photos` },
      () => {},
      async (url) => {
        const { code, stdout, stderr } = await upload(['cat.txt'], { env: { KEYSTOW_URL: url } });
        expect(stderr).toMatch(
          /^keystow: cannot reach [^\n]+ The server's PUBLIC_URL sends uploads there\.\n$/,
        );
        expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      },
    );
  });
});
