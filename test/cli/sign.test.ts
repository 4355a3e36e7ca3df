import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launchChromium } from '../clients/chromium.ts';
import { hasCurl } from '../clients/curl-client.ts';
import { some } from '../support/long-runs.ts';
import { makeFolder } from '../support/make-folder.ts';
import { basic, createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { cliFor, fakeServer } from './run-cli.ts';

interface SignedForm {
  url: string;
  fields: Record<string, string>;
}

const hostile = `it's "$HOME" \`id\` ;type=a/b <&> é`;
const run = promisify(execFile);

let server: TestServer;
let rest: Rest;
let cli: ReturnType<typeof cliFor>;
let folder: string;

beforeAll(async () => {
  folder = await makeFolder();
  await writeFile(join(folder, 'FILE'), 'content');
  server = await startServer({ env: { TLS: 'on', HTTP_PORT: '0' } });
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

async function sign(...args: string[]): Promise<SignedForm> {
  const { code, stdout, stderr } = await cli(['sign', ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

function conditions({ fields }: SignedForm): unknown[] {
  return JSON.parse(Buffer.from(fields['policy'] ?? '', 'base64').toString()).conditions;
}

async function read(key: string): Promise<{ text: string; headers: Headers }> {
  const response = await fetch(`${server.url}/photos/${encodeURIComponent(key)}`, {
    headers: { authorization: basic('admin', server.password) },
  });
  expect(response.status).toBe(200);
  return { text: await response.text(), headers: response.headers };
}

describe('sign', () => {
  it('prints a form as JSON, by the defaults of the server', async () => {
    const form = await sign();
    expect(Object.keys(form)).toEqual(['url', 'fields']);
    expect(form.url).toBe(`${server.url}/uploads`);
    expect(form.fields).toMatchObject({
      key: expect.stringMatching(/^direct_uploads\/[\da-f-]{36}$/),
      success_action_status: '201',
      'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    });
  });

  it('passes on what is asked', async () => {
    const form = await sign(
      ...['--bucket', 'photos', '--key', 'cat.png', '--content-type', 'image/png'],
      ...['--acl', 'public-read', '--min-bytes', '1', '--max-bytes', '20', '--status', '200'],
      ...['--redirect', 'https://example.com/?a=b', '--meta', 'one=1=1', '--meta', 'Two='],
    );
    expect(form.url).toBe(`${server.url}/photos`);
    expect(form.fields).toMatchObject({
      key: 'cat.png',
      success_action_status: '200',
      success_action_redirect: 'https://example.com/?a=b',
      'Content-Type': 'image/png',
      acl: 'public-read',
      'x-amz-meta-one': '1=1',
      'x-amz-meta-two': '',
    });
    expect(conditions(form)).toContainEqual(['content-length-range', 1, 20]);
  });

  it('has the key made below a prefix, with the name at its end', async () => {
    const { fields } = await sign(
      '--bucket',
      'photos',
      '--prefix',
      'from-ada',
      '--filename',
      'é.png',
    );
    expect(fields['key']).toMatch(/^from-ada\/[\da-f-]{36}\/é\.png$/);
  });

  it('signs with version 2, for as long as is asked', async () => {
    const { fields } = await sign('--signature-version', 'v2', '--expires-in', '60');
    expect(Object.keys(fields)).toContain('AWSAccessKeyId');
    const { expiration } = JSON.parse(Buffer.from(fields['policy'] ?? '', 'base64').toString());
    expect(Date.parse(expiration) - Date.now()).toBeLessThanOrEqual(60_000);
  });

  it.each([
    ['an unknown bucket', ['--bucket', 'nowhere'], 'There is no bucket nowhere.'],
    [
      'a range that is none',
      ['--min-bytes', '5', '--max-bytes', '1'],
      'minBytes is more than maxBytes, 1.',
    ],
  ])('says what the server has against %s', async (_, args, sentence) => {
    expect(await cli(['sign', ...args])).toEqual({
      code: 1,
      stdout: '',
      stderr: `keystow: ${sentence}\n`,
    });
  });

  it('lets a member sign within its grants', async () => {
    const env = { KEYSTOW_USER: 'ada', KEYSTOW_PASSWORD: 'x' };
    const args = ['sign', '--bucket', 'photos', '--key'];
    expect((await cli([...args, 'ada/cat.png'], { env })).code).toBe(0);
    const { code, stdout, stderr } = await cli([...args, 'bob/cat.png'], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^keystow: [^\n]+\n$/);
  });

  it.each(
    some(
      [
        [['--key', 'a', '--prefix', 'b']],
        [['--curl', '--html']],
        [['--bucket', '']],
        [['--acl', 'public']],
        [['--max-bytes', '-1']],
        [['--expires-in', '604801']],
        [['--status', '303']],
        [['--redirect', 'ftp://example.com']],
        [['--meta', 'noValue']],
        [['--meta', 'a name=1']],
        [['--meta', 'a=1', '--meta', 'A=2']],
        [['--signature-version', 'v3']],
        [['too', 'much']],
      ],
      2,
    ),
  )('%j is wrong usage', async (args) => {
    const { code, stdout, stderr } = await cli(['sign', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^keystow: /);
  });

  it.each(
    some(
      [
        '{"data":{"url":"javascript:alert(1)","fields":{}}}',
        '{"data":{"url":"https://localhost","fields":{"key":1}}}',
        '{}',
      ],
      2,
    ),
  )('prints nothing of an answer that is no form: %s', async (answer) => {
    const fake = await fakeServer((_, response) => {
      response.writeHead(202).end(answer);
    });
    try {
      const { code, stdout, stderr } = await cliFor(fake.url, 'x')(['sign', '--html']);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^keystow: [^\n]+is --url a Keystow server\?\n$/);
    } finally {
      await fake.close();
    }
  });
});

describe.skipIf(!hasCurl)('sign --curl', () => {
  const curlOf = async (args: string[], cwd = folder): Promise<string> => {
    const { code, stdout, stderr } = await cli(['sign', '--curl', ...args], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/ --form file=@FILE\n$/);
    return stdout;
  };
  // A proxy of the environment, and what ~/.curlrc says, are no part of the test.
  const shell = (command: string) =>
    run('sh', ['-c', command], {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', HOME: folder },
    });

  it('prints a command that uploads, whatever the values hold', async () => {
    const command = await curlOf([
      ...['--bucket', 'photos', '--key', `@curl ${hostile}`],
      ...['--meta', 'less=<FILE', '--content-type', 'text/plain;charset=utf-8'],
    ]);
    expect((await shell(command)).stdout).toContain('<PostResponse>');
    const { text, headers } = await read(`@curl ${hostile}`);
    expect(text).toBe('content');
    expect(headers.get('x-amz-meta-less')).toBe('<FILE');
    expect(headers.get('content-type')).toBe('text/plain;charset=utf-8');
  });

  it.each(
    some(
      [
        ['certs/server.crt of the current folder', [], true, '--cacert'],
        ['--ca', ['--ca', 'certs/server.crt'], true, '--cacert'],
        ['--insecure', ['--insecure'], false, '--insecure'],
      ],
      1,
    ),
  )('trusts as it was told itself: by %s', async (_, trust, inFolder, option) => {
    const args = ['--url', server.tlsUrl, '--bucket', 'photos', '--key', `tls${option}`, ...trust];
    const command = await curlOf(args, inFolder ? server.folder : folder);
    expect(command).toContain(option);
    expect((await shell(command)).stdout).toContain('<PostResponse>');
  });
});

describe('sign --html', () => {
  it('prints a page whose form has the fields, escaped', async () => {
    const { code, stdout } = await cli(['sign', '--html', '--key', hostile]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^<!doctype html>\n/);
    expect(stdout).toContain(`action="${server.url}/uploads"`);
    expect(stdout).toContain(
      'name="key" value="it&#39;s &#34;$HOME&#34; `id` ;type=a/b &#60;&#38;&#62; é"',
    );
    expect(stdout.lastIndexOf('type="hidden"')).toBeLessThan(stdout.indexOf('type="file"'));
  });

  it.skipIf(!hasChromium)('prints a page that a browser uploads with', async () => {
    const args = ['--bucket', 'photos', '--key', `html ${hostile}`];
    const { stdout } = await cli(['sign', '--html', ...args]);
    const file = join(folder, 'form.html');
    await writeFile(file, stdout);
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      await page.goto(`file://${file}`);
      await page.getByLabel('File').setInputFiles(join(folder, 'FILE'));
      const [answer] = await Promise.all([
        page.waitForResponse(`${server.url}/photos`),
        page.getByText('Upload').click(),
      ]);
      expect(answer.status()).toBe(201);
    } finally {
      await browser.close();
    }
    expect((await read(`html ${hostile}`)).text).toBe('content');
  });
});
