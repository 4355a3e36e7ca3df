import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runs } from '../support/long-runs.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { ask, type Client, connect, toAnswer } from './client.ts';
import { type Emission, emission, showArgs } from './malformed-envelopes.ts';

const RUNS = runs(10, 40);
const PER_RUN = 250;

let server: ServerProcess;
let client: Client;
beforeAll(async () => {
  server = await startProcess();
  client = await connect(server.url);
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});

/** Emits them all at once; each is answered once on the event, and once by its acknowledgement. */
async function emitAll(emissions: readonly Emission[]): Promise<void> {
  const acknowledged = emissions.map(() => 0);
  let answered = 0;
  let waiting = emissions.length;
  for (const { hasAck } of emissions) if (hasAck) waiting += 1;
  const wrong: string[] = [];
  const check = (answer: unknown, args?: readonly unknown[]): void => {
    const { status, statusText, method, url } = toAnswer(answer);
    if (status < 200 || status >= 500 || statusText === '')
      wrong.push(`${status} for ${method?.slice(0, 99)} ${url?.slice(0, 99)}: ${showArgs(args)}`);
  };

  await new Promise<void>((resolve, reject) => {
    const onGone = (reason: string): void => reject(new Error(`The socket went: ${reason}.`));
    const done = (): void => {
      waiting -= 1;
      if (waiting === 0) resolve();
    };
    client.removeAllListeners('http message').removeAllListeners('disconnect');
    client.once('disconnect', onGone);
    client.on('http message', (answer) => {
      answered += 1;
      check(answer);
      done();
    });
    for (const [at, { args, hasAck }] of emissions.entries()) {
      const onAck = (answer: unknown): void => {
        acknowledged[at] = (acknowledged[at] ?? 0) + 1;
        check(answer, args);
        done();
      };
      client.emit('http message', ...args, ...(hasAck ? [onAck] : []));
    }
  });
  // Whatever came too much would come before this.
  await ask(client, { method: 'GET', url: '/api/health' });
  if (wrong.length > 0) throw new Error(wrong.join('; '));
  expect(answered - 1).toBe(emissions.length);
  expect(acknowledged).toEqual(emissions.map(({ hasAck }) => (hasAck ? 1 : 0)));
}

describe('envelopes of every shape', () => {
  it(`are answered once each, ${RUNS * PER_RUN} of them, and never with 500`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(emission, { minLength: PER_RUN, maxLength: PER_RUN }), emitAll),
      {
        numRuns: RUNS,
        endOnFailure: true,
        // The usual report is all 250 envelopes; the error names those that matter.
        asyncReporter: async ({ failed, seed, counterexamplePath, errorInstance }) => {
          if (failed) throw new Error(`Seed ${seed}, path ${counterexamplePath}: ${errorInstance}`);
        },
      },
    );
    expect(server.child.exitCode).toBeNull();
    expect((await fetch(`${server.url}/api/health`)).status).toBe(200);
  });

  it.each([
    ['nothing', []],
    ['null', [null]],
    ['a text', ['GET /data']],
    ['a number', [7]],
    ['true', [true]],
    ['an array', [[{ method: 'GET', url: '/data' }]]],
    ['an empty object', [{}]],
    ['no url', [{ method: 'GET' }]],
    ['no method', [{ url: '/data' }]],
    ['a url that is no text', [{ method: 'GET', url: ['/data'] }]],
    ['a url that is no path', [{ method: 'GET', url: 'data' }]],
    ['an empty url', [{ method: 'GET', url: '' }]],
    ['a url of 1 MB', [{ method: 'GET', url: `/data/${'x'.repeat(1_000_000)}` }]],
    ['a lone surrogate in the url', [{ method: 'GET', url: '/data/\ud800' }]],
    ['a method that is no text', [{ method: { get: 1 }, url: '/data' }]],
    ['a method that is none', [{ method: 'BREW', url: '/data' }]],
    ['a method with a line end', [{ method: 'GET\r\nHost: x', url: '/data' }]],
    ['an empty method', [{ method: '', url: '/data' }]],
    ['a method named like a member of Object', [{ method: 'constructor', url: '/data' }]],
    ['a callback before it', [() => {}, { method: 'GET', url: '/data' }]],
  ])('is answered 400 where it is or has %s', async (_name, args: unknown[]) => {
    const answer = await ask(client, ...args);
    expect(answer).toMatchObject({
      status: 400,
      statusText: 'Bad Request',
      data: { error: expect.stringMatching(/\w+ .*\.$/) },
    });
  });

  it('of which only the first argument counts, and the acknowledgement that comes last', async () => {
    const envelope = { method: 'GET', url: '/api/health', id: 'first' };
    expect(await ask(client, envelope, { method: 'BREW' }, null)).toMatchObject({
      status: 200,
      id: 'first',
    });
  });
});
