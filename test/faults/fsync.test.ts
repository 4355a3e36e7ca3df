import { resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startServer } from '../support/server.ts';
import { checkFsync } from './check-fsync.ts';
import type { Client } from './client.ts';
import { createAll, type MarkedCreate, markedCreates } from './marked-creates.ts';
import { createRestClient } from './rest-client.ts';
import { createSocketClient } from './socket-client.ts';
import { takeSurvey } from './survey.ts';
import { hasStrace, startTraced, type TracedServer } from './traced-server.ts';

/**
 * `kill -9` cannot show a missing fsync: the page cache survives it. The order of system calls can.
 * Without strace (`apt-get install strace`), or where ptrace is forbidden, these tests are skipped.
 */

const REST_CONNECTIONS = 40;
const open: { clients: Client[]; server: TracedServer | undefined } = {
  clients: [],
  server: undefined,
};

afterEach(async () => {
  for (const client of open.clients.splice(0)) client.close();
  await open.server?.discard();
  open.server = undefined;
});

async function openServer(options?: Parameters<typeof startTraced>[0]): Promise<{
  server: TracedServer;
  rest: Client;
  socket: Client;
}> {
  const server = await startTraced(options);
  open.server = server;
  const rest = createRestClient(server.url, REST_CONNECTIONS);
  const socket = await createSocketClient(server.url);
  open.clients.push(rest, socket);
  return { server, rest, socket };
}

/** Some hundred creates at once, over HTTP and a websocket; those that were acknowledged. */
async function writeOnBoth(rest: Client, socket: Client): Promise<MarkedCreate[]> {
  const answers = await Promise.all([
    createAll(rest, markedCreates('rest', 1, 300)),
    createAll(socket, markedCreates('socket', 1, 100)),
  ]);
  return answers.flat().flatMap(({ create, answer }) => (answer?.status === 201 ? [create] : []));
}

describe.skipIf(!hasStrace)('under strace', () => {
  it('answers no write before a successful sync that began after its log write', async () => {
    const { server, rest, socket } = await openServer();
    const acknowledged = await writeOnBoth(rest, socket);
    expect(acknowledged).toHaveLength(400);
    const { code, trace } = await server.finish();
    expect(code).toBe(0);
    expect(checkFsync(trace, acknowledged)).toEqual([]);
    // The same trace, as it would be without syncs, and with syncs that failed.
    expect(checkFsync(trace.replaceAll('fdatasync', 'lseek'), acknowledged)).toHaveLength(400);
    const failed = trace.replace(/(fdatasync.*) = 0$/gm, '$1 = -1 EIO (Input/output error)');
    expect(checkFsync(failed, acknowledged)).toHaveLength(400);
  });

  it('reports a server that answers before the commit', async () => {
    const { server, rest, socket } = await openServer({
      script: resolve('test/faults/early-ack-server.mjs'),
    });
    const acknowledged = await writeOnBoth(rest, socket);
    expect(acknowledged).toHaveLength(400);
    const { trace } = await server.finish();
    expect(checkFsync(trace, acknowledged)).toHaveLength(400);
  });

  it('acknowledges nothing after a failed sync, and goes on reading', async () => {
    // strace counts for each thread: each of them fails from its twentieth sync on.
    const { server, rest, socket } = await openServer({ inject: 'fdatasync:error=EIO:when=20+' });
    const acknowledged: MarkedCreate[] = [];
    const refused: string[] = [];
    for (let first = 1; refused.length === 0 && first < 5_000; first += 10) {
      const answers = await createAll(rest, markedCreates('rest', first, 10));
      for (const { create, answer } of answers) {
        if (answer?.status === 201) acknowledged.push(create);
        else refused.push(`${answer?.status} ${answer?.text}`);
      }
    }
    const later = await Promise.all([
      createAll(rest, markedCreates('later', 1, 20)),
      createAll(socket, markedCreates('later-socket', 1, 20)),
    ]);
    refused.push(...later.flat().map(({ answer }) => `${answer?.status} ${answer?.text}`));
    expect(acknowledged.length).toBeGreaterThan(0);
    expect(refused.length).toBeGreaterThan(40);
    for (const each of refused) expect(each).toMatch(/^503 \{"error":"[^"]+"\}$/);

    await expectStored(server.url, acknowledged);
    const survey = await takeSurvey(server.url, []);
    expect(survey.keys).toEqual(acknowledged.map(({ key }) => key).sort());
    const health = await rest.send({ method: 'GET', path: '/api/health' });
    expect(health?.status).toBe(200);
    const ready = await rest.send({ method: 'GET', path: '/api/health?ready' });
    expect([ready?.status, ready?.text]).toEqual([
      503,
      '{"error":"A write failed: writes are refused until a restart, reads go on."}',
    ]);

    const { code, trace } = await server.finish();
    expect(code).toBe(0);
    expect(trace).toMatch(/\.log>.* = -1 EIO/);
    expect(checkFsync(trace, acknowledged)).toEqual([]);

    const restarted = await startServer({ folder: server.folder });
    try {
      await expectStored(restarted.url, acknowledged);
      const again = createRestClient(restarted.url, 1);
      const [created] = await createAll(again, markedCreates('after', 1, 1));
      again.close();
      expect(created?.answer?.status).toBe(201);
    } finally {
      await restarted.stop({ keep: true });
    }
  });
});

async function expectStored(url: string, creates: readonly MarkedCreate[]): Promise<void> {
  const { documents } = await takeSurvey(
    url,
    creates.map(({ key }) => key),
  );
  const texts = creates.map(({ key }) => documents.get(key)?.text);
  expect(texts).toEqual(creates.map(({ text }) => text));
}
