import { rm } from 'node:fs/promises';
import { vi } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { makeFolder } from '../support/make-folder.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

/** Processes of one store on ports of their own, behind a plain load balancer. */
export interface NodeGroup {
  /** Of the balancer. */
  readonly url: string;
  readonly nodes: readonly GroupNode[];
  stop(): Promise<void>;
}

export interface GroupNode {
  readonly url: string;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  terminate(): Promise<number | null>;
  /** On the port that it had; resolves once it is ready. */
  start(): Promise<void>;
  /** 503 where it is alive without a store, or is stopping; undefined where nothing answers. */
  readiness(): Promise<number | undefined>;
  /** Whether it runs, or was ended by its test. */
  isAsLeft(): boolean;
  /** Of all of its processes. */
  log(): string;
}

const WAIT = { timeout: 120_000, interval: 50 };

export async function startNodeGroup(
  env: Record<string, string>,
  size: number,
): Promise<NodeGroup> {
  const ports = await Promise.all(Array.from({ length: size }, () => freePort()));
  const nodes = ports.map((port) => createNode(port, env));
  // At once, as whatever runs them would.
  await Promise.all(nodes.map((node) => node.start()));
  const balancer = await startTcpProxy({ ports });
  return {
    url: `http://127.0.0.1:${balancer.port}`,
    nodes,
    async stop() {
      await balancer.stop();
      await Promise.all(nodes.map((node) => node.kill()));
    },
  };
}

function createNode(port: number, env: Record<string, string>): GroupNode {
  const url = `http://127.0.0.1:${port}`;
  let logs = '';
  let running: ServerProcess | undefined;

  async function readiness(): Promise<number | undefined> {
    return fetch(`${url}/api/health?ready`).then(
      ({ status }) => status,
      () => undefined,
    );
  }

  async function end<T>(how: (process: ServerProcess) => Promise<T>): Promise<T | undefined> {
    const ending = running;
    if (!ending) return undefined;
    running = undefined;
    const result = await how(ending);
    logs += ending.log();
    await rm(ending.folder, { recursive: true, force: true });
    return result;
  }

  return {
    url,
    readiness,
    async kill() {
      await end((ending) => ending.kill());
    },
    async terminate() {
      return (await end((ending) => ending.stop({ keep: true }))) ?? null;
    },
    async start() {
      const folder = await makeFolder();
      running = await startProcess({
        folder,
        env: { ...env, PORT: String(port), LOG_LEVEL: 'warn' },
      });
      await vi.waitUntil(async () => (await readiness()) === 200, WAIT);
    },
    isAsLeft: () =>
      running === undefined ||
      (running.child.exitCode === null && running.child.signalCode === null),
    log: () => logs + (running?.log() ?? ''),
  };
}
