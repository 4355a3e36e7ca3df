import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { ask, type Client, connect } from './client.ts';
import { EVENTS, PACKETS } from './garbage-packets.ts';
import { frame, joinWebsocket, openWebsocket, type RawWebsocket } from './raw-websocket.ts';

const HEALTH = '427["http message",{"method":"GET","url":"/api/health"}]';

let server: ServerProcess;
let witness: Client;
beforeAll(async () => {
  server = await startProcess({ env: { SOCKET_EIO3: 'on' } });
  witness = await connect(server.url);
});
afterAll(async () => {
  witness.disconnect();
  await server.stop();
});

/** The server goes on: for others it answers as if nothing had been. */
async function expectAlive(): Promise<void> {
  expect(await ask(witness, { method: 'GET', url: '/api/health' })).toMatchObject({ status: 200 });
  expect(server.child.exitCode).toBeNull();
}

/** Whatever was sent before: an envelope is answered now, or the connection is gone. */
async function expectAnsweredOrClosed(raw: RawWebsocket): Promise<void> {
  raw.send(HEALTH);
  await Promise.race([raw.message('437').catch(() => {}), raw.closed]);
  raw.tcp.destroy();
  await expectAlive();
}

describe('a websocket that sends garbage', () => {
  it('never ends the server, packet by packet', async () => {
    for (const packet of PACKETS) {
      const raw = await joinWebsocket(server.url);
      raw.send(packet);
      await expectAnsweredOrClosed(raw);
    }
  });

  it('may leave the namespace and join it again', async () => {
    const raw = await joinWebsocket(server.url);
    raw.send('41');
    raw.send('40');
    await Promise.race([raw.message('40').catch(() => {}), raw.closed]);
    await expectAnsweredOrClosed(raw);
  });

  it('never ends the server before it has joined the namespace', async () => {
    for (const packet of PACKETS) {
      const raw = await openWebsocket(server.url);
      if ('status' in raw) throw new Error('Refused.');
      raw.send(packet);
      // Without a namespace no envelope is answered, so the connection is closed for the first.
      raw.send('42["http message",{}]');
      raw.send('40');
      await Promise.race([raw.message('40').catch(() => {}), raw.closed]);
      raw.tcp.destroy();
    }
    await expectAlive();
  });

  it('never ends the server by event names that mean something elsewhere', async () => {
    for (const event of EVENTS) {
      const raw = await joinWebsocket(server.url);
      raw.send(`42${JSON.stringify([event, { method: 'GET', url: '/data' }])}`);
      raw.send(`421${JSON.stringify([event])}`);
      await expectAnsweredOrClosed(raw);
    }
    for (const event of ['7', 'null', '{"a":1}', '["http message"]', '1e999', 'true']) {
      const raw = await joinWebsocket(server.url);
      raw.send(`42[${event},{"method":"GET","url":"/data"}]`);
      await expectAnsweredOrClosed(raw);
    }
  });

  it('never ends the server by attachments that do not fit their packet', async () => {
    const placeholders = (nums: unknown[]) =>
      JSON.stringify([
        'http message',
        { method: 'GET', url: '/data', data: nums.map((num) => ({ _placeholder: true, num })) },
      ]);
    for (const [count, nums, sent] of [
      [1, [0], 1],
      [1, [0], 2],
      [1, [], 1],
      [2, [0], 2],
      [1, [5], 1],
      [1, [-1], 1],
      [1, [0.5], 1],
      [1, ['0'], 1],
      [1, [null], 1],
      [1, ['__proto__'], 1],
      [1, Array(10_000).fill(0), 1],
      [10, [9, 8, 7], 10],
      [1_000_000, [0], 3],
      [0, [0], 1],
    ] as const) {
      const raw = await joinWebsocket(server.url);
      raw.send(`45${count}-${placeholders([...nums])}`);
      for (let at = 0; at < sent; at += 1) raw.send(Buffer.from([at]));
      await expectAnsweredOrClosed(raw);
    }
    const raw = await joinWebsocket(server.url);
    raw.send(Buffer.from('nobody asked for this'));
    await expectAnsweredOrClosed(raw);
  });

  it('never ends the server by frames that RFC 6455 forbids', async () => {
    const text = Buffer.from(HEALTH);
    const unmasked = Buffer.concat([Buffer.from([0x81, text.length]), text]);
    const reserved = frame(1, text);
    reserved.writeUInt8(0xf1, 0);
    const endless = Buffer.from([0x81, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4]);
    const broken = [
      unmasked,
      reserved,
      endless,
      frame(3, text),
      frame(11, text),
      frame(0, text),
      frame(1, Buffer.from([0x34, 0x32, 0xff, 0xfe])),
      frame(8, Buffer.from([0])),
      frame(8, Buffer.from([0, 5])),
      frame(9, Buffer.alloc(126)),
      Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    ];
    for (const bytes of broken) {
      const raw = await joinWebsocket(server.url);
      raw.tcp.write(bytes);
      // An error of the protocol: all of these fail the connection.
      await raw.closed;
      await expectAlive();
    }
  });

  it('never ends the server by going in the middle of a frame or of a packet', async () => {
    for (const bytes of [
      frame(1, Buffer.from(HEALTH)).subarray(0, 20),
      frame(1, Buffer.from('452-["http message",{"_placeholder":true,"num":0}]')),
      frame(1, Buffer.from('427["http message",{"method":"GET","url":"/data"}]')),
    ]) {
      for (const end of ['destroy', 'resetAndDestroy', 'end'] as const) {
        const raw = await joinWebsocket(server.url);
        raw.tcp.write(bytes, () => raw.tcp[end]());
        await raw.closed;
      }
    }
    await expectAlive();
  });
});

describe('requests to /socket.io/ that are garbage', () => {
  it.each([
    ['no query', '', 'GET'],
    ['no transport', '?EIO=4', 'GET'],
    ['an unknown transport', '?EIO=4&transport=pigeon', 'GET'],
    ['a transport named like a member of Object', '?EIO=4&transport=__proto__', 'GET'],
    ['another such', '?EIO=4&transport=constructor', 'GET'],
    ['two transports', '?EIO=4&transport=polling&transport=websocket', 'GET'],
    ['an unknown session', '?EIO=4&transport=polling&sid=nobody', 'GET'],
    ['a session named like a member of Object', '?EIO=4&transport=polling&sid=__proto__', 'POST'],
    ['two sessions', '?EIO=4&transport=polling&sid=a&sid=b', 'GET'],
    ['a handshake by POST', '?EIO=4&transport=polling', 'POST'],
    ['another method', '?EIO=4&transport=polling', 'DELETE'],
    ['a websocket without an upgrade', '?EIO=4&transport=websocket', 'GET'],
    ['a transport that is not served', '?EIO=4&transport=webtransport', 'GET'],
  ])('with %s are refused', async (_name, query, method) => {
    const refused = await fetch(`${server.url}/socket.io/${query}`, {
      method,
      ...(method === 'POST' ? { body: '4garbage' } : {}),
    });
    await refused.arrayBuffer();
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(refused.status).toBeLessThan(500);
    await expectAlive();
  });

  it('with garbage in the body of a poll do not end the server', async () => {
    for (const eio of [3, 4])
      for (const body of [...PACKETS, '4:40{}', '999999999:40', '-1:4', '\x1e'.repeat(10_000)]) {
        const url = `${server.url}/socket.io/?EIO=${eio}&transport=polling`;
        const opening = await (await fetch(url)).text();
        const sid = /"sid":"([^"]+)"/.exec(opening)?.[1];
        expect(sid).toBeDefined();
        const answer = await fetch(`${url}&sid=${sid}`, { method: 'POST', body });
        await answer.arrayBuffer();
        expect(answer.status).toBeLessThan(500);
        const goodbye = await fetch(`${url}&sid=${sid}`, {
          method: 'POST',
          body: eio === 3 ? '1:1' : '1',
        });
        await goodbye.arrayBuffer();
      }
    await expectAlive();
  });
});
