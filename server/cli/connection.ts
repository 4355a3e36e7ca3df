import { type Command, Option } from 'commander';
import { ApiClient, type Connection } from './api-client.ts';
import { EXIT_USAGE, ExitError } from './exit-error.ts';
import { askHidden } from './hidden-input.ts';
import { DEVELOPMENT_CERTIFICATE, type TrustOptions, trustFor } from './trust.ts';

const DEFAULT_URL = 'https://localhost:6375';
const DEFAULT_USER = 'admin';

export interface ConnectionOptions extends TrustOptions {
  url: string;
  user: string;
  password?: string;
}

/** Gives a command the options that every client command has. */
export function addConnectionOptions(command: Command): Command {
  const options = [
    new Option('--url <url>', 'the server').default(DEFAULT_URL).env('KEYSTOW_URL'),
    new Option('--user <name>', 'who you are there').default(DEFAULT_USER).env('KEYSTOW_USER'),
    new Option(
      '--password <password>',
      'your password; other users of this machine can see flags, so prefer the variable. Neither given: asked for on a terminal',
    ).env('KEYSTOW_PASSWORD'),
    new Option(
      '--ca <file>',
      `trust the certificates of this PEM file instead of the system's (default for localhost: ${DEVELOPMENT_CERTIFICATE} too, if it exists)`,
    ).env('KEYSTOW_CA'),
    // commander would take any value of the variable for yes, `0` too: it is read below.
    new Option('--insecure', "do not verify the server's certificate (env: KEYSTOW_INSECURE=1)"),
  ];
  for (const option of options) {
    command.addOption(option.helpGroup('Connection:'));
  }
  return command;
}

/** Connects as the options say, does the work, and lets go of the connections. */
export async function withServer<T>(
  options: ConnectionOptions,
  work: (client: ApiClient) => Promise<T>,
): Promise<T> {
  const client = new ApiClient(await resolveConnection(options));
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

async function resolveConnection(options: ConnectionOptions): Promise<Connection> {
  // A variable that is set to nothing counts as not set, as in `keystow serve`.
  const baseUrl = parseBaseUrl(options.url || DEFAULT_URL);
  const user = options.user || DEFAULT_USER;
  if (user.includes(':')) {
    throw new ExitError(EXIT_USAGE, '--user must be a name without a colon.');
  }
  const trust = trustFor(baseUrl, options);
  const password = options.password || (await askPassword(user, baseUrl));
  return { baseUrl, user, password, ...trust };
}

function parseBaseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new ExitError(
      EXIT_USAGE,
      `--url must begin with https:// or http:// and name a host, such as https://localhost:6375.`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new ExitError(
      EXIT_USAGE,
      'give the user and the password by KEYSTOW_USER and KEYSTOW_PASSWORD, not in --url.',
    );
  }
  return url;
}

async function askPassword(user: string, baseUrl: URL): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new ExitError(
      EXIT_USAGE,
      `no password: put the one of ${user} into the variable KEYSTOW_PASSWORD.`,
    );
  }
  return await askHidden(`Password of ${user} at ${baseUrl.origin}: `);
}
