import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createRest } from '../support/rest.ts';
import { startServer } from '../support/server.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { admin, ask, connect } from './client.ts';
import { handshake, joinPolling } from './raw-polling.ts';

/** Envelopes that take a while: passwords are hashed one after the other. */
const SLOW = Array.from({ length: 4 }, (_, at) => ({
  auth: admin,
  method: 'PUT',
  url: `/api/users/user-${at}`,
  data: { role: 'member', grants: [], password: 'some-password' },
}));
const CREATES = Array.from({ length: 200 }, (_, at) => ({
  auth: { username: 'late', password: 'late-password' },
  method: 'POST',
  url: `/data/late/${at}`,
  data: { at },
}));
const HEALTH = { method: 'GET', url: '/api/health' };

/** A server with the user of the creates, whose password is not verified yet. */
async function startWithMember(): Promise<ServerProcess> {
  const server = await startProcess();
  const made = await createRest(server.url)('PUT', '/api/users/late', {
    role: 'member',
    grants: [{ prefix: 'data/late/', access: 'write' }],
    password: 'late-password',
  });
  expect(made.status).toBeLessThan(300);
  return server;
}

describe('SIGTERM', () => {
  it('lets the envelopes under way be answered over a websocket', async () => {
    const server = await startWithMember();
    const client = await connect(server.url);
    const asked = [...SLOW, ...CREATES].map((envelope) => ask(client, envelope));
    // Answered after all of the above have arrived.
    expect(await ask(client, HEALTH)).toMatchObject({ status: 200 });
    const gone = once(server.child, 'exit');
    server.child.kill('SIGTERM');
    for (const { status } of await Promise.all(asked)) expect(status).toBe(201);
    expect((await gone)[0]).toBe(0);
    await expect(connect(server.url)).rejects.toThrow();

    const again = await startProcess({ folder: server.folder });
    const listed = await createRest(again.url)('GET', '/data?prefix=late/');
    expect(listed.json).toHaveLength(CREATES.length);
    expect(await again.stop()).toBe(0);
  });

  it('lets them be answered over polling, by the connections that are open', async () => {
    const server = await startWithMember();
    const raw = await joinPolling(server.url);
    const envelopes = [...SLOW, ...CREATES, HEALTH];
    await raw.post(
      ...envelopes.map((envelope) => `42${JSON.stringify(['http message', envelope])}`),
    );
    const statuses: number[] = [];
    const collect = async (): Promise<void> => {
      for (const packet of (await raw.poll()).packets) {
        const [, status] = /^42.*"status":(\d+)/.exec(packet) ?? [];
        if (status !== undefined) statuses.push(Number(status));
      }
    };
    while (!statuses.includes(200)) await collect();
    const polled = collect();
    const gone = once(server.child, 'exit');
    server.child.kill('SIGTERM');
    await polled;
    while (statuses.length < envelopes.length) await collect();
    expect(statuses.filter((status) => status === 201)).toHaveLength(envelopes.length - 1);
    expect((await gone)[0]).toBe(0);
    await rm(server.folder, { recursive: true });
  });

  it('refuses new clients while it waits for one to fetch its answers', async () => {
    const server = await startServer();
    const raw = await joinPolling(server.url);
    const envelope = { ...HEALTH, id: 'not fetched yet' };
    await raw.post(`42${JSON.stringify(['http message', envelope])}`);
    const stopped = server.stop();
    const refused = await handshake(server.url);
    expect([refused.status, await refused.json()]).toEqual([
      403,
      { code: 4, message: 'The server is stopping: connect again and repeat.' },
    ]);
    expect((await raw.poll()).packets.join()).toContain('not fetched yet');
    await stopped;
  });

  it.each(['websocket', 'polling'])(
    'lets a client over %s come back by itself',
    async (transport) => {
      const server = await startServer();
      const client = await connect(server.url, { transports: [transport], reconnection: true });
      try {
        const reason = new Promise((resolve) => client.once('disconnect', resolve));
        await server.stop();
        // A client that is disconnected by the server ("io server disconnect") stays away.
        expect(await reason).toMatch(/^transport (close|error)$/);
        expect(client.active).toBe(true);
      } finally {
        client.close();
      }
    },
  );

  it('tells idle clients to go, and ends at once', async () => {
    const server = await startProcess();
    const clients = await Promise.all(
      ['websocket', 'polling'].map((transport) =>
        connect(server.url, { auth: admin, transports: [transport] }),
      ),
    );
    const left = clients.map(
      (client) => new Promise((resolve) => client.once('disconnect', resolve)),
    );
    const closed = once(server.child, 'close');
    expect(await server.stop({ keep: true })).toBe(0);
    await closed;
    // It did not wait until its time was over.
    expect(server.log()).not.toContain('cut off');
    await Promise.all(left);
    await rm(server.folder, { recursive: true });
  });
});
