import { once } from 'node:events';
import { afterAll, describe, expect, it } from 'vitest';
import { IDLE_TIMEOUT_MS } from '../../shared/limits.ts';
import { openRaw } from '../support/raw-http.ts';
import { basic, createRest } from '../support/rest.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';

/** SIGTERM and SIGINT: stop accepting, finish what is in flight, close the store, exit 0. */

const started: ServerProcess[] = [];

async function start(): Promise<ServerProcess> {
  const server = await startProcess();
  started.push(server);
  return server;
}

afterAll(() => Promise.all(started.map((server) => server.stop())));

function post(server: ServerProcess, key: string, length: number): string {
  return (
    `POST /data/${key} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n` +
    `Authorization: ${basic('admin', server.password)}\r\n\r\n`
  );
}

async function exitOf(server: ServerProcess): Promise<[number | null, NodeJS.Signals | null]> {
  // Then all of its log is there, too.
  const [code, signal] = await once(server.child, 'close');
  return [code, signal];
}

/** It did not wait until its time was over: how long that is otherwise is the machine's affair. */
function expectNothingCutOff(server: ServerProcess): void {
  expect(server.log()).not.toContain('cut off');
}

/** Resolves once no new connection is accepted. */
async function refusesConnections(url: string): Promise<void> {
  for (;;) {
    try {
      const answer = await fetch(`${url}/api/health`, { headers: { connection: 'close' } });
      await answer.text();
    } catch {
      return;
    }
  }
}

describe.concurrent('a stop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('by %s without work is quick, exit 0', async (signal) => {
    const server = await start();
    // Leaves a connection that is kept alive.
    await createRest(server.url)('POST', '/data/a', '{}');
    server.child.kill(signal);
    expect(await exitOf(server)).toEqual([0, null]);
    expectNothingCutOff(server);
  });

  it('is not held up by a connection that never said anything', async () => {
    const server = await start();
    const silent = await openRaw(server.url);
    await createRest(server.url)('GET', '/data');
    server.child.kill('SIGTERM');
    expect(await exitOf(server)).toEqual([0, null]);
    expectNothingCutOff(server);
    expect(await silent.closed).toBe('');
  });

  it('finishes what is in flight, and accepts nothing new', async () => {
    const server = await start();
    const rest = createRest(server.url);
    await rest('GET', '/data');
    const connection = await openRaw(server.url);
    connection.send(`${post(server, 'in-flight', 7)}{"a":`);
    // Answered on the same event loop after those bytes: they have arrived.
    await rest('GET', '/data');
    const exited = exitOf(server);
    server.child.kill('SIGTERM');
    await refusesConnections(server.url);

    connection.send('1}');
    const answer = await connection.answer();
    expect([answer.status, answer.text]).toEqual([201, '{"a":1}']);
    // Else its client would send the next request to a connection that is about to end.
    expect(answer.headers.get('connection')).toBe('close');
    expect(await exited).toEqual([0, null]);
    // Not held up by the connection, which could be used again.
    expectNothingCutOff(server);
  });

  it('waits 10 s at most for what does not end', async () => {
    const server = await start();
    const rest = createRest(server.url);
    await rest('GET', '/data');
    const connection = await openRaw(server.url);
    connection.send(`${post(server, 'stuck', 1_000)}{"a":`);
    await rest('GET', '/data');
    const begin = performance.now();
    server.child.kill('SIGTERM');
    expect(await exitOf(server)).toEqual([0, null]);
    const took = performance.now() - begin;
    expect(took).toBeGreaterThan(9_000);
    // Not only once the connection was idle for too long.
    expect(took).toBeLessThan(IDLE_TIMEOUT_MS - 10_000);
  });
});
