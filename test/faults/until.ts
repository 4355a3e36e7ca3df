import { get } from 'node:http';

/** A disk that stands still for a while is no fault of the server's. */
const GIVE_UP_MS = 50_000;

/**
 * Resolves once something holds of a server that goes on in its own time; looks again after each
 * answer that the server gives. Rejects with what was seen last where it never holds.
 */
export async function untilServer<T>(
  url: string,
  look: () => T,
  holds: (seen: T) => boolean,
): Promise<T> {
  const giveUpAt = Date.now() + GIVE_UP_MS;
  for (;;) {
    const seen = look();
    if (holds(seen)) return seen;
    if (Date.now() > giveUpAt) throw new Error(`It stayed at ${JSON.stringify(seen)}.`);
    await askOnce(url);
  }
}

/** Over a connection of its own, which is gone afterwards. */
function askOnce(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get(`${url}/api/health`, { agent: false }, (response) => response.resume())
      .once('error', reject)
      .once('close', resolve);
  });
}
