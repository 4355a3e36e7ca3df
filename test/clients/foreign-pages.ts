import { once } from 'node:events';
import { createServer } from 'node:http';

/** A site of its own: pages that know nothing of the server but its URL. */
export interface ForeignPages {
  /** By another host name than the server's: to a browser another site, not only another origin. */
  readonly origin: string;
  /** Serves a page from now on, and gives its URL. */
  show(path: string, html: string): string;
  /** Paths with their queries that were asked for, pages or not. */
  readonly visits: readonly string[];
  stop(): Promise<void>;
}

export async function startForeignPages(): Promise<ForeignPages> {
  const pages = new Map<string, string>();
  const visits: string[] = [];
  const server = createServer((req, res) => {
    const url = req.url ?? '/';
    visits.push(url);
    const html = pages.get(url.replace(/\?.*/, ''));
    res.writeHead(html === undefined ? 404 : 200, { 'content-type': 'text/html; charset=utf-8' });
    res.end(html ?? '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const origin = `http://localhost:${port}`;
  return {
    origin,
    visits,
    show(path, html) {
      pages.set(path, html);
      return origin + path;
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
