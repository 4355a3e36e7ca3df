import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { State } from '../../server/http/context.ts';
import { sendXmlWhenDone } from '../../server/http/s3-answer.ts';
import { S3Error } from '../../server/s3/s3-error.ts';
import { XML_DECLARATION } from '../../server/s3/xml-text.ts';

/** What S3's copies answer when they take long: a client that hears nothing gives up. */

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** The answer in the pieces that came, while `work` is done `after` milliseconds of the fake clock. */
async function answerOf(
  after: number,
  work: () => string,
): Promise<{ status: number; pieces: string[] }> {
  const app = new Koa<State>();
  const failures: unknown[] = [];
  app.on('error', (error) => failures.push(error));
  app.use(async (ctx) => {
    ctx.state.requestId = 'request-1';
    await sendXmlWhenDone(ctx, async () => {
      await new Promise((resolve) => setTimeout(resolve, after));
      return work();
    });
  });
  const server = createServer(app.callback()).listen(0);
  try {
    const { port } = server.address() as AddressInfo;
    const answer = new Promise<{ status: number; pieces: string[] }>((resolve, reject) => {
      get({ port, agent: false }, (incoming) => {
        const pieces: string[] = [];
        incoming.on('data', (piece: Buffer) => pieces.push(piece.toString()));
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, pieces }));
      }).on('error', reject);
    });
    let isAnswered = false;
    void answer.finally(() => {
      isAnswered = true;
    });
    while (!isAnswered) {
      await vi.advanceTimersByTimeAsync(1_000);
      await new Promise(setImmediate);
    }
    return await answer;
  } finally {
    server.close();
  }
}

describe('an answer that takes long', () => {
  it('is plain where it does not', async () => {
    const { status, pieces } = await answerOf(9_000, () => `${XML_DECLARATION}<Done/>`);
    expect([status, pieces.join('')]).toEqual([200, `${XML_DECLARATION}<Done/>`]);
  });

  it('begins with white space every ten seconds, and is the same XML', async () => {
    const { status, pieces } = await answerOf(45_000, () => `${XML_DECLARATION}<Done/>`);
    expect([status, pieces.join('')]).toEqual([200, `${XML_DECLARATION}   <Done/>`]);
    expect(pieces.length).toBeGreaterThan(3);
  });

  it('says a late failure in its XML, since its status is gone', async () => {
    const { status, pieces } = await answerOf(15_000, () => {
      throw new S3Error('NoSuchBucket');
    });
    const text = pieces.join('');
    expect(status).toBe(200);
    expect(text).toMatch(/^<\?xml [^>]*\?>\n *<Error><Code>NoSuchBucket<\/Code>/);
    expect(text).toContain('<RequestId>request-1</RequestId>');
  });

  it('keeps the details of an unexpected failure to itself', async () => {
    const { pieces } = await answerOf(15_000, () => {
      throw new Error('/secret/path');
    });
    const text = pieces.join('');
    expect(text).toContain('<Code>InternalError</Code>');
    expect(text).not.toContain('secret');
  });

  it('has its status where it fails soon', async () => {
    const { status } = await answerOf(1_000, () => {
      throw new S3Error('NoSuchBucket');
    });
    // Koa's own answer here: the error boundary is not part of this application.
    expect(status).toBe(404);
  });
});
