import { once } from 'node:events';
import { connect } from 'node:net';
import type { UploadForm } from './upload-form.ts';

/** How a client goes away: its socket closed, reset, or only its own side of it ended. */
export const departures = ['destroy', 'reset', 'half-close'] as const;
export type Departure = (typeof departures)[number];

/**
 * Sends a form's head and the first `bytes` of its body, and goes away once they have left and
 * `until` has resolved. Resolves with what the server still said, when the connection is gone.
 */
export async function breakOff(
  base: string,
  form: UploadForm,
  bytes: number,
  departure: Departure,
  until: () => Promise<unknown> = async () => undefined,
): Promise<string> {
  const { hostname, port, host } = new URL(base);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.setNoDelay(true).setEncoding('latin1');
  let received = '';
  socket.on('data', (text: string) => {
    received += text;
  });
  // The server's own end of it is what the half-close waits for; the others do not wait.
  socket.on('end', () => socket.destroy());
  // A reset, by either side, is one of the ends that are meant here.
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await once(socket, 'connect');

  const head = Object.entries(form.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST ${form.path} HTTP/1.1\r\nHost: ${host}\r\n${head.join('')}\r\n`);
  await new Promise<void>((resolve) => {
    socket.write(form.body.subarray(0, bytes), () => resolve());
  });
  try {
    await until();
  } finally {
    if (departure === 'destroy') socket.destroy();
    else if (departure === 'reset') socket.resetAndDestroy();
    else socket.end();
  }
  await closed;
  return received;
}
