import { Command, Option } from 'commander';
import { cannedAcls } from '../s3/canned-acl.ts';
import type { ApiClient } from './api-client.ts';
import { type Bucket, isBucketList } from './bucket-list.ts';
import { addConnectionOptions, type ConnectionOptions, withServer } from './connection.ts';
import { EXIT_FAILED, ExitError } from './exit-error.ts';
import { readJson } from './json-answer.ts';
import { addExamples, notEmpty } from './option-values.ts';
import { remark, writeOut } from './output.ts';
import { printable } from './printable.ts';
import { table } from './table.ts';

const BUCKETS = '/api/buckets';

interface AddOptions extends ConnectionOptions {
  acl?: string;
  update?: boolean;
}

interface ListOptions extends ConnectionOptions {
  json?: boolean;
}

export function bucketCommand(): Command {
  return new Command('bucket')
    .description('add, list and remove buckets; only admins may add and remove')
    .addCommand(addCommand())
    .addCommand(listBucketsCommand())
    .addCommand(removeCommand());
}

function addCommand(): Command {
  const command = new Command('add')
    .description('add a bucket, or change one with --update')
    .argument('<name>', '3 to 63 lower-case letters, digits, dots and hyphens', notEmpty)
    .addOption(
      new Option(
        '--acl <acl>',
        'what those may who have no grant: public-read, list it; public-read-write, also change its objects (default: private)',
      ).choices(cannedAcls),
    )
    .option('--update', 'change the ACL, where it is given, of a bucket that exists')
    .action(add);
  return addExamples(
    addConnectionOptions(command),
    'keystow bucket add photos',
    'keystow bucket add photos --update --acl public-read',
  );
}

function listBucketsCommand(): Command {
  const command = new Command('list')
    .description('print the buckets that your grants cover something of, with their ACLs')
    .option('--json', 'as a JSON array')
    .action(list);
  return addExamples(
    addConnectionOptions(command),
    'keystow bucket list',
    'keystow bucket list --json',
  );
}

function removeCommand(): Command {
  const command = new Command('remove')
    .description('remove a bucket that has no objects')
    .argument('<name>', "the bucket's name", notEmpty)
    .action(remove);
  return addExamples(addConnectionOptions(command), 'keystow bucket remove photos');
}

async function add(name: string, { acl, update, ...connection }: AddOptions): Promise<void> {
  const isNew = await withServer(connection, async (client) => {
    if (update !== true && (await fetchBuckets(client)).some((bucket) => bucket.name === name)) {
      throw new ExitError(
        EXIT_FAILED,
        `${name} exists already; add --update to change the bucket.`,
      );
    }
    const response = await client.expect([200, 201], {
      method: 'PUT',
      path: bucketPath(name),
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ acl })),
    });
    await client.skipBody(response);
    return response.statusCode === 201;
  });
  remark(`${isNew ? 'added' : 'changed'} ${printable(name)}`);
}

async function list(options: ListOptions): Promise<void> {
  const buckets = await withServer(options, fetchBuckets);
  if (options.json === true) {
    await writeOut(`${JSON.stringify(buckets, null, 2)}\n`);
    return;
  }
  const rows = buckets.map(({ name, acl, createdAt }) => [name, acl, createdAt].map(printable));
  await writeOut(table([['NAME', 'ACL', 'CREATED'], ...rows]));
}

async function remove(name: string, options: ConnectionOptions): Promise<void> {
  await withServer(options, async (client) => {
    const request = { method: 'DELETE', path: bucketPath(name) } as const;
    await client.skipBody(await client.expect([200, 204], request));
  });
  remark(`removed ${printable(name)}`);
}

async function fetchBuckets(client: ApiClient): Promise<Bucket[]> {
  const response = await client.expect([200], { method: 'GET', path: BUCKETS });
  return await readJson(client, response, isBucketList, 'list of buckets');
}

function bucketPath(name: string): string {
  return `${BUCKETS}/${encodeURIComponent(name)}`;
}
