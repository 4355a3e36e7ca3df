import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectS3Error } from '../support/s3-client.ts';
import { AS_ADMIN, type S3Server, startS3Server } from '../support/s3-server.ts';
import { ask, done } from './ask.ts';

/** Of every checksum that a client sends it hears whether it was right, or that nobody looked. */

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server();
});

afterAll(() => server.stop());

const path = '/uploads/checked';

describe('a checksum header', () => {
  it.each(['md5', 'sha512', 'xxhash3', 'xxhash64', 'xxhash128'])(
    'of an algorithm that is not calculated is not passed over: %s',
    async (algorithm) => {
      const header = `x-amz-checksum-${algorithm}`;
      const answer = await ask(server, {
        method: 'PUT',
        path,
        headers: { [header]: 'AAAA' },
        body: 'abc',
      });
      expectS3Error(answer, 501, 'NotImplemented', { Header: header });
      const upload = await ask(server, {
        method: 'POST',
        path: `${path}?uploads`,
        headers: { 'x-amz-checksum-algorithm': algorithm.toUpperCase() },
      });
      expectS3Error(upload, 501, 'NotImplemented', { Header: 'x-amz-checksum-algorithm' });
      const stream = await ask(server, {
        method: 'PUT',
        path,
        headers: {
          ...AS_ADMIN,
          'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
          'x-amz-decoded-content-length': '3',
          'x-amz-trailer': header,
        },
        body: `3\r\nabc\r\n0\r\n${header}:AAAA\r\n\r\n`,
        pair: null,
      });
      expectS3Error(stream, 501, 'NotImplemented', { Header: 'x-amz-trailer' });
      await server.expectAbsent('uploads', 'checked');
    },
  );

  it('that S3 does not have is refused, in forms too', async () => {
    const header = 'x-amz-checksum-adler32';
    const put = await ask(server, { method: 'PUT', path, headers: { [header]: 'AAAA' } });
    expectS3Error(put, 400, 'InvalidRequest', {
      Message: 'The algorithm type you specified in x-amz-checksum- header is invalid.',
    });
    const form = await server.uploadSigned(
      { bucket: 'uploads', fields: { key: 'checked', [header]: 'AAAA' } },
      { file: 'abc' },
    );
    expectS3Error(form, 400, 'InvalidRequest');
    await server.expectAbsent('uploads', 'checked');
  });

  it('of a form is told with its answer, as minio-go expects', async () => {
    for (const status of ['200', '201', '204']) {
      const answer = await server.uploadSigned(
        {
          bucket: 'uploads',
          fields: {
            key: 'checked',
            success_action_status: status,
            'x-amz-checksum-crc32': 'NSRBwg==',
          },
        },
        { file: 'abc' },
      );
      expect(answer.status, answer.text).toBe(Number(status));
      expect(answer.headers.get('x-amz-checksum-crc32')).toBe('NSRBwg==');
    }
  });

  it('is not missed where x-amz-checksum-algorithm names one, as minio-go does', async () => {
    const headers = { 'x-amz-checksum-algorithm': 'CRC32C' };
    await done(server, { method: 'PUT', path, headers, body: 'abc' });
    const other = { ...headers, 'x-amz-checksum-crc32': 'NSRBwg==' };
    const answer = await done(server, { method: 'PUT', path, headers: other, body: 'abc' });
    expect(answer.headers.get('x-amz-checksum-crc32')).toBe('NSRBwg==');
  });

  it.each([
    ['x-amz-checksum-crc32', 'NSRBwg==', 'AAAAAA=='],
    ['x-amz-checksum-crc32c', 'Nks/tw==', 'AAAAAA=='],
    ['x-amz-checksum-sha1', 'qZk+NkcGgWq6PiVxeFDCbJzQ2J0=', 'AAAANkcGgWq6PiVxeFDCbJzQ2J0='],
  ])('is compared with the body: %s', async (header, right, wrong) => {
    const send = (value: string) =>
      ask(server, { method: 'PUT', path, headers: { [header]: value }, body: 'abc' });
    expectS3Error(await send(wrong), 400, 'BadDigest');
    for (const value of ['', 'no base64', right.slice(0, 4)]) {
      expectS3Error(await send(value), 400, 'InvalidRequest', {
        Message: `Value for ${header} header is invalid.`,
      });
    }
    const answer = await send(right);
    expect([answer.status, answer.headers.get(header)], answer.text).toEqual([200, right]);
    const read = await done(server, { path, headers: { 'x-amz-checksum-mode': 'ENABLED' } });
    expect(read.headers.get(header)).toBe(right);
  });
});
