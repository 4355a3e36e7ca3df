import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { PASSWORD } from '../support/environment.ts';
import { basic } from '../support/rest.ts';
import { startServer } from '../support/server.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { createAll, markedCreates } from './marked-creates.ts';
import { createSocketClient } from './socket-client.ts';
import { takeSurvey } from './survey.ts';

/** SIGTERM while writes are under way: they are finished, and the exit code is 0. */

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(): Promise<ServerProcess> {
  const server = await startProcess();
  cleanups.push(async () => {
    await server.kill();
    await rm(server.folder, { recursive: true, force: true });
  });
  return server;
}

/** The keys of a stopped server, as the next one on its folder lists them. */
async function keysAfterRestart({ folder }: ServerProcess): Promise<readonly string[]> {
  const again = await startServer({ folder });
  cleanups.push(() => again.stop());
  return (await takeSurvey(again.url, [])).keys;
}

/** A connection and all that was received on it. */
class RawConnection {
  readonly socket: Socket;
  received = '';

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setEncoding('latin1').on('data', (text: string) => {
      this.received += text;
      this.socket.emit('received');
    });
  }

  async until(text: string): Promise<void> {
    while (!this.received.includes(text)) await once(this.socket, 'received');
  }
}

async function waitUntilRefused(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      socket.destroy();
    } catch {
      return;
    }
  }
}

it('finishes the requests whose bodies are still arriving', async () => {
  const server = await start();
  const port = Number(new URL(server.url).port);
  const creates = markedCreates('late', 1, 20);
  const connections = await Promise.all(
    creates.map(async ({ key, text }) => {
      const connection = new RawConnection(port);
      connection.socket.write(
        `POST /data/${key} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${basic('admin', PASSWORD)}\r\n` +
          `Content-Type: application/json\r\nContent-Length: ${text.length}\r\nExpect: 100-continue\r\n\r\n`,
      );
      // The server is past authentication now, and waits for the body.
      await connection.until('100 Continue');
      return { connection, text };
    }),
  );

  const exited = once(server.child, 'exit');
  server.child.kill('SIGTERM');
  await waitUntilRefused(port);
  await Promise.all(
    connections.map(async ({ connection, text }) => {
      const closed = once(connection.socket, 'close');
      connection.socket.write(text);
      await closed;
      expect(connection.received).toContain('HTTP/1.1 201 Created');
      expect(connection.received.endsWith(text)).toBe(true);
    }),
  );
  expect(await exited).toEqual([0, null]);

  expect(await keysAfterRestart(server)).toEqual(creates.map(({ key }) => key));
});

it('answers the envelopes that it has received', async () => {
  const server = await start();
  const socket = await createSocketClient(server.url);
  cleanups.push(async () => socket.close());
  const creates = markedCreates('socket', 1, 300);

  const exited = once(server.child, 'exit');
  const answers = createAll(socket, creates);
  // Messages of one socket arrive in order: when this is answered, the creates are under way.
  await socket.send({ method: 'GET', path: '/api/health' });
  server.child.kill('SIGTERM');
  const answered = (await answers).filter(({ answer }) => answer?.status === 201);
  expect(await exited).toEqual([0, null]);

  expect(await keysAfterRestart(server)).toEqual(creates.map(({ key }) => key));
  expect(answered).toHaveLength(creates.length);
});
