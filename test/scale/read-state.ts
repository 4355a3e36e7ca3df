import pg from 'pg';
import { createRest } from '../support/rest.ts';
import type { Change, State } from './check-writes.ts';
import { markOf } from './marked-bytes.ts';
import { createNodeClient, type NodeClient } from './node-client.ts';
import { OBJECTS_BUCKET, SAVES_BUCKET, versionsIn } from './workload.ts';
import type { Write } from './write-ledger.ts';

/** All that was written, as one node shows it. */
export async function readState(url: string, writes: readonly Write[]): Promise<State> {
  const client = createNodeClient(url);
  const keysOf = (kind: Write['kind']) => [
    ...new Set(writes.filter((write) => write.kind === kind).map(({ key }) => key)),
  ];
  try {
    const objects = keysOf('object').map(
      async (key) =>
        [key, await readMark(client, `/${OBJECTS_BUCKET}/${key}`)] satisfies [string, unknown],
    );
    const slots = keysOf('save').map(
      async (slot) => [slot, await readSlot(client, slot)] satisfies [string, unknown],
    );
    return {
      documents: await readDocuments(url),
      slots: new Map(await Promise.all(slots)),
      objects: new Map(await Promise.all(objects)),
    };
  } finally {
    client.close();
  }
}

async function readDocuments(url: string): Promise<State['documents']> {
  const accept = 'application/x-ndjson';
  const { text } = await createRest(url)('GET', '/data', undefined, { accept });
  const lines = text.split('\n').filter((line) => line !== '');
  return new Map(
    lines.map((line) => {
      const { key, etag, value } = JSON.parse(line);
      return [key, { sequence: Number(etag.slice(1, -1)), marks: Object.keys(value) }];
    }),
  );
}

async function readSlot(client: NodeClient, slot: string) {
  const path = `/api/saves/${SAVES_BUCKET}/${slot}`;
  const listed = await client.send('GET', path);
  if (listed?.status === 404) return [];
  if (listed?.status !== 200) throw new Error(`GET ${path}: ${listed?.status}`);
  const versions = versionsIn(listed.body).sort((a, b) => a - b);
  return Promise.all(
    versions.map(async (version) => ({
      version,
      mark: await readMark(client, `${path}/${version}`),
    })),
  );
}

async function readMark(client: NodeClient, path: string): Promise<string | undefined> {
  const answer = await client.send('GET', path);
  if (answer?.status === 404) return undefined;
  if (answer?.status !== 200) throw new Error(`GET ${path}: ${answer?.status} ${answer?.body}`);
  return markOf(answer.body);
}

/** The change log, from the database itself. */
export async function readChanges(databaseUrl: string): Promise<Change[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ sequence: string; key: Buffer }>(
      'select sequence, key from keystow_changes order by sequence',
    );
    return rows.map(({ sequence, key }) => ({ sequence: Number(sequence), key: key.toString() }));
  } finally {
    await client.end();
  }
}
