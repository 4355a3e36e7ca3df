import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import type { Round } from './load.ts';
import { percentile } from './percentile.ts';

/** The bodies of one round of uploads: each is sent in these pieces, none of them copied. */
export interface UploadLoad {
  readonly url: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Uploads under way at any time, each on a keep-alive connection of its own. */
  readonly atOnce: number;
  readonly seconds: number;
  next(): readonly Buffer[];
}

/** Uploads for some seconds; what is then under way is finished, and not counted. */
export async function runUploadLoad(load: UploadLoad): Promise<Round> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.atOnce });
  const milliseconds: number[] = [];
  const failures = new Map<string, number>();
  const start = performance.now();
  const end = start + load.seconds * 1_000;

  const keepUploading = async (): Promise<void> => {
    while (performance.now() < end) {
      const sent = performance.now();
      const outcome = await upload(load, agent).catch(() => 'connection errors');
      const now = performance.now();
      if (now >= end) return;
      if (outcome === undefined) milliseconds.push(now - sent);
      else failures.set(outcome, (failures.get(outcome) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: load.atOnce }, keepUploading));
  agent.destroy();
  return {
    rate: milliseconds.length / load.seconds,
    p99: percentile(milliseconds, 0.99),
    answers: milliseconds.length,
    failures: [...failures].map(([what, times]) => `${times} ${what}`).join(', '),
  };
}

/** Resolves with what was wrong with the answer. */
export async function upload(
  load: Pick<UploadLoad, 'url' | 'path' | 'headers' | 'next'>,
  agent?: Agent,
): Promise<string | undefined> {
  const pieces = load.next();
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const sent = request(new URL(load.path, load.url), {
    method: 'POST',
    headers: { ...load.headers, 'content-length': length },
    ...(agent ? { agent } : {}),
  });
  for (const piece of pieces) sent.write(piece);
  sent.end();
  const [response]: IncomingMessage[] = await once(sent, 'response');
  if (!response) throw new Error('There was no answer.');
  await once(response.resume(), 'end');
  const { statusCode = 0 } = response;
  return statusCode >= 200 && statusCode < 300 ? undefined : `× ${statusCode}`;
}
