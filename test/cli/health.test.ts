import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { fakeServer, runCli } from './run-cli.ts';

/** What the container's health check runs. */

describe('health', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ env: { TLS: 'on', HTTP_PORT: '0' } });
  });

  afterAll(async () => {
    await server?.stop();
  });

  const ask = (base: string, env: Record<string, string>, ...flags: string[]) =>
    runCli(['health', ...flags], { env: { PORT: new URL(base).port, ...env } });

  it('is silent and 0 where the server of the settings answers, whatever its certificate', async () => {
    const well = { code: 0, stdout: '', stderr: '' };
    expect(await ask(server.tlsUrl, {})).toEqual(well);
    expect(await ask(server.url, { TLS: 'off', HOST: '127.0.0.1' }, '--ready')).toEqual(well);
  });

  it('is 3 where nothing listens, or something that does not speak TLS', async () => {
    const port = await freePort();
    expect(await ask(`http://127.0.0.1:${port}`, { HOST: '0.0.0.0' })).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(`^keystow: no server answers on port ${port}: .*ECONNREFUSED`),
    });
    expect(await ask(server.url, { HOST: '127.0.0.1' })).toMatchObject({ code: 3 });
  });

  it('is 1 where the server cannot serve, and tells readiness from life', async () => {
    const stopping = await fakeServer((request, response) => {
      response.writeHead(request.url === '/api/health?ready' ? 503 : 200).end();
    });
    const { url } = stopping;
    expect(await ask(url, { TLS: 'off', HOST: '127.0.0.1' })).toMatchObject({ code: 0 });
    expect(await ask(url, { TLS: 'off', HOST: '127.0.0.1' }, '--ready')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'keystow: the server answered 503.\n',
    });
    await stopping.close();
  });

  it('is 1 with the settings’ own sentence where they are wrong', async () => {
    expect(await runCli(['health'], { env: { PORT: 'many' } })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('PORT is a whole number'),
    });
  });
});
