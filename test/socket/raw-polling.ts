/** Engine.IO's long polling by hand: requests as the test wants them, and no other. */

export interface RawPolling {
  readonly sid: string;
  /** Sends the packets in one request; its status. */
  post(...packets: string[]): Promise<number>;
  /** One poll: its status and its packets. */
  poll(): Promise<{ status: number; packets: string[] }>;
  /** Says goodbye: a session that is only left alone stays until its time is out. */
  close(): Promise<void>;
}

const SEPARATOR = '\x1e';

/** The handshake alone: its answer. */
export function handshake(base: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${base}/socket.io/?EIO=4&transport=polling`, { headers });
}

/** Joined to the default namespace. */
export async function joinPolling(base: string): Promise<RawPolling> {
  const opening = await (await handshake(base)).text();
  const { sid }: { sid: string } = JSON.parse(opening.slice(1));
  const url = `${base}/socket.io/?EIO=4&transport=polling&sid=${sid}`;
  const polling: RawPolling = {
    sid,
    async post(...packets) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'text/plain;charset=UTF-8' },
        body: packets.join(SEPARATOR),
      });
      await response.arrayBuffer();
      return response.status;
    },
    async poll() {
      const response = await fetch(url);
      return { status: response.status, packets: (await response.text()).split(SEPARATOR) };
    },
    async close() {
      await polling.post('1');
    },
  };
  await polling.post('40');
  const { packets } = await polling.poll();
  if (!packets[0]?.startsWith('40')) throw new Error(`Not joined: ${packets}`);
  return polling;
}
