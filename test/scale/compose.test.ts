import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settings } from '../../server/config.ts';
import { makeFolder } from '../support/make-folder.ts';
import { basic, createRest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type Backends, startBackends } from './cluster.ts';
import {
  type ComposeFile,
  interpolate,
  networksOf,
  readComposeFile,
  sourcesOf,
} from './compose-file.ts';

/** compose.yaml, as far as it can be tried without an engine. */

const compose: ComposeFile = await readComposeFile();
const services = Object.entries(compose.services);
const nodes = services.filter(([, { build }]) => build !== undefined);

describe('compose.yaml', () => {
  it.each(services)('%s refers to what is there', (_, service) => {
    const named = {
      secrets: sourcesOf(service.secrets),
      configs: sourcesOf(service.configs),
      networks: networksOf(service),
      volumes: service.volumes.map((volume) => volume.split(':')[0] ?? ''),
      services: Object.keys(service.depends_on),
    };
    for (const [kind, names] of Object.entries(named)) {
      const known = Object.keys(compose[kind as keyof typeof named]);
      expect(known, kind).toEqual(expect.arrayContaining(names));
    }
    for (const [name, { condition }] of Object.entries(service.depends_on)) {
      const needed = compose.services[name];
      const isChecked = needed?.healthcheck !== undefined || needed?.build !== undefined;
      expect(condition === 'service_healthy' && isChecked, name).toBe(true);
    }
  });

  it.each(services.filter(([, { build }]) => build === undefined))(
    '%s has an image of a certain version',
    (_, { image }) => {
      expect(image).toMatch(/^[a-z/]+:v?\d+(\.\d+)*$/);
    },
  );

  it.each(services)('%s has no password in it, and no default one', (_, { environment }) => {
    for (const [name, value] of Object.entries(environment)) {
      expect(value, name).not.toMatch(/\$(?!\{\w+:\?)/);
      if (/PASSWORD|SECRET|KEY|STORE/.test(name)) {
        expect(value, name).toMatch(/^(\/run\/secrets\/[\w-]+|\$\{\w+:\?[^}]+\})$/);
      }
    }
  });

  it.each(nodes)('%s is given settings that there are, and the secrets they name', (_, node) => {
    const known = settings.flatMap((setting) =>
      'isSecret' in setting || setting.name === 'STORE'
        ? [setting.name, `${setting.name}_FILE`]
        : [setting.name],
    );
    const credentials = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
    expect([...known, ...credentials]).toEqual(
      expect.arrayContaining(Object.keys(node.environment)),
    );
    const files = Object.values(node.environment).filter((value) => value.startsWith('/run/'));
    expect(files.map((file) => file.replace('/run/secrets/', '')).sort()).toEqual(
      sourcesOf(node.secrets).sort(),
    );
  });

  it('its balancer has the set-up that docs/scaling.md prints, with the nodes’ addresses', async () => {
    const setup = await readFile('docs/haproxy.cfg', 'utf8');
    expect(await readFile('docs/scaling.md', 'utf8')).toContain(`\`\`\`haproxy\n${setup}\`\`\`\n`);
    const servers = [...setup.matchAll(/^ +server (\S+) (\S+):6375 /gm)];
    expect(servers.map(([, name, address]) => [name, address])).toEqual(
      nodes.map(([name, { networks }]) => [
        name,
        Array.isArray(networks) ? undefined : networks['nodes']?.ipv4_address,
      ]),
    );
    expect(compose.services['balancer']?.secrets).toContainEqual({
      source: 'certificate',
      target: /ssl crt (\S+)/.exec(setup)?.[1],
    });
  });
});

describe('the nodes of compose.yaml, with what docs/deploying.md has one prepare', () => {
  let folder: string;
  let backends: Backends;
  let running: TestServer[] = [];
  let password: string;

  beforeAll(async () => {
    folder = await makeFolder();
    await prepare(folder);
    const variables = Object.fromEntries(
      (await readFile(join(folder, '.env'), 'utf8'))
        .trim()
        .split('\n')
        .map((line) => line.split('=') as [string, string]),
    );
    password = (await readFile(join(folder, 'secrets/admin-password'), 'utf8')).trim();
    backends = await startBackends();
    const { STORE, BLOBS, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = await backends.settings();
    running = await Promise.all(
      nodes.map(([, { environment }]) => {
        const { STORE_FILE: _, ...env } = Object.fromEntries(
          Object.entries(environment).map(([name, value]) => [
            name,
            interpolate(value, variables).replace('/run/', `${folder}/`),
          ]),
        );
        // These tests' own backends, at other addresses.
        const elsewhere = { STORE, BLOBS, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY };
        return startServer({ env: { ...env, ADMIN_PASSWORD: '', ...dropUndefined(elsewhere) } });
      }),
    );
  });

  afterAll(async () => {
    await Promise.all(running.map((node) => node.stop()));
    await backends?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('every secret and every variable of the file is prepared', async () => {
    const files = Object.values(compose.secrets).map(({ file }) => file);
    const contents = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
    expect(contents.map((content) => content.length > 20)).toEqual(files.map(() => true));
    const [database, store] = ['postgres-password', 'store'].map(
      (name) => contents[files.indexOf(`./secrets/${name}`)]?.trim() ?? '',
    );
    expect(new URL(store ?? '')).toMatchObject({ password: database, hostname: 'postgres' });
  });

  it('what one stores, all others have; and answers name the balancer', async () => {
    const headers = { authorization: basic('admin', password) };
    const asks = running.map(({ url }) => createRest(url));
    expect(asks).toHaveLength(3);
    const posted = await asks[0]?.('POST', '/data/players/ada', { level: 3 }, headers);
    expect(posted?.status, posted?.text).toBe(201);
    for (const ask of asks) {
      expect(await ask('GET', '/data/players/ada', undefined, headers)).toMatchObject({
        json: { level: 3 },
      });
      const form = await ask('POST', '/api/v2/s3/create_signed_url', {}, headers);
      expect(form.json).toMatchObject({ data: { url: 'https://saves.example/uploads' } });
    }
  });
});

function dropUndefined(record: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

async function prepare(cwd: string): Promise<void> {
  const [, commands = ''] = (await readFile('docs/deploying.md', 'utf8')).split('```sh\n');
  const script = commands.slice(0, commands.indexOf('```'));
  await promisify(execFile)('bash', ['-euc', script], { cwd });
}
