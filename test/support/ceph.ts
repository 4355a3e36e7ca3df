import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { vi } from 'vitest';
import { type Daemon, startDaemon } from './daemon.ts';
import { freePort } from './free-port.ts';
import type { TestObjectStore } from './object-store.ts';

type Tool = (command: string, ...args: string[]) => Promise<unknown>;

/** It takes three seconds. */
const START_MS = 50_000;
const run = promisify(execFile);

/**
 * Ceph in memory, from Debian's packages ceph-mon, ceph-osd, ceph-common and radosgw: one monitor, one
 * OSD, and the gateway that speaks S3, with a user.
 */
export async function startCeph(): Promise<TestObjectStore> {
  const folder = await mkdtemp(join(tmpdir(), 'keystow-ceph-'));
  const [v2, v1, s3] = [await freePort(), await freePort(), await freePort()];
  const fsid = randomUUID();
  const monitor = `[v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]`;
  const env = { PATH: process.env['PATH'] ?? '', CEPH_CONF: join(folder, 'ceph.conf') };
  const deadline = AbortSignal.timeout(START_MS);
  const daemons: Daemon[] = [];
  const url = `http://127.0.0.1:${s3}`;
  const accessKeyId = randomBytes(10).toString('hex').toUpperCase();
  const secretAccessKey = randomBytes(20).toString('hex');

  /** Unless what it waits for has ended. */
  const whileUp = <T>(work: Promise<T>): Promise<T> =>
    Promise.race([work, ...daemons.map(({ ended }) => ended)]);
  const tool: Tool = (command, ...args) =>
    whileUp(run(command, args, { cwd: folder, env, signal: deadline }));
  const daemon = (command: string, ...args: string[]): void => {
    daemons.push(startDaemon(command, ['-f', ...args], env));
  };
  async function stop(): Promise<void> {
    // Nothing of it is kept.
    await Promise.all(daemons.map((one) => one.stop()));
    await rm(folder, { recursive: true, force: true });
  }

  async function start(): Promise<void> {
    await writeFile(env.CEPH_CONF, configuration({ folder, fsid, monitor, s3 }));
    await makeKeys(folder, tool);
    await tool('monmaptool', '--create', '--fsid', fsid, '--addv', 'a', monitor, 'monmap');
    await tool('ceph-mon', '--mkfs', '-i', 'a', '--monmap', 'monmap', '--keyring', 'mon.keyring');
    daemon('ceph-mon', '-i', 'a');
    const osd = randomUUID();
    // Waits for the monitor.
    await tool('ceph', 'osd', 'new', osd);
    await tool('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', osd);
    daemon('ceph-osd', '-i', '0');
    const user = ['--uid=keystow', '--display-name=keystow'];
    const keys = [`--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`];
    // Makes the gateway's pools, for which it waits for the OSD.
    await tool('radosgw-admin', 'user', 'create', ...user, ...keys);
    daemon('radosgw', '-n', 'client.admin');
    await whileUp(vi.waitFor(() => fetch(url), { timeout: START_MS, interval: 20 }));
  }

  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, accessKeyId, secretAccessKey, stop };
}

/** The monitor's own, the administrator's and the OSD's; the monitor is made with all of them. */
async function makeKeys(folder: string, tool: Tool): Promise<void> {
  const all = ['mon', 'osd', 'mgr'].flatMap((service) => ['--cap', service, 'allow *']);
  const osd = ['--cap', 'mon', 'allow profile osd', '--cap', 'osd', 'allow *'];
  const make = (file: string, name: string, caps: string[]) =>
    tool('ceph-authtool', '--create-keyring', file, '--gen-key', '-n', name, ...caps);
  await mkdir(join(folder, 'osd'));
  await Promise.all([
    make('mon.keyring', 'mon.', ['--cap', 'mon', 'allow *']),
    make('client.admin.keyring', 'client.admin', all),
    make('osd/keyring', 'osd.0', osd),
  ]);
  for (const file of ['client.admin.keyring', 'osd/keyring']) {
    await appendFile(join(folder, 'mon.keyring'), await readFile(join(folder, file)));
  }
}

function configuration(options: {
  readonly folder: string;
  readonly fsid: string;
  readonly monitor: string;
  readonly s3: number;
}): string {
  const { folder, fsid, monitor, s3 } = options;
  return `
[global]
fsid = ${fsid}
mon host = ${monitor}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
run dir = ${folder}
admin socket = ${folder}/$name.$pid.asok
log file = ${folder}/$name.log
crash dir = ${folder}
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
[mon]
mon data = ${folder}/mon
mon allow pool size one = true
# However full this machine's disk is.
mon data avail crit = 0
# By default each change waits a second for others: ten of them to the first answer.
paxos propose interval = 0.05
paxos min wait = 0.01
[osd]
osd data = ${folder}/osd
osd objectstore = memstore
memstore device bytes = 2147483648
[client]
keyring = ${folder}/$name.keyring
rgw frontends = beast endpoint=127.0.0.1:${s3}
`;
}
