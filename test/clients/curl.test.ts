import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  signedUrlFields,
  signPostPolicyV2,
  signPostPolicyV4,
} from '../../server/s3/sign-post-policy.ts';
import type { TestServer } from '../support/server.ts';
import { type CurlAnswer, curl, curlSignsForS3, hasCurl } from './curl-client.ts';
import { BUCKET, keys, OPEN_BUCKET, startS3Server } from './s3-server.ts';

/** curl against a real listener. Where it is not installed, these tests are skipped. */

const TEXT = 'saved by curl';
const ETAG = `"${createHash('md5').update(TEXT).digest('hex')}"`;

describe.skipIf(!hasCurl)('curl', () => {
  let server: TestServer;
  let folder: string;
  /** With TEXT in it. */
  let file: string;
  let admin: string[];

  beforeAll(async () => {
    server = await startS3Server();
    folder = await mkdtemp(join(tmpdir(), 'keystow-curl-'));
    file = join(folder, 'slot 1.txt');
    await writeFile(file, TEXT);
    admin = ['-u', `admin:${server.password}`];
  });

  afterAll(async () => {
    await Promise.all([server.stop(), rm(folder, { recursive: true })]);
  });

  function formV4(
    fields: [name: string, value: string][],
    conditions: [string, ...string[]][] = [],
  ) {
    const signed = signPostPolicyV4(keys, {
      conditions: [
        { bucket: BUCKET },
        ...fields.map(([name, value]) => ['eq', `$${name}`, value] as const),
        ...conditions,
      ],
      expiration: Date.now() + 3_600_000,
      region: 'us-east-1',
      now: Date.now(),
    });
    return signedUrlFields(fields, signed).flatMap(([name, value]) => [
      '--form-string',
      `${name}=${value}`,
    ]);
  }

  async function readBack(key: string): Promise<CurlAnswer> {
    return curl(...admin, `${server.url}/${BUCKET}/${key}`);
  }

  it('posts a form of version 4', async () => {
    const form = formV4([
      ['key', 'v4.txt'],
      ['success_action_status', '201'],
    ]);
    const answer = await curl(...form, '-F', `file=@${file}`, `${server.url}/${BUCKET}`);
    expect(answer.status, answer.body).toBe(201);
    expect(answer.headers.get('etag')).toBe(ETAG);
    expect(answer.headers.get('location')).toBe(`${server.url}/${BUCKET}/v4.txt`);
    expect((await readBack('v4.txt')).body).toBe(TEXT);
  });

  it('posts a form of version 2 to the Host of the bucket', async () => {
    const { port } = new URL(server.url);
    const host = `${BUCKET}.s3.amazonaws.com:${port}`;
    const signed = signPostPolicyV2(keys, {
      conditions: [{ bucket: BUCKET }, ['starts-with', '$key', 'v2/']],
      expiration: Date.now() + 3_600_000,
    });
    const fields = Object.entries({
      key: 'v2/$' + '{filename}',
      AWSAccessKeyId: keys.accessKeyId,
      ...signed,
    });
    const answer = await curl(
      ...['--connect-to', `${host}:127.0.0.1:${port}`],
      ...fields.flatMap(([name, value]) => ['--form-string', `${name}=${value}`]),
      ...['-F', `file=@${file};filename=slot-1.txt`, `http://${host}/`],
    );
    expect(answer.status, answer.body).toBe(204);
    expect(answer.headers.get('location')).toBe(`http://${host}/v2%2Fslot-1.txt`);
    expect((await readBack('v2/slot-1.txt')).body).toBe(TEXT);
  });

  it('posts an unsigned form where anybody may write', async () => {
    const form = ['-F', 'key=anonymous.txt', '-F', 'acl=public-read', '-F', `file=@${file}`];
    const url = `${server.url}/${OPEN_BUCKET}`;
    expect((await curl(...form, url)).status).toBe(204);
    expect((await curl(`${url}/anonymous.txt`)).body).toBe(TEXT);
    const elsewhere = await curl(...form, `${server.url}/${BUCKET}`);
    expect(elsewhere.status).toBe(403);
    expect(elsewhere.body).toContain('<Code>AccessDenied</Code>');
  });

  it('posts, reads and deletes with Basic credentials', async () => {
    const url = `${server.url}/${BUCKET}`;
    const form = ['-F', 'key=basic.txt', '-F', 'Content-Type=text/plain', '-F', `file=@${file}`];
    expect((await curl(...admin, ...form, url)).status).toBe(204);
    const read = await curl(...admin, `${url}/basic.txt`);
    expect(read.body).toBe(TEXT);
    expect(read.headers.get('content-type')).toBe('text/plain');
    const part = await curl(...admin, '-r', '0-4', `${url}/basic.txt`);
    expect([part.status, part.body]).toEqual([206, 'saved']);
    const head = await curl(...admin, '-I', `${url}/basic.txt`);
    expect(head.headers.get('content-length')).toBe(String(TEXT.length));

    const wrong = await curl('-u', 'admin:wrong', ...form, url);
    expect(wrong.status).toBe(401);
    expect(wrong.headers.get('www-authenticate')).toMatch(/^Basic realm="keystow"/);
    expect((await curl(`${url}/basic.txt`)).status).toBe(403);
    expect((await curl(...admin, '-X', 'DELETE', `${url}/basic.txt`)).status).toBe(204);
    expect((await curl(...admin, `${url}/basic.txt`)).status).toBe(404);
  });

  it('goes where a form redirects', async () => {
    const redirect = `${server.url}/api/health`;
    const form = formV4([
      ['key', 'redirected.txt'],
      ['success_action_redirect', redirect],
    ]);
    const answer = await curl('-L', ...form, '-F', `file=@${file}`, `${server.url}/${BUCKET}`);
    expect(answer.status, answer.body).toBe(200);
    expect(answer.body).toContain('"ok"');
    // With GET, and with what was stored in the query.
    expect(answer.verbose).toMatch(
      /^> GET \/api\/health\?bucket=client-files&key=redirected\.txt&etag=%22\w{32}%22 /m,
    );
  });

  it('waits for 100 Continue, which a refused form is not told', async () => {
    const expectation = ['-H', 'Expect: 100-continue', '--expect100-timeout', '15'];
    const url = `${server.url}/${BUCKET}`;
    const form = formV4([['key', 'expected.txt']]);
    const answer = await curl(...expectation, ...form, '-F', `file=@${file}`, url);
    expect(answer.status, answer.body).toBe(204);
    expect(answer.verbose).toContain('< HTTP/1.1 100 Continue');

    const notForm = ['-H', 'Content-Type: text/plain', '--data-binary', `@${file}`];
    const refused = await curl(...expectation, ...notForm, url);
    expect(refused.status).toBe(412);
    expect(refused.body).toContain('enclosure-type multipart/form-data');
    expect(refused.verbose).not.toContain('100 Continue');
  });

  it('sends a form chunked', async () => {
    const form = formV4([['key', 'chunked.txt']]);
    const chunked = ['-H', 'Transfer-Encoding: chunked', '-F', `file=@${file}`];
    const answer = await curl(...chunked, ...form, `${server.url}/${BUCKET}`);
    // The file came first: nothing was signed yet.
    expect(answer.status).toBe(400);
    const ordered = await curl(...form, ...chunked, `${server.url}/${BUCKET}`);
    expect(ordered.status, ordered.body).toBe(204);
    expect(ordered.verbose).toContain('> Transfer-Encoding: chunked');
    expect((await readBack('chunked.txt')).body).toBe(TEXT);
  });

  it('hears of a file that is too large while it sends', async () => {
    const large = join(folder, 'large');
    await writeFile(large, Buffer.alloc(40_000_000));
    const form = formV4([['key', 'large']], [['content-length-range', '0', '1000000']]);
    const answer = await curl(...form, '-F', `file=@${large}`, `${server.url}/${BUCKET}`);
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('<Code>EntityTooLarge</Code>');
    expect((await readBack('large')).status).toBe(404);
  });

  it('puts a file with Basic credentials', async () => {
    const url = `${server.url}/${BUCKET}/put/`;
    const type = ['-H', 'Content-Type: text/plain', '-H', 'x-amz-meta-level: 7'];
    // A URL that ends with a slash gets the name of the file.
    const stored = await curl(...admin, ...type, '-T', file, url);
    expect(stored.status, stored.body).toBe(200);
    expect(stored.headers.get('etag')).toBe(ETAG);
    const read = await readBack('put/slot%201.txt');
    expect(read.body).toBe(TEXT);
    expect(read.headers.get('content-type')).toBe('text/plain');
    expect(read.headers.get('x-amz-meta-level')).toBe('7');
    // From a pipe, whose length nobody knows.
    const piped = await curl(
      ...admin,
      '-H',
      'Transfer-Encoding: chunked',
      '-T',
      file,
      `${url}piped`,
    );
    expect(piped.status, piped.body).toBe(200);
    expect(piped.verbose).toContain('> Transfer-Encoding: chunked');
    expect((await readBack('put/piped')).body).toBe(TEXT);

    const copySource = ['-H', `x-amz-copy-source: /${BUCKET}/put/slot%201.txt`];
    const copied = await curl(...admin, ...copySource, '-X', 'PUT', `${url}copy`);
    expect(copied.status, copied.body).toBe(200);
    expect(copied.body).toContain('<CopyObjectResult');
    expect((await readBack('put/copy')).headers.get('x-amz-meta-level')).toBe('7');
  });

  it('puts where anybody may, and nowhere else', async () => {
    const url = `${server.url}/${OPEN_BUCKET}/put.txt`;
    expect((await curl('-T', file, url)).status).toBe(200);
    expect((await curl(...admin, url)).body).toBe(TEXT);
    const elsewhere = await curl('-T', file, `${server.url}/${BUCKET}/put.txt`);
    expect(elsewhere.status).toBe(403);
    expect((await readBack('put.txt')).status).toBe(404);
  });

  it('puts only where nothing is', async () => {
    const url = `${server.url}/${BUCKET}/once.txt`;
    const once = [...admin, '-H', 'If-None-Match: *', '-T', file, url];
    expect((await curl(...once)).status).toBe(200);
    const again = await curl(...once);
    expect(again.status).toBe(412);
    expect(again.body).toContain('<Code>PreconditionFailed</Code>');
  });

  it('puts with a URL that somebody else signed', async () => {
    const presign = JSON.stringify({ method: 'PUT', bucket: BUCKET, key: 'presigned.txt' });
    const json = ['-H', 'Content-Type: application/json', '-d', presign];
    const { body } = await curl(...admin, ...json, `${server.url}/api/presign`);
    const { url } = JSON.parse(body);
    const answer = await curl('-T', file, url);
    expect(answer.status, answer.body).toBe(200);
    expect((await readBack('presigned.txt')).body).toBe(TEXT);
    expect((await curl('-X', 'DELETE', url)).status).toBe(403);
  });

  it('is not told to continue with a PUT that is refused', async () => {
    const expectation = ['-H', 'Expect: 100-continue', '--expect100-timeout', '15'];
    const url = `${server.url}/${BUCKET}/expected-put.txt`;
    const stored = await curl(...admin, ...expectation, '-T', file, url);
    expect(stored.status, stored.body).toBe(200);
    expect(stored.verbose).toContain('< HTTP/1.1 100 Continue');
    const refused = await curl(...expectation, '-T', file, url);
    expect(refused.status).toBe(403);
    expect(refused.verbose).not.toContain('100 Continue');
  });

  it.skipIf(!curlSignsForS3)('signs with --aws-sigv4', async () => {
    const sign = [
      ...['--aws-sigv4', 'aws:amz:us-east-1:s3'],
      ...['-u', `${keys.accessKeyId}:${keys.secretAccessKey}`],
    ];
    const hash = createHash('sha256').digest('hex');
    const empty = ['-H', `x-amz-content-sha256: ${hash}`];
    const form = formV4([['key', 'signed/curl.txt']]);
    await curl(...form, '-F', `file=@${file}`, `${server.url}/${BUCKET}`);
    const url = `${server.url}/${BUCKET}/signed/curl.txt`;
    const read = await curl(...sign, ...empty, url);
    expect([read.status, read.body]).toEqual([200, TEXT]);
    const listed = await curl(...sign, ...empty, `${server.url}/`);
    expect(listed.status, listed.body).toBe(200);
    expect(listed.body).toContain(`<Name>${BUCKET}</Name>`);
    expect((await curl(...sign, ...empty, '-I', `${server.url}/${BUCKET}`)).status).toBe(200);
    const made = `${server.url}/made-by-curl`;
    expect((await curl(...sign, ...empty, '-X', 'PUT', made)).status).toBe(200);
    expect((await curl(...sign, ...empty, '-X', 'DELETE', made)).status).toBe(204);
    const unsigned = ['-H', 'x-amz-content-sha256: UNSIGNED-PAYLOAD'];
    const meta = ['-H', 'x-amz-meta-by: curl'];
    const put = await curl(...sign, ...unsigned, ...meta, '-T', file, url);
    expect(put.status, put.body).toBe(200);
    expect(put.headers.get('etag')).toBe(ETAG);
    expect((await readBack('signed/curl.txt')).headers.get('x-amz-meta-by')).toBe('curl');
    const wrong = await curl(...sign, ...empty, '-T', file, `${url}.wrong`);
    expect(wrong.status).toBe(400);
    expect(wrong.body).toContain('<Code>XAmzContentSHA256Mismatch</Code>');
    expect((await readBack('signed/curl.txt.wrong')).status).toBe(404);
    expect((await curl(...sign, ...empty, '-X', 'DELETE', url)).status).toBe(204);
    expect((await curl(...sign, ...empty, url)).status).toBe(404);

    const forged = sign.map((each) => each.replace('EXAMPLEKEY', 'EXAMPLEKEX'));
    const refused = await curl(...forged, ...empty, url);
    expect(refused.status).toBe(403);
    expect(refused.body).toContain('<Code>SignatureDoesNotMatch</Code>');
  });
});
