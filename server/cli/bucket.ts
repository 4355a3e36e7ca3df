import { Command, Option } from 'commander';
import { cannedAcls } from '../s3/canned-acl.ts';
import { MAX_SAVE_VERSION } from '../s3/save-key.ts';
import type { ApiClient } from './api-client.ts';
import { type Bucket, isBucketList } from './bucket-list.ts';
import { addConnectionOptions, type ConnectionOptions, withServer } from './connection.ts';
import { EXIT_FAILED, ExitError } from './exit-error.ts';
import { readJson } from './json-answer.ts';
import { addExamples, notEmpty, wholeNumber } from './option-values.ts';
import { remark, writeOut } from './output.ts';
import { printable } from './printable.ts';
import { table } from './table.ts';

const BUCKETS = '/api/buckets';

interface AddOptions extends ConnectionOptions {
  acl?: string;
  saves?: boolean;
  /** False for the flag with `no`. */
  savePrefix?: string | false;
  keepVersions?: number | 'all';
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
    .option('--saves', 'for versions of saves: each must follow the latest of its slot')
    .option('--no-saves', 'for objects of any kind, which is the default')
    .option(
      '--save-prefix <prefix>',
      'which saves are meant where a request does not say so, such as 10.GAME_datastore',
      notEmpty,
    )
    .option('--no-save-prefix', 'requests have to say so, which is the default')
    .option(
      '--keep-versions <n>',
      'how many versions of a save are kept, or all (default: all)',
      versionCount,
    )
    .option('--update', 'change what is given of a bucket that exists')
    .action(add);
  return addExamples(
    addConnectionOptions(command),
    'keystow bucket add photos',
    'keystow bucket add photos --update --acl public-read',
    'keystow bucket add consoles --saves --save-prefix 10.GAME_datastore --keep-versions 20',
  );
}

function listBucketsCommand(): Command {
  const command = new Command('list')
    .description('print the buckets that your grants cover something of, with their settings')
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

async function add(name: string, options: AddOptions): Promise<void> {
  const { acl, saves, savePrefix, keepVersions } = options;
  // null takes a setting back.
  const settings = {
    acl,
    saves,
    savePrefix: savePrefix === false ? null : savePrefix,
    keepVersions: keepVersions === 'all' ? null : keepVersions,
  };
  const isNew = await withServer(options, async (client) => {
    if (
      options.update !== true &&
      (await fetchBuckets(client)).some((bucket) => bucket.name === name)
    ) {
      throw new ExitError(
        EXIT_FAILED,
        `${name} exists already; add --update to change the bucket.`,
      );
    }
    const response = await client.expect([200, 201], {
      method: 'PUT',
      path: bucketPath(name),
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(settings)),
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
  const rows = buckets.map((bucket) => {
    const { name, acl, createdAt, savePrefix = '' } = bucket;
    return [name, acl, createdAt, keptSaves(bucket), savePrefix].map(printable);
  });
  await writeOut(table([['NAME', 'ACL', 'CREATED', 'SAVES', 'SAVE PREFIX'], ...rows]));
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

function keptSaves({ saves, keepVersions }: Bucket): string {
  return saves === true
    ? `${keepVersions ?? 'all'} ${keepVersions === 1 ? 'version' : 'versions'}`
    : '';
}

function versionCount(text: string): number | 'all' {
  return text === 'all' ? 'all' : wholeNumber(1, MAX_SAVE_VERSION)(text);
}

function bucketPath(name: string): string {
  return `${BUCKETS}/${encodeURIComponent(name)}`;
}
