import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FORM_TYPE, formBody, type S3Server, startS3Server } from '../support/s3-server.ts';

/** A refusal has to reach a client that reads nothing before it has sent all it has. */

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server();
});
afterAll(() => server.stop());

function sendThenRead(head: string, body: Buffer): Promise<string> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) });
    let answer = '';
    socket.pause();
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer += text;
    });
    socket.on('error', reject).on('end', () => resolve(answer));
    socket.write(head);
    socket.write(body, () => socket.resume());
  });
}

describe('a form that is refused by its fields', () => {
  const body = formBody([['key', 'a']], Buffer.alloc(8_000_000, 'x'));

  it.each([
    ['HTTP/1.0', ''],
    ['HTTP/1.1', 'Connection: close\r\n'],
  ])('of %s %j is answered', async (version, connection) => {
    const head = `POST /uploads ${version}\r\nHost: x\r\n${connection}Content-Type: ${FORM_TYPE}\r\nContent-Length: ${body.length}\r\n\r\n`;
    for (let times = 0; times < 5; times += 1) {
      expect(await sendThenRead(head, body)).toMatch(/^HTTP\/1\.1 403 [\s\S]*AccessDenied/);
    }
  });
});
