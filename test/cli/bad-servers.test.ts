import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolder } from '../support/make-folder.ts';
import { cliFor, fakeServer, spawnCli } from './run-cli.ts';

/** Servers that break, stall or refuse at the wrong moment, which takes one made for it. */

let folder: string;

beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(() => rm(folder, { recursive: true }));

async function withFake<T>(listener: RequestListener, work: (url: string) => Promise<T>) {
  const fake = await fakeServer(listener);
  try {
    return await work(fake.url);
  } finally {
    await fake.close();
  }
}

const line = '{"key":"a","etag":"\\"1\\"","value":{}}\n';
const ndjson = { 'content-type': 'application/x-ndjson' };

const broken: [string, RequestListener][] = [
  [
    'a chunked answer that the connection cuts off',
    (_, response) => {
      response.writeHead(200, ndjson);
      response.write(line, () => response.socket?.destroySoon());
    },
  ],
  [
    'an answer that is shorter than announced',
    (_, response) => {
      response.writeHead(200, { ...ndjson, 'content-length': '1000' });
      response.write(line, () => response.socket?.destroySoon());
    },
  ],
  [
    'an answer that only the end of its connection delimits',
    (_, response) => {
      response.socket?.end(
        `HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\nconnection: close\r\n\r\n${line}`,
      );
    },
  ],
  [
    'an answer that ends within a line',
    (_, response) => {
      response.writeHead(200, ndjson).end(line + line.slice(0, 10));
    },
  ],
];

describe('an export from', () => {
  it.each(broken)('%s fails and leaves the file of before', async (_, listener) => {
    await writeFile(join(folder, 'old.ndjson'), 'of before');
    await withFake(listener, async (url) => {
      const cli = cliFor(url, 'x');
      const results = [
        await cli(['export', join(folder, 'new.ndjson')]),
        await cli(['export', join(folder, 'old.ndjson')]),
      ];
      for (const { code, stderr } of results) {
        expect(stderr).toMatch(/^keystow: [^\n]+ broke (off|before)[^\n]+\n$/);
        expect(code).toBe(3);
      }
      const piped = await cli(['export']);
      expect(piped.code).toBe(3);
      expect(piped.stdout.startsWith(line)).toBe(true);
    });
    expect(await readdir(folder)).toEqual(['old.ndjson']);
    expect(await readFile(join(folder, 'old.ndjson'), 'utf8')).toBe('of before');
  });

  it('a killed process leaves no file under the final name, and the next one clears up', async () => {
    const endless: RequestListener = (_, response) => {
      response.writeHead(200, ndjson);
      response.write(line);
    };
    const file = join(folder, 'all.ndjson');
    await withFake(endless, async (url) => {
      const env = { KEYSTOW_URL: url, KEYSTOW_PASSWORD: 'x' };
      const child = spawnCli(['export', file], { env });
      await expect.poll(() => readFile(`${file}.partial`, 'utf8').catch(() => '')).toBe(line);
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('close', resolve));
    });
    expect(await readdir(folder)).toEqual(['all.ndjson.partial']);
    const whole: RequestListener = (_, response) => {
      response.writeHead(200, ndjson).end(line);
    };
    await withFake(whole, async (url) => {
      expect((await cliFor(url, 'x')(['export', file])).code).toBe(0);
    });
    expect(await readdir(folder)).toEqual(['all.ndjson']);
    expect(await readFile(file, 'utf8')).toBe(line);
  });

  it('two processes at a time never mixes their lines', async () => {
    const file = join(folder, 'all.ndjson');
    let finishFirst = (): void => {};
    const listener: RequestListener = (request, response) => {
      response.writeHead(200, ndjson);
      if (request.url === '/data?prefix=first') {
        response.write(line);
        finishFirst = () => response.end(line);
      } else {
        response.end(line.repeat(3));
      }
    };
    await withFake(listener, async (url) => {
      const cli = cliFor(url, 'x');
      const first = cli(['export', file, '--prefix', 'first']);
      await expect.poll(() => readFile(`${file}.partial`, 'utf8').catch(() => '')).toBe(line);
      expect((await cli(['export', file])).code).toBe(0);
      finishFirst();
      const { code, stderr } = await first;
      expect(stderr).toContain('another export is writing');
      expect(code).toBe(1);
    });
    expect(await readFile(file, 'utf8')).toBe(line.repeat(3));
    expect(await readdir(folder)).toEqual(['all.ndjson']);
  });
});

describe('get', () => {
  it('does not take half a document for a whole one', async () => {
    const half: RequestListener = (_, response) => {
      response.writeHead(200, { 'content-length': '20' });
      response.write('{"a":', () => response.socket?.destroySoon());
    };
    await withFake(half, async (url) => {
      const { code, stderr } = await cliFor(url, 'x')(['get', 'a']);
      expect(stderr).toContain('broke before the answer was complete');
      expect(code).toBe(3);
    });
  });
});

describe('put', () => {
  it('tries both kinds of write twice where others write and delete the key', async () => {
    const attempts: unknown[] = [];
    const listener: RequestListener = (request, response) => {
      const condition = request.headers['if-none-match'];
      attempts.push(condition);
      response.statusCode = attempts.length === 4 ? 201 : condition === undefined ? 404 : 412;
      request.resume().on('end', () => response.end('{"error":"no"}'));
    };
    await withFake(listener, async (url) => {
      expect((await cliFor(url, 'x')(['put', 'a'], { stdin: '{}' })).code).toBe(0);
    });
    expect(attempts).toEqual([undefined, '*', undefined, '*']);
  });

  it('gives up with a sentence when that goes on', async () => {
    const listener: RequestListener = (request, response) => {
      response.statusCode = request.headers['if-none-match'] === undefined ? 404 : 412;
      request.resume().on('end', () => response.end('{"error":"no"}'));
    };
    await withFake(listener, async (url) => {
      const { code, stderr } = await cliFor(url, 'x')(['put', 'a'], { stdin: '{}' });
      expect(stderr).toMatch(/^keystow: a is created and deleted by others[^\n]+\n$/);
      expect(code).toBe(1);
    });
  });
});

describe('import', () => {
  const lines = (count: number) =>
    Array.from({ length: count }, (_, n) => `{"key":"${n}","value":{}}\n`).join('');

  it('stops when the server goes away, although its input stays open', async () => {
    let writes = 0;
    const listener: RequestListener = (request, response) => {
      request.resume().on('end', () => {
        writes += request.method === 'PUT' ? 1 : 0;
        if (writes > 10) {
          response.socket?.resetAndDestroy();
        } else {
          response.end('[]');
        }
      });
    };
    await withFake(listener, async (url) => {
      const env = { KEYSTOW_URL: url, KEYSTOW_PASSWORD: 'x' };
      const child = spawnCli(['import', '--concurrency', '1'], { env });
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      child.stdin.on('error', () => {});
      child.stdin.write(lines(100));
      const code = await new Promise((resolve) => child.once('close', resolve));
      expect(stderr).toMatch(/^keystow: [^\n]+ The import stopped after 10 documents\.\n$/);
      expect(code).toBe(3);
    });
  });

  it('has no two writes of one key on their way, so that the last line wins', async () => {
    let underway = 0;
    let mostUnderway = 0;
    let others = 0;
    const held: (() => void)[] = [];
    const listener: RequestListener = (request, response) => {
      request.resume().on('end', () => {
        if (request.url !== '/data/same') {
          response.end('[]');
          others += request.method === 'PUT' ? 1 : 0;
          if (others === 20) {
            for (const answer of held) answer();
          }
          return;
        }
        underway++;
        mostUnderway = Math.max(mostUnderway, underway);
        const answer = () => {
          underway--;
          response.end('{}');
        };
        if (others < 20) {
          held.push(answer);
        } else {
          answer();
        }
      });
    };
    const same = '{"key":"same","value":{}}\n'.repeat(3);
    await withFake(listener, async (url) => {
      expect((await cliFor(url, 'x')(['import'], { stdin: same + lines(20) })).code).toBe(0);
    });
    expect(mostUnderway).toBe(1);
  });

  it('waits for a busy server as long as that asks for', async () => {
    const answers = new Map<string, number>();
    const listener: RequestListener = (request, response) => {
      const url = request.url ?? '';
      const attempt = (answers.get(url) ?? 0) + 1;
      answers.set(url, attempt);
      request.resume().on('end', () => {
        if (request.method === 'PUT' && attempt === 1) {
          response.writeHead(503, { 'retry-after': '0' }).end('{"error":"Busy."}');
        } else {
          response.end('[]');
        }
      });
    };
    await withFake(listener, async (url) => {
      expect(await cliFor(url, 'x')(['import'], { stdin: lines(40) })).toEqual({
        code: 0,
        stdout: '',
        stderr: '',
      });
    });
    expect([...answers.values()].filter((count) => count === 2)).toHaveLength(40);
  });

  it('stops at a full disk', async () => {
    let writes = 0;
    const listener: RequestListener = (request, response) => {
      request.resume().on('end', () => {
        if (request.method === 'PUT') {
          writes++;
          response.writeHead(507).end('{"error":"The disk is full."}');
        } else {
          response.end('[]');
        }
      });
    };
    await withFake(listener, async (url) => {
      const args = ['import', '--concurrency', '1'];
      const { code, stderr } = await cliFor(url, 'x')(args, { stdin: lines(50) });
      expect(stderr).toBe('keystow: The disk is full. The import stopped after 0 documents.\n');
      expect(code).toBe(1);
    });
    expect(writes).toBe(1);
  });

  it('repeats a write on a connection that the server had closed meanwhile', async () => {
    const paths: unknown[] = [];
    let closed = false;
    const listener: RequestListener = (request, response) => {
      request.resume().on('end', () => {
        if (request.method === 'PUT' && !closed) {
          closed = true;
          response.socket?.resetAndDestroy();
          return;
        }
        paths.push(request.url);
        response.end('[]');
      });
    };
    await withFake(listener, async (url) => {
      const args = ['import', '--concurrency', '1'];
      expect((await cliFor(url, 'x')(args, { stdin: lines(2) })).code).toBe(0);
    });
    expect(paths).toEqual(['/data?limit=1', '/data/0', '/data/1']);
  });
});
