import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { admin, ask, type Client, connect, toAnswer } from './client.ts';
import { joinWebsocket, type RawWebsocket } from './raw-websocket.ts';

/** Deeper than JSON.stringify goes, so that no client writes it: here the text is written by hand. */
const DEEP = [
  '['.repeat(100_000) + ']'.repeat(100_000),
  `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
];

let server: ServerProcess | undefined;
let witness: Client;
/** One server for all, unless one of these ended it. */
beforeEach(async () => {
  const health = server && (await fetch(`${server.url}/api/health`).catch(() => undefined));
  if (health?.ok) return;
  await server?.stop();
  server = await startProcess({ env: { BCRYPT_COST: '10' } });
  witness = await connect(server.url);
});
afterAll(async () => {
  witness.disconnect();
  await server?.stop();
});

async function join(): Promise<RawWebsocket> {
  return joinWebsocket(server?.url ?? '');
}

const AUTH = JSON.stringify(admin);
const places: [string, (deep: string) => string][] = [
  ['the envelope', (deep) => deep],
  ['its data', (deep) => `{"auth":${AUTH},"method":"POST","url":"/data/deep","data":${deep}}`],
  ['its id', (deep) => `{"method":"GET","url":"/api/health","id":${deep}}`],
  ['the id of a refused one', (deep) => `{"method":"BREW","id":${deep}}`],
  ['its auth', (deep) => `{"method":"GET","url":"/data","auth":${deep}}`],
  ['its headers', (deep) => `{"method":"GET","url":"/api/health","headers":${deep}}`],
  ['a header', (deep) => `{"method":"GET","url":"/api/health","headers":{"accept":${deep}}}`],
  ['its url', (deep) => `{"method":"GET","url":${deep}}`],
  ['its method', (deep) => `{"method":${deep},"url":"/"}`],
  ['a member without meaning', (deep) => `{"method":"GET","url":"/api/health","more":${deep}}`],
  ['what comes after it', (deep) => `{"method":"GET","url":"/api/health"},${deep}`],
];

describe('nesting of 5,000 and of 100,000 levels', () => {
  it.each(places)(
    'in %s is answered below 500, twice where there is an acknowledgement',
    async (_name, place) => {
      for (const deep of DEEP) {
        const raw = await join();
        raw.send(`427["http message",${place(deep)}]`);
        const [[, onEvent], [onAck]] = [
          JSON.parse((await raw.message('42')).slice(2)),
          JSON.parse((await raw.message('437')).slice(3)),
        ];
        for (const answer of [onEvent, onAck]) {
          const { status } = toAnswer(answer);
          expect(status).toBeGreaterThanOrEqual(200);
          expect(status).toBeLessThan(500);
        }
        raw.tcp.destroy();
        expect(await ask(witness, { method: 'GET', url: '/api/health' })).toMatchObject({
          status: 200,
        });
      }
      expect(server?.child.exitCode).toBeNull();
    },
  );

  it('in the id of an envelope too many is answered too', async () => {
    const raw = await join();
    // While these passwords are verified, no other is: the socket fills up.
    const guesses = Array.from({ length: 24 }, (_, at) =>
      ask(witness, { method: 'GET', url: '/data', auth: { username: `x${at}`, password: 'x' } }),
    );
    await ask(witness, { method: 'GET', url: '/api/health' });
    const auth = '{"username":"nobody","password":"not verified before"}';
    const waiting = `42["http message",{"method":"GET","url":"/data","auth":${auth}}]`;
    for (let count = 0; count < 1_100; count += 1) raw.send(waiting);
    for (const deep of DEEP) {
      raw.send(`427["http message",{"method":"GET","url":"/data","id":${deep}}]`);
      const [answer] = JSON.parse((await raw.message('437')).slice(3));
      expect(toAnswer(answer).status).toBe(429);
    }
    raw.tcp.destroy();
    await Promise.all(guesses);
    expect(server?.child.exitCode).toBeNull();
  });
});
