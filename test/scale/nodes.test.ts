import { createHash, randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD } from '../support/environment.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type Backends, startBackends } from './cluster.ts';

/** Three nodes on one PostgreSQL and one S3 server: a client cannot tell which of them it speaks to. */

const KEY = { accessKeyId: 'AKIDADMIN00000000001', secretAccessKey: 'admin-secret-of-three-nodes' };

let backends: Backends;
let nodes: TestServer[];
let rest: Rest[];

beforeAll(async () => {
  backends = await startBackends();
  const env = {
    ...(await backends.settings()),
    ACCESS_KEY_ID: KEY.accessKeyId,
    SECRET_ACCESS_KEY: KEY.secretAccessKey,
  };
  // At once, on an empty database.
  nodes = await Promise.all([0, 1, 2].map(() => startServer({ env })));
  rest = nodes.map(({ url }) => createRest(url));
});

afterAll(async () => {
  await Promise.all((nodes ?? []).map((node) => node.stop()));
  await backends?.stop();
});

function at<T>(all: readonly T[], index: number): T {
  const one = all[index % all.length];
  if (one === undefined) throw new Error('There is none.');
  return one;
}

function s3(node: number): S3Client {
  return new S3Client({
    endpoint: at(nodes, node).url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: KEY,
  });
}

describe('documents', () => {
  it('written through one node are there through the others', async () => {
    const made = await at(rest, 0)('POST', '/data/shared', { n: 1 });
    expect(made.status).toBe(201);
    for (const ask of rest) {
      const { status, json, headers } = await ask('GET', '/data/shared');
      expect([status, json, headers.get('etag')]).toEqual([
        200,
        { n: 1 },
        made.headers.get('etag'),
      ]);
    }
  });

  it('are created once, however many nodes are asked at once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, i) => at(rest, i)('POST', `/data/once-${round}`, { i })),
      );
      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses).toEqual([201, ...Array.from({ length: 11 }, () => 406)]);
    }
  });

  it('of batches are changed whole, through whichever node', async () => {
    const keys = Array.from({ length: 8 }, (_, n) => `batched/${n}`);
    const members = keys.map((key) => ({ url: `/data/${key}`, method: 'POST' }));
    expect((await at(rest, 0)('POST', '/api/batch', members)).status).toBe(200);
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, by) => {
        const patches = keys.map((key) => ({
          url: `/data/${key}`,
          method: 'PATCH',
          data: { by, [`m${by}`]: by },
        }));
        return at(rest, by)('POST', '/api/batch', by % 2 ? patches : patches.reverse());
      }),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const stored = await Promise.all(
      keys.map((key, node) => at(rest, node)('GET', `/data/${key}`).then(({ json }) => json)),
    );
    expect(Object.keys(Object(stored[0]))).toHaveLength(31);
    for (const document of stored) expect(document).toEqual(stored[0]);
  });

  it('lose no concurrent patch', async () => {
    await at(rest, 0)('POST', '/data/patched', {});
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) => at(rest, i)('PATCH', '/data/patched', { [`p${i}`]: i })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 30 }, () => 200));
    const { json } = await at(rest, 1)('GET', '/data/patched');
    expect(Object.keys(json as object)).toHaveLength(30);
  });

  it('take numbers of one sequence, each once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => at(rest, i)('POST', `/data/numbered-${i}`, {})),
    );
    const etags = answers.map(({ headers }) => headers.get('etag'));
    expect(new Set(etags).size).toBe(60);
  });
});

describe('users', () => {
  it('are out at once on every node when they are deleted, and so are their cached credentials', async () => {
    const asMia = nodes.map(({ url }) => createRest(url, 'mia', 'mia-password'));
    await at(rest, 0)('PUT', '/api/users/mia', {
      password: 'mia-password',
      role: 'member',
      grants: [{ prefix: 'data/mia/', access: 'write' }],
    });
    for (const ask of asMia)
      expect((await ask('POST', `/data/mia/${randomBytes(4).toString('hex')}`, {})).status).toBe(
        201,
      );
    expect((await at(rest, 1)('DELETE', '/api/users/mia')).status).toBe(204);
    for (const ask of asMia) {
      expect((await ask('GET', '/data?prefix=mia/')).status).toBe(401);
      expect((await ask('POST', '/data/mia/late', {})).status).toBe(401);
    }
  });

  it('have other grants at once, without being asked to sign in again', async () => {
    const asNoa = nodes.map(({ url }) => createRest(url, 'noa', 'noa-password'));
    const put = (prefix: string) =>
      at(rest, 2)('PUT', '/api/users/noa', {
        password: 'noa-password',
        role: 'member',
        grants: [{ prefix, access: 'read' }],
      });
    await put('data/a/');
    await at(rest, 0)('POST', '/data/a/1', {});
    await at(rest, 0)('POST', '/data/b/1', {});
    for (const ask of asNoa) {
      expect((await ask('GET', '/data/a/1')).status).toBe(200);
      expect((await ask('GET', '/data/b/1')).status).toBe(403);
    }
    await put('data/b/');
    for (const ask of asNoa) {
      expect((await ask('GET', '/data/b/1')).status).toBe(200);
      expect((await ask('GET', '/data/a/1')).status).toBe(403);
    }
  });
});

describe('objects', () => {
  it.each([10, 65_537, 6_000_000])('of %i bytes are whole through every node', async (size) => {
    const bytes = randomBytes(size);
    const path = `/uploads/size-${size}`;
    const sent = await fetch(at(nodes, 0).url + path, {
      method: 'PUT',
      headers: { authorization: `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}` },
      body: bytes,
    });
    expect(sent.status).toBe(200);
    for (let node = 0; node < 3; node += 1) {
      const key = path.slice('/uploads/'.length);
      const { Body } = await s3(node).send(new GetObjectCommand({ Bucket: 'uploads', Key: key }));
      const read = Buffer.from((await Body?.transformToByteArray()) ?? []);
      expect(read.equals(bytes)).toBe(true);
    }
  });

  it('are put together of parts that went to different nodes', async () => {
    const target = { Bucket: 'uploads', Key: 'parts' };
    const bodies = [5_242_880, 5_242_880, 1_000].map((size) => randomBytes(size));
    const { UploadId } = await s3(0).send(new CreateMultipartUploadCommand(target));
    const Parts = await Promise.all(
      bodies.map(async (Body, i) => {
        const part = { ...target, UploadId, PartNumber: i + 1 };
        const { ETag } = await s3(i).send(new UploadPartCommand({ ...part, Body }));
        return { ETag, PartNumber: i + 1 };
      }),
    );
    const complete = { ...target, UploadId, MultipartUpload: { Parts } };
    await s3(1).send(new CompleteMultipartUploadCommand(complete));
    const { Body } = await s3(2).send(new GetObjectCommand(target));
    const hash = createHash('sha256').update((await Body?.transformToByteArray()) ?? '');
    expect(hash.digest('hex')).toBe(
      createHash('sha256').update(Buffer.concat(bodies)).digest('hex'),
    );
  });

  it('of a bucket with saves are numbered one after another, whichever nodes take them', async () => {
    await at(rest, 0)('PUT', '/api/buckets/saves', { saves: true, savePrefix: 'game' });
    for (let version = 1; version <= 6; version += 1) {
      const key = `game/ds/1/data/00000000001-${String(version).padStart(5, '0')}`;
      const answers = await Promise.all(
        nodes.map((node, i) =>
          fetch(`${node.url}/saves/${key}`, {
            method: 'PUT',
            headers: {
              authorization: `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}`,
            },
            body: `version ${version} of node ${i}`,
          }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 403, 403]);
    }
  });
});
