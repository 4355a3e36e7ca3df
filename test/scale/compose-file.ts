import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';

/** What this project uses of the Compose specification (compose-spec.io), strictly: a misspelt key is refused. */

const names = z.array(z.string());
const mounted = z.array(
  z.union([z.string(), z.strictObject({ source: z.string(), target: z.string() })]),
);
const conditions = z.enum(['service_started', 'service_healthy', 'service_completed_successfully']);
const addressed = z.strictObject({ ipv4_address: z.ipv4() });
const duration = z.string().regex(/^(\d+(ms|s|m|h))+$/);

const service = z.strictObject({
  build: z.string().optional(),
  image: z.string(),
  command: names.optional(),
  restart: z.enum(['no', 'always', 'on-failure', 'unless-stopped']),
  depends_on: z.record(z.string(), z.strictObject({ condition: conditions })).default({}),
  read_only: z.boolean().optional(),
  tmpfs: names.optional(),
  cap_drop: names.optional(),
  security_opt: names.optional(),
  stop_grace_period: duration.optional(),
  secrets: mounted.default([]),
  configs: mounted.default([]),
  environment: z.record(z.string().regex(/^[A-Z0-9_]+$/), z.string()).default({}),
  ports: z.array(z.string().regex(/^\d+:\d+$/)).default([]),
  volumes: z.array(z.string().regex(/^[\w-]+:\/[\w/]+$/)).default([]),
  networks: z.union([names, z.record(z.string(), addressed)]),
  healthcheck: z
    .strictObject({
      test: z.tuple([z.enum(['CMD', 'CMD-SHELL'])]).rest(z.string()),
      interval: duration,
      start_period: duration,
    })
    .optional(),
});

const composeFile = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]*$/),
  'x-node': z.unknown(),
  services: z.record(z.string(), service),
  networks: z.record(
    z.string(),
    z.strictObject({
      internal: z.boolean().optional(),
      ipam: z
        .strictObject({
          config: z.array(z.strictObject({ subnet: z.cidrv4(), ip_range: z.cidrv4() })),
        })
        .optional(),
    }),
  ),
  volumes: z.record(z.string(), z.strictObject({})),
  configs: z.record(
    z.string(),
    z.union([z.strictObject({ file: z.string() }), z.strictObject({ content: z.string() })]),
  ),
  secrets: z.record(z.string(), z.strictObject({ file: z.string() })),
});

export type ComposeService = z.infer<typeof service>;
export type ComposeFile = z.infer<typeof composeFile>;

export async function readComposeFile(): Promise<ComposeFile> {
  return composeFile.parse(parse(await readFile('compose.yaml', 'utf8'), { merge: true }));
}

/** The names in a list of secrets or configurations. */
export function sourcesOf(mounts: ComposeService['secrets']): string[] {
  return mounts.map((mount) => (typeof mount === 'string' ? mount : mount.source));
}

export function networksOf({ networks }: ComposeService): string[] {
  return Array.isArray(networks) ? networks : Object.keys(networks);
}

/** As Compose does with `${NAME:?…}`, the only form that the file may use. */
export function interpolate(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{(\w+):\?[^}]*\}/g, (_, name: string) => {
    const value = variables[name];
    if (!value) throw new Error(`compose.yaml needs ${name}, which is not given.`);
    return value;
  });
}
