import { Command, InvalidArgumentError, Option } from 'commander';
import type { ApiClient } from './api-client.ts';
import { addConnectionOptions, type ConnectionOptions, withServer } from './connection.ts';
import { EXIT_FAILED, ExitError } from './exit-error.ts';
import { readJson } from './json-answer.ts';
import { type NewPasswordOptions, newPassword } from './new-password.ts';
import { addExamples } from './option-values.ts';
import { remark, writeOut } from './output.ts';
import { printable } from './printable.ts';
import { table } from './table.ts';
import { type Grant, isUserList, type User } from './user-list.ts';

interface AddOptions extends ConnectionOptions, NewPasswordOptions {
  role?: User['role'];
  grant?: Grant[];
  update?: boolean;
}

interface ListOptions extends ConnectionOptions {
  json?: boolean;
}

export function userCommand(): Command {
  return new Command('user')
    .description('add, list and remove users; only admins may')
    .addCommand(addCommand())
    .addCommand(listUsersCommand())
    .addCommand(removeCommand());
}

function addCommand(): Command {
  const command = new Command('add')
    .description('add a user, or change one with --update')
    .argument('<name>', 'up to 64 characters, no colon')
    .addOption(
      new Option(
        '--role <role>',
        'admin may do everything, member what grants say (default: member)',
      ).choices(['admin', 'member']),
    )
    .option(
      '--grant <access:prefix>',
      'read:PREFIX or write:PREFIX, may be repeated; a document KEY is data/KEY there, an object BUCKET/KEY, and write includes read',
      collectGrants,
    )
    .option(
      '--update',
      'change what is given of a user that exists; grants replace all present ones',
    )
    .addOption(
      new Option('--generate', 'make a password and print it, once').conflicts('passwordStdin'),
    )
    .option(
      '--password-stdin',
      'read the new password from standard input; otherwise it is KEYSTOW_NEW_PASSWORD, or asked for on a terminal',
    )
    .action(add);
  return addExamples(
    addConnectionOptions(command),
    'keystow user add ada --generate --grant write:data/players/ada/',
    'keystow user add ada --update --grant read:data/ --grant write:data/players/',
  );
}

function listUsersCommand(): Command {
  const command = new Command('list')
    .description('print the users with their roles and grants')
    .option('--json', 'as a JSON array')
    .action(list);
  return addExamples(
    addConnectionOptions(command),
    'keystow user list',
    'keystow user list --json',
  );
}

function removeCommand(): Command {
  const command = new Command('remove')
    .description('remove a user and its access keys; its documents stay')
    .argument('<name>', "the user's name")
    .action(remove);
  return addExamples(addConnectionOptions(command), 'keystow user remove ada');
}

async function add(name: string, options: AddOptions): Promise<void> {
  await withServer(options, async (client) => {
    const present = (await fetchUsers(client)).find((user) => user.name === name);
    if (present !== undefined && options.update !== true) {
      throw new ExitError(EXIT_FAILED, `${name} exists already; add --update to change the user.`);
    }
    const password = await newPassword(name, options, present !== undefined);
    const user = {
      password,
      role: options.role ?? present?.role ?? 'member',
      grants: options.grant ?? present?.grants ?? [],
    };
    const response = await client.expect([200, 201, 204], {
      method: 'PUT',
      path: userPath(name),
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(user)),
    });
    await client.skipBody(response);
    remark(`${present === undefined ? 'added' : 'changed'} ${printable(name)} (${user.role})`);
    if (options.generate === true) {
      await writeOut(`${password}\n`);
    }
  });
}

async function list(options: ListOptions): Promise<void> {
  const users = await withServer(options, fetchUsers);
  if (options.json === true) {
    await writeOut(`${JSON.stringify(users, null, 2)}\n`);
    return;
  }
  const rows = users.map(({ name, role, grants }) => [
    printable(name),
    role,
    grants.map(({ access, prefix }) => `${access}:${printable(prefix)}`).join(' '),
  ]);
  await writeOut(table([['NAME', 'ROLE', 'GRANTS'], ...rows]));
}

async function remove(name: string, options: ConnectionOptions): Promise<void> {
  await withServer(options, async (client) => {
    const request = { method: 'DELETE', path: userPath(name) } as const;
    await client.skipBody(await client.expect([200, 204], request));
  });
  remark(`removed ${printable(name)}`);
}

async function fetchUsers(client: ApiClient): Promise<User[]> {
  const response = await client.expect([200], { method: 'GET', path: '/api/users' });
  return await readJson(client, response, isUserList, 'list of users');
}

function userPath(name: string): string {
  return `/api/users/${encodeURIComponent(name)}`;
}

function collectGrants(text: string, previous: Grant[] = []): Grant[] {
  const [, access, prefix] = /^(read|write):(.*)$/s.exec(text) ?? [];
  if ((access !== 'read' && access !== 'write') || prefix === undefined) {
    throw new InvalidArgumentError('It must be read:PREFIX or write:PREFIX.');
  }
  return [...previous, { prefix, access }];
}
