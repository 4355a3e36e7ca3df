import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import type { Round } from './load.ts';
import type { Upload } from './peers/upload-peer.ts';
import { percentile } from './percentile.ts';

/** A round of uploads of one file. */
export interface UploadLoad {
  readonly url: string;
  /** The bytes of the file; none of them is copied. */
  readonly file: readonly Buffer[];
  /** Uploads under way at any time, each on a keep-alive connection of its own. */
  readonly atOnce: number;
  readonly seconds: number;
  next(): Upload;
}

/** Uploads for some seconds; what is then under way is finished, and its time counted too. */
export async function runUploadLoad(load: UploadLoad): Promise<Round> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.atOnce });
  const milliseconds: number[] = [];
  const failures = new Map<string, number>();
  const start = performance.now();
  const end = start + load.seconds * 1_000;

  const keepUploading = async (): Promise<number> => {
    let stored = 0;
    let now = start;
    while (now < end) {
      const sent = now;
      const outcome = await upload(load, agent).catch(() => 'connection errors');
      now = performance.now();
      if (outcome === undefined) {
        milliseconds.push(now - sent);
        stored += 1;
      } else failures.set(outcome, (failures.get(outcome) ?? 0) + 1);
    }
    return stored / ((now - start) / 1_000);
  };
  const rates = await Promise.all(Array.from({ length: load.atOnce }, keepUploading));
  agent.destroy();
  return {
    rate: rates.reduce((sum, rate) => sum + rate, 0),
    p99: percentile(milliseconds, 0.99),
    answers: milliseconds.length,
    failures: [...failures].map(([what, times]) => `${times} ${what}`).join(', '),
  };
}

/** Resolves with what was wrong with the answer. */
export async function upload(
  { url, file, next }: Pick<UploadLoad, 'url' | 'file' | 'next'>,
  agent?: Agent,
): Promise<string | undefined> {
  const { method, path, headers, before, after } = next();
  const pieces = [Buffer.from(before), ...file, Buffer.from(after)];
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const sent = request(new URL(path, url), {
    method,
    headers: { ...headers, 'content-length': length },
    ...(agent ? { agent } : {}),
  });
  for (const piece of pieces) if (piece.length > 0) sent.write(piece);
  sent.end();
  const [response]: IncomingMessage[] = await once(sent, 'response');
  if (!response) throw new Error('There was no answer.');
  await once(response.resume(), 'end');
  const { statusCode = 0 } = response;
  return statusCode >= 200 && statusCode < 300 ? undefined : `× ${statusCode}`;
}
