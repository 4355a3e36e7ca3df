import { Readable } from 'node:stream';
import type Router from '@koa/router';
import type { Logger } from 'pino';
import type { ChangePage } from '../../../shared/changes.ts';
import { KeystowError } from '../../../shared/errors.ts';
import { MAX_PAGE_CHANGES, MAX_WAIT_SECONDS, SLOW_READER_MS } from '../../../shared/limits.ts';
import { changeText } from '../../services/change-text.ts';
import { type ChangeFilter, type Changes, tooSlow } from '../../services/changes.ts';
import { toAnswerable } from '../answerable.ts';
import { principalOf } from '../authenticate.ts';
import type { Context, Handler, State } from '../context.ts';
import { parseQuery, parseWhole } from '../target.ts';

const EVENT_STREAM = 'text/event-stream';
const DEFAULT_PAGE = 100;

export interface ChangeRouteOptions {
  readonly changes: Changes;
  readonly log: Logger;
  readonly slowReaderMs?: number | undefined;
}

/** `GET /api/changes`: a page of changes, or all of them as they come (Server-Sent Events). */
export function changeRoutes(
  router: Router<State>,
  authenticated: Handler,
  options: ChangeRouteOptions,
): void {
  router.get('/api/changes', authenticated, async (ctx) => {
    ctx.vary('Accept');
    ctx.set('Cache-Control', 'no-store');
    const wantsStream = ctx.accepts('application/json', EVENT_STREAM) === EVENT_STREAM;
    if (wantsStream) await sendStream(ctx, options);
    else await sendPage(ctx, options.changes);
  });
}

async function sendPage(ctx: Context, changes: Changes): Promise<void> {
  const query = parseQuery(ctx);
  const limit = query.get('limit');
  const wait = query.get('wait');
  ctx.body = await changes.page(principalOf(ctx), parseFilter(query.get('prefix')), {
    since: parseCursor('since', query.get('since')),
    limit: limit === undefined ? DEFAULT_PAGE : parseWhole('limit', limit, 1, MAX_PAGE_CHANGES),
    waitMs: wait === undefined ? 0 : parseWhole('wait', wait, 0, MAX_WAIT_SECONDS) * 1_000,
    signal: signalOf(ctx),
  });
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html */
async function sendStream(ctx: Context, options: ChangeRouteOptions): Promise<void> {
  if (ctx.state.envelope) {
    throw new KeystowError('not-acceptable', 'Over Socket.IO changes are watched with `watch`.');
  }
  const query = parseQuery(ctx);
  // A browser that comes back says where it was; its URL still has the first cursor.
  const last = ctx.get('last-event-id');
  const since = parseCursor('Last-Event-ID', last === '' ? query.get('since') : last);
  const filter = parseFilter(query.get('prefix'));
  const gone = signalOf(ctx);
  const pages = options.changes.follow(principalOf(ctx), filter, since, gone);
  // What is wrong with the request is an answer of its own, not the end of a stream.
  const first = await pages.next();
  ctx.status = 200;
  ctx.type = EVENT_STREAM;
  // nginx would keep events back until it has a block of them.
  ctx.set('X-Accel-Buffering', 'no');
  if (ctx.method === 'HEAD') {
    await pages.return();
    return;
  }
  // The log, the metrics, this feed and Koa's pipeline: each waits for the end of the answer.
  ctx.res.setMaxListeners(20);
  ctx.body = Readable.from(events(ctx, first, pages, { ...options, gone }), { highWaterMark: 1 });
}

/**
 * One page waits here and one in the connection. A client that takes neither in time loses its feed, and is told
 * once it reads again; the listener cuts off who does not.
 */
async function* events(
  ctx: Context,
  first: IteratorResult<ChangePage, void>,
  pages: AsyncGenerator<ChangePage, void>,
  { log, slowReaderMs = SLOW_READER_MS, gone }: ChangeRouteOptions & { readonly gone: AbortSignal },
): AsyncGenerator<string> {
  const { requestId } = ctx.state;
  let isSlow = false;
  const drop = (): void => {
    isSlow = true;
    log.warn({ id: requestId, address: ctx.ip }, 'feed ended: its client does not read');
    void pages.return();
  };
  try {
    yield 'retry: 1000\n\n';
    for (let next = first; !next.done; next = await pages.next()) {
      const patience = setTimeout(drop, slowReaderMs);
      try {
        yield encode(next.value);
      } finally {
        clearTimeout(patience);
      }
      if (isSlow) throw tooSlow();
    }
  } catch (thrown) {
    if (gone.aborted) return;
    const error = toAnswerable(thrown, requestId);
    if (error.status === 500) log.error({ id: requestId, err: thrown }, error.message);
    const members = 'members' in error ? error.members : {};
    const data = { status: error.status, error: error.message, ...members };
    yield `event: end\ndata: ${JSON.stringify(data)}\n\n`;
  } finally {
    await pages.return();
  }
}

/** The last id goes on where changes are hidden, so that a client comes back to where it was. */
function encode({ changes, next }: ChangePage): string {
  const events = changes.map(
    (change) => `id: ${change.seq}\nevent: change\ndata: ${changeText(change)}\n\n`,
  );
  return `${events.join('')}: ${changes.length === 0 ? 'heartbeat' : 'more may follow'}\nid: ${next}\n\n`;
}

function parseCursor(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const cursor = Number(text);
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(cursor)) return cursor;
  throw new KeystowError('bad-request', `${name} is the number of a change, such as 42.`);
}

/** A prefix of paths, with or without the slash at their beginning. */
export function parseFilter(prefix = ''): ChangeFilter {
  return { prefix: prefix.startsWith('/') ? prefix.slice(1) : prefix };
}

/** Aborted once the client is gone. */
function signalOf(ctx: Context): AbortSignal {
  if (ctx.state.envelope) return ctx.state.envelope.gone;
  const gone = new AbortController();
  ctx.res.once('close', () => gone.abort());
  if (ctx.res.destroyed) gone.abort();
  return gone.signal;
}
