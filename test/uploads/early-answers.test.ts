import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRaw } from '../support/raw-http.ts';
import { FORM_TYPE, formBody, type S3Server, startS3Server } from '../support/s3-server.ts';

/** A refusal that comes while the client still sends has to reach it, whatever becomes of the connection. */

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server();
});
afterAll(() => server.stop());

describe('a form that is refused by its fields', () => {
  const body = formBody([['key', 'a']], Buffer.alloc(8_000_000, 'x'));

  it.each([
    ['HTTP/1.0', ''],
    ['HTTP/1.1', 'Connection: close\r\n'],
    ['HTTP/1.1', ''],
  ])('is answered before its end: %s %j', async (version, connection) => {
    for (let times = 0; times < 5; times += 1) {
      const raw = await openRaw(server.url);
      raw.send(
        `POST /uploads ${version}\r\nHost: x\r\n${connection}Content-Type: ${FORM_TYPE}\r\nContent-Length: ${body.length}\r\n\r\n`,
      );
      raw.send(body);
      const answer = await raw.answer();
      expect([answer.status, answer.text]).toEqual([403, expect.stringContaining('AccessDenied')]);
      raw.destroy();
    }
  });
});
