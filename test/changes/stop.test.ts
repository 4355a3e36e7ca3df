import { once } from 'node:events';
import { expect, it } from 'vitest';
import { admin, connect } from '../socket/client.ts';
import { createRest } from '../support/rest.ts';
import { startProcess } from '../support/server-process.ts';
import { openStream } from './event-stream.ts';
import { changesOf, head } from './feed-server.ts';
import { createWatcher } from './watcher.ts';

it('a server that is stopped tells every feed, and is gone quickly', async () => {
  const server = await startProcess();
  const rest = createRest(server.url);
  await rest('POST', '/data/before', {});
  const since = await head(rest);
  const stream = await openStream(server.url, { query: `?since=${since - 1}` });
  await stream.until(() => stream.changes.length === 1);
  const clients = await Promise.all(
    ['websocket', 'polling'].map((transport) =>
      connect(server.url, { auth: admin, transports: [transport], upgrade: false }),
    ),
  );
  const watchers = clients.map(createWatcher);
  for (const watcher of watchers) expect((await watcher.watch({})).status).toBe(200);
  const gone = clients.map(
    (client) => new Promise((resolve) => client.once('disconnect', resolve)),
  );
  const poll = changesOf(rest, `?since=${since}&wait=55`);
  await rest('GET', '/api/health');

  const closed = once(server.child, 'close');
  const code = await server.stop();
  expect(code).toBe(0);
  await stream.ended;
  expect(stream.events.at(-1)).toMatchObject({ event: 'end', id: undefined });
  expect(JSON.parse(stream.events.at(-1)?.data ?? '')).toEqual({
    status: 503,
    error: expect.stringContaining('stopping'),
  });
  expect(stream.lastId).toBe(String(since));
  expect(await poll).toEqual({ changes: [], next: since });
  // Not by the server: then they would not come back by themselves.
  for (const reason of await Promise.all(gone)) expect(reason).toMatch(/^transport (close|error)$/);
  for (const { unwatched } of watchers) {
    expect(unwatched).toMatchObject([{ watch: 1, status: 503 }]);
  }
  await closed;
  // Nor did it wait until its time was over: then it cuts them off.
  expect(server.log()).not.toMatch(/"level":50|cut off|unexpected/);
});
