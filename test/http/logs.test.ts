import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRaw, rawRequest } from '../support/raw-http.ts';
import { basic, createRest, type Rest } from '../support/rest.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';

/** JSON lines on stderr, one per request, and what is never in them. */

interface LogLine {
  readonly level: number;
  readonly time: string;
  readonly msg: string;
  readonly id?: string;
  readonly method?: string;
  readonly path?: string;
  readonly status?: number;
  readonly user?: string;
  readonly address?: string;
  readonly ms?: number;
}

let server: ServerProcess;
let rest: Rest;

beforeAll(async () => {
  server = await startProcess();
  rest = createRest(server.url);
});

afterAll(() => server.stop());

function linesOf(log: string): LogLine[] {
  return log
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** The one line of a request; logs may come a moment after the answer. */
async function lineOf(id: string | null): Promise<LogLine> {
  const found = () => linesOf(server.log()).filter((line) => line.id === id);
  await expect.poll(found).toHaveLength(1);
  const [line] = found();
  if (!line) throw new Error(`No line of ${id}.`);
  return line;
}

describe('a request', () => {
  it.each<[string, string, string | undefined, number]>([
    ['POST', '/data/logged', '{}', 201],
    ['GET', '/data/logged', undefined, 200],
    ['GET', '/data/absent', undefined, 404],
    ['DELETE', '/data/logged', undefined, 204],
    ['GET', '/nothing', undefined, 404],
    ['PUT', '/api/users/x', '{', 400],
    ['GET', '/data', undefined, 200],
  ])('%s %s has one line with its id', async (method, path, body, status) => {
    const answer = await rest(method, path, body);
    const line = await lineOf(answer.headers.get('x-request-id'));
    expect(line).toMatchObject({ method, path, status, address: '127.0.0.1' });
    expect(line.ms).toBeGreaterThanOrEqual(0);
    expect(Number.isNaN(Date.parse(line.time))).toBe(false);
  });

  it('names its user once the password was right', async () => {
    const right = await rest('GET', '/data');
    expect((await lineOf(right.headers.get('x-request-id'))).user).toBe('admin');
    const wrong = await createRest(server.url, 'admin', 'not it')('GET', '/data');
    expect((await lineOf(wrong.headers.get('x-request-id'))).user).toBeUndefined();
  });

  it('that is refused before a route has a line as well', async () => {
    for (const headers of [{ origin: 'https://evil.example' }, { 'content-type': 'text/plain' }]) {
      const answer = await rest('POST', '/data/x', '{}', headers);
      const line = await lineOf(answer.headers.get('x-request-id'));
      expect(line.status).toBe(answer.status);
    }
  });

  it('with an expectation that nobody meets has a line as well', async () => {
    const answer = await rawRequest(
      server.url,
      'POST /data/x HTTP/1.1\r\nHost: a\r\nExpect: banana\r\nContent-Length: 0\r\n\r\n',
    );
    const line = await lineOf(answer.headers.get('x-request-id'));
    expect(line.status).toBe(417);
  });

  it('that broke off has a line too', async () => {
    const connection = await openRaw(server.url);
    connection.send(
      'POST /data/broken-off HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n' +
        `Authorization: ${basic('admin', server.password)}\r\n\r\n{`,
    );
    await rest('GET', '/api/health');
    connection.destroy();
    await expect
      .poll(() => linesOf(server.log()).filter(({ path }) => path === '/data/broken-off'))
      .toHaveLength(1);
  });
});

describe('the log', () => {
  it('is JSON line by line, with pino levels and times', async () => {
    await rest('GET', '/api/health');
    const lines = linesOf(server.log());
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      expect([10, 20, 30, 40, 50, 60]).toContain(line.level);
      expect(line.msg).toMatch(/\w/);
    }
  });

  it('has no password, Authorization header, query or body in it', async () => {
    const secrets = {
      password: 'secret-of-the-password',
      wrong: 'secret-that-is-wrong',
      query: 'secret-in-the-query',
      body: 'secret-in-the-body',
      hidden: 'secret-in-a-header',
    };
    const user = { role: 'admin', grants: [], password: secrets.password };
    await rest('PUT', '/api/users/secretive', user);
    const secretive = createRest(server.url, 'secretive', secrets.password);
    const headers = { 'x-hidden': secrets.hidden, cookie: secrets.hidden };
    await secretive('GET', `/data?prefix=${secrets.query}`, undefined, headers);
    await secretive('GET', `/data?limit=${secrets.query}`);
    await secretive('POST', `/data/secretive?${secrets.query}`, { a: secrets.body });
    await secretive('PATCH', '/data/secretive', `{"b":"${secrets.body}"`);
    await secretive('PUT', '/api/users/other', `{"password":"${secrets.password}",}`);
    await secretive('PUT', '/api/users/other', { ...user, role: secrets.body });
    await secretive('GET', '/data/secretive', undefined, { 'if-match': secrets.hidden });
    await createRest(server.url, 'secretive', secrets.wrong)('GET', '/data');
    const connection = await openRaw(server.url);
    connection.send(
      `GET /data?${secrets.query} HTTP/1.1\r\nHost: a\r\nX ${secrets.hidden}\r\n\r\n`,
    );
    await connection.closed;
    const last = await secretive('GET', '/data');
    await lineOf(last.headers.get('x-request-id'));

    const log = server.log();
    for (const [name, secret] of Object.entries(secrets)) expect(log, name).not.toContain(secret);
    for (const [name, password] of [
      ['admin', server.password],
      ['secretive', secrets.password],
      ['secretive', secrets.wrong],
    ] as const) {
      expect(log).not.toContain(password);
      expect(log).not.toContain(basic(name, password).slice('Basic '.length));
    }
    expect(log).not.toMatch(/\$2[aby]\$/);
  });

  it('stays one line per request, whatever is in the path', async () => {
    const answer = await rest('GET', '/data/%0A%7B%22level%22%3A60%7D%0Aü');
    const line = await lineOf(answer.headers.get('x-request-id'));
    expect(line.status).toBe(404);
    expect(linesOf(server.log()).filter(({ level }) => level === 60)).toEqual([]);
  });

  it('is as quiet as LOG_LEVEL says', async () => {
    const quiet = await startProcess({ env: { LOG_LEVEL: 'silent' } });
    await createRest(quiet.url)('GET', '/data/absent');
    await quiet.stop();
    expect(quiet.log()).toBe('');
  });
});
