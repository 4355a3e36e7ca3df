import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { generate } from 'selfsigned';
import { vi } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { freePort } from '../support/free-port.ts';

/** nginx and haproxy with the very set-ups that docs/scaling.md prints, but for addresses and files. */
export interface Balancer {
  readonly url: string;
  /** No new request goes to the first node from now on. */
  takeOutFirst(): Promise<void>;
  stop(): Promise<void>;
}

/** Each takes a moment. */
const START_MS = 60_000;
const DOCUMENT = 'docs/scaling.md';
const ADDRESSES = ['10.0.0.11:6375', '10.0.0.12:6375', '10.0.0.13:6375'];

export async function startNginx(nodes: readonly string[]): Promise<Balancer> {
  const folder = await makeFolder();
  const port = await freePort();
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const config = join(folder, 'nginx.conf');
  const printed = fill(await printedSetup('nginx'), nodes, {
    'listen 443 ssl': `listen 127.0.0.1:${port} ssl`,
    '/etc/ssl/saves.example.crt': join(folder, 'cert'),
    '/etc/ssl/saves.example.key': join(folder, 'key'),
  });
  const write = (setup: string): Promise<void> =>
    writeFile(
      config,
      `daemon off;
      ${process.getuid?.() === 0 ? 'user root;' : ''}
      pid ${folder}/pid;
      error_log stderr notice;
      events {}
      http {
        access_log off;
        ${paths.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')}
        ${setup}
      }`,
    );
  await write(printed);
  const flags = ['-p', folder, '-c', config, '-e', 'stderr'];
  const nginx = startDaemon('nginx', flags);
  return balancer(nginx, folder, port, async () => {
    const [first = ''] = nodes;
    await write(printed.replace(`server ${first} `, `server ${first} down `));
    await runTool('nginx', [...flags, '-s', 'reload']);
    // Nobody is told when the new set-up is in use: the old workers take no more from then on.
    await vi.waitFor(() => {
      if (!nginx.log().includes('gracefully shutting down')) throw new Error(nginx.log());
    }, START_MS);
  });
}

export async function startHaproxy(nodes: readonly string[]): Promise<Balancer> {
  const folder = await makeFolder();
  const port = await freePort();
  const control = join(folder, 'admin.sock');
  const printed = fill(await printedSetup('haproxy'), nodes, {
    'bind :443': `bind 127.0.0.1:${port}`,
    '/etc/ssl/saves.example.pem': join(folder, 'pem'),
  });
  const config = join(folder, 'haproxy.cfg');
  await writeFile(config, `global\nstats socket ${control} mode 660 level admin\n${printed}`);
  const haproxy = startDaemon('haproxy', ['-db', '-f', config]);
  return balancer(haproxy, folder, port, async () => {
    const socket: Socket = connect(control);
    socket.end('set server keystow/node1 state drain\n');
    const answer = await text(socket);
    if (answer.trim() !== '') throw new Error(answer);
  });
}

async function balancer(
  daemon: Daemon,
  folder: string,
  port: number,
  takeOutFirst: () => Promise<void>,
): Promise<Balancer> {
  async function stop(): Promise<void> {
    await daemon.stop('SIGTERM');
    await rm(folder, { recursive: true, force: true });
  }
  try {
    await Promise.race([vi.waitFor(() => knock(port), START_MS), daemon.ended]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `https://127.0.0.1:${port}`, takeOutFirst, stop };
}

async function knock(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
}

async function printedSetup(language: string): Promise<string> {
  const document = await readFile(DOCUMENT, 'utf8');
  const [, setup] = document.split(`\`\`\`${language}\n`);
  if (setup === undefined) throw new Error(`${DOCUMENT} has no set-up of ${language}.`);
  return setup.slice(0, setup.indexOf('```'));
}

function fill(setup: string, nodes: readonly string[], names: Record<string, string>): string {
  const all = [
    ...Object.entries(names),
    ...ADDRESSES.map((address, i): [string, string] => [address, nodes[i] ?? '']),
  ];
  return all.reduce((text, [printed, ours]) => {
    if (!text.includes(printed)) throw new Error(`${DOCUMENT} does not name ${printed}.`);
    return text.replace(printed, ours);
  }, setup);
}

/** With a certificate in it. */
async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'keystow-balancer-'));
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'saves.example' }], {
    algorithm: 'sha256',
    keyType: 'ec',
    curve: 'P-256',
  });
  await writeFile(join(folder, 'cert'), cert);
  await writeFile(join(folder, 'key'), key);
  await writeFile(join(folder, 'pem'), `${cert}\n${key}`);
  return folder;
}

async function runTool(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${command} ended with ${code}.`);
}
