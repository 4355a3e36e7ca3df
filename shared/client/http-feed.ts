import type { Change } from '../changes.ts';
import { HEARTBEAT_MS } from '../limits.ts';
import { codeOf, KeystowClientError } from './client-error.ts';
import { type ServerEvent, serverEvents } from './event-stream.ts';
import type { FeedItem, OpenFeed } from './feed.ts';
import { failure, type HttpTransport } from './http-transport.ts';
import { withQuery } from './paths.ts';
import { textLines } from './text-lines.ts';
import { refusalOf } from './transport.ts';

/** Server-Sent Events, over fetch. */

/** A server that says nothing for so long is not there any more. */
const SILENCE_MS = 3 * HEARTBEAT_MS;

export function createHttpFeed(http: HttpTransport): OpenFeed {
  return async function* open({ prefix, url, since, signal }) {
    const silence = watchdog(SILENCE_MS);
    const signals = [signal, silence.signal];
    const path = withQuery('/api/changes', { prefix: prefix ?? prefixOf(url), since });
    const headers = { accept: 'text/event-stream' };
    try {
      const response = await http.open({
        method: 'GET',
        path,
        headers,
        signal: AbortSignal.any(signals),
      });
      const { status, body } = response;
      if (status !== 200 || !body) {
        const header = (name: string) => response.headers.get(name) ?? undefined;
        throw refusalOf({ status, header, text: await response.text() });
      }
      let isBegun = since !== undefined;
      for await (const event of serverEvents(textLines(body))) {
        silence.reset();
        for (const item of itemsOf(event)) {
          // What a feed from now on begins with tells where now is.
          if (!isBegun && item.type === 'change') {
            yield { type: 'cursor', seq: item.change.seq - 1 };
          }
          isBegun = true;
          if (item.type === 'cursor' || url === undefined || isOf(item.change, url)) yield item;
        }
      }
      throw new KeystowClientError('network', 'The server closed the feed.');
    } catch (error) {
      throw failure(error, signals);
    } finally {
      silence.end();
    }
  };
}

function itemsOf({ event, data, id }: ServerEvent): FeedItem[] {
  if (event === 'end') {
    const { status, error, oldest }: { status: number; error: string; oldest?: number } =
      JSON.parse(data);
    throw new KeystowClientError(codeOf(status), error, { status, oldest });
  }
  if (event === 'change') return [{ type: 'change', change: JSON.parse(data) }];
  const seq = Number(id ?? '');
  return id !== undefined && Number.isSafeInteger(seq) ? [{ type: 'cursor', seq }] : [];
}

/** The server knows prefixes here; they are not percent-encoded. */
function prefixOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : decodeURIComponent(url);
}

function isOf(change: Change, url: string): boolean {
  return decodeURIComponent(change.url) === decodeURIComponent(url);
}

/** A signal that is aborted unless it is reset in time. */
function watchdog(ms: number) {
  const silence = new AbortController();
  const bark = (): void =>
    silence.abort(new KeystowClientError('network', `The feed was silent for ${ms} ms.`));
  let timer = setTimeout(bark, ms);
  return {
    signal: silence.signal,
    reset(): void {
      clearTimeout(timer);
      timer = setTimeout(bark, ms);
    },
    end: () => clearTimeout(timer),
  };
}
