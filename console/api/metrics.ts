import { current } from '../session.ts';

/** Prometheus' text. Rejects with `forbidden` for who is no admin. */
export async function readMetrics(signal: AbortSignal): Promise<string> {
  const request = { method: 'GET', path: '/api/metrics', signal } as const;
  return (await current().request(request)).text;
}
