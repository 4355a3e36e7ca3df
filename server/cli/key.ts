import { Command } from 'commander';
import { addConnectionOptions, type ConnectionOptions, withServer } from './connection.ts';
import { readJson } from './json-answer.ts';
import { isAccessKeyList, isKeyPair } from './key-answers.ts';
import { addExamples, notEmpty } from './option-values.ts';
import { remark, writeOut } from './output.ts';
import { printable } from './printable.ts';
import { readStdinSecret } from './stdin-secret.ts';
import { table } from './table.ts';

const ACCESS_KEYS = '/api/access-keys';

interface AddOptions extends ConnectionOptions {
  for?: string;
  id?: string;
  secretStdin?: boolean;
  json?: boolean;
}

interface ListOptions extends ConnectionOptions {
  json?: boolean;
}

export function keyCommand(): Command {
  return new Command('key')
    .description('add, list and remove access keys, which sign requests and forms of S3')
    .addCommand(addCommand())
    .addCommand(listKeysCommand())
    .addCommand(removeCommand());
}

function addCommand(): Command {
  const command = new Command('add')
    .description('add an access key and print it with its secret, once')
    .option('--for <name>', 'the user that it speaks for; admins only (default: you)', notEmpty)
    .option('--id <id>', 'the id of the key (default: one is made)', notEmpty)
    .option('--secret-stdin', 'read the secret from standard input; otherwise one is made')
    .option('--json', 'as a JSON object')
    .action(add);
  return addExamples(
    addConnectionOptions(command),
    'keystow key add',
    'keystow key add --for ada --json > ada.json',
    'keystow key add --id uploader --secret-stdin < secret.txt',
  );
}

function listKeysCommand(): Command {
  const command = new Command('list')
    .description('print your access keys without their secrets; an admin sees those of all users')
    .option('--json', 'as a JSON array')
    .action(list);
  return addExamples(addConnectionOptions(command), 'keystow key list', 'keystow key list --json');
}

function removeCommand(): Command {
  const command = new Command('remove')
    .description('remove an access key: what it signed counts no more')
    .argument('<id>', 'the id of the key', notEmpty)
    .action(remove);
  return addExamples(addConnectionOptions(command), 'keystow key remove uploader');
}

async function add(options: AddOptions): Promise<void> {
  const pair = await withServer(options, async (client) => {
    const input = {
      user: options.for,
      accessKeyId: options.id,
      secretAccessKey: options.secretStdin === true ? await readStdinSecret('secret') : undefined,
    };
    const response = await client.expect([200, 201], {
      method: 'POST',
      path: ACCESS_KEYS,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(input)),
    });
    return await readJson(client, response, isKeyPair, 'access key');
  });
  const { accessKeyId, secretAccessKey } = pair;
  await writeOut(
    options.json === true
      ? `${JSON.stringify(pair, null, 2)}\n`
      : `accessKeyId ${printable(accessKeyId)}\nsecretAccessKey ${printable(secretAccessKey)}\n`,
  );
  remark(`added an access key of ${printable(pair.user)}; its secret is not shown again`);
}

async function list(options: ListOptions): Promise<void> {
  const keys = await withServer(options, async (client) => {
    const response = await client.expect([200], { method: 'GET', path: ACCESS_KEYS });
    return await readJson(client, response, isAccessKeyList, 'list of access keys');
  });
  if (options.json === true) {
    await writeOut(`${JSON.stringify(keys, null, 2)}\n`);
    return;
  }
  const rows = keys.map(({ accessKeyId, user, createdAt }) =>
    [accessKeyId, user, createdAt].map(printable),
  );
  await writeOut(table([['ACCESS KEY', 'USER', 'CREATED'], ...rows]));
}

async function remove(id: string, options: ConnectionOptions): Promise<void> {
  const path = `${ACCESS_KEYS}/${encodeURIComponent(id)}`;
  await withServer(options, async (client) => {
    await client.skipBody(await client.expect([200, 204], { method: 'DELETE', path }));
  });
  remark(`removed ${printable(id)}`);
}
