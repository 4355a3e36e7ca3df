import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';

/** The example of the seed `create-data-by-key.md`, as written there but for the port. */
const EXAMPLE = `const io = require("socket.io-client");
const socket = io("wss://localhost:6375",{ rejectUnauthorized: false });
socket.open();

socket.on('http message', (data) => {
   console.log("HTTP Message", data);
})
socket.emit('http message',{"auth":{"username":"admin","password":"a1b2c3d4"},"url":"/data/test","method":"POST","data":{"message":"New Data Key","created":"10/2/2020 08:25:12"}})`;

let server: TestServer;
const running: ChildProcess[] = [];
beforeAll(async () => {
  server = await startServer({
    env: { TLS: 'on', HOST: 'localhost', ADMIN_PASSWORD: 'a1b2c3d4', SOCKET_EIO3: 'on' },
  });
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await server.stop();
});

/** Runs the example as a script of its own; what it has printed once an answer is complete. */
async function runExample(clientPackage: string, key: string): Promise<string> {
  const script = EXAMPLE.replace('wss://localhost:6375', server.tlsUrl.replace('https:', 'wss:'))
    .replace('"socket.io-client"', JSON.stringify(clientPackage))
    .replace('/data/test', `/data/${key}`);
  const child = spawn(process.execPath, ['--input-type=commonjs', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(child);
  let printed = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    printed += chunk;
    if (printed.endsWith('\n}\n')) break;
  }
  child.kill('SIGKILL');
  await once(child, 'close');
  return printed;
}

describe('the Socket.IO example of the seed', () => {
  it('creates the document over wss with a self-signed certificate', async () => {
    const printed = await runExample('socket.io-client', 'test');
    expect(printed).toMatch(/^HTTP Message \{/);
    expect(printed).toMatch(/method: 'POST'/);
    expect(printed).toMatch(/url: '\/data\/test'/);
    expect(printed).toMatch(/status: 201,\s+statusText: 'Created'/);
    expect(printed).toMatch(/data: \{ message: 'New Data Key', created: '10\/2\/2020 08:25:12' \}/);
    const again = await runExample('socket.io-client', 'test');
    expect(again).toMatch(/status: 406,\s+statusText: 'Not Acceptable'/);
    expect(again).toMatch(/data: \{ error: 'test already exists\.' \}/);
  });

  it('does so with the client of its time, socket.io-client 2, where SOCKET_EIO3 is on', async () => {
    const printed = await runExample('socket.io-client-2', 'of-2020');
    expect(printed).toMatch(/status: 201,\s+statusText: 'Created'/);
    expect(printed).toMatch(/data: \{ message: 'New Data Key'/);
  });
});
