import { existsSync, readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { type Command, Option } from 'commander';
import { ApiClient, type Connection } from './api-client.ts';
import { EXIT_USAGE, ExitError, fileError } from './exit-error.ts';
import { askHidden } from './hidden-input.ts';

/** The certificate that `keystow serve` makes where none is configured. */
const DEVELOPMENT_CERTIFICATE = 'certs/server.crt';
const DEFAULT_URL = 'https://localhost:6375';
const DEFAULT_USER = 'admin';
const loopbackHosts: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

export interface ConnectionOptions {
  url: string;
  user: string;
  password?: string;
  ca?: string;
  insecure?: boolean;
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
  const insecure = options.insecure === true || process.env['KEYSTOW_INSECURE'] === '1';
  const ca = trustedCertificates(baseUrl, options.ca);
  const password = options.password || (await askPassword(user, baseUrl));
  return { baseUrl, user, password, insecure, ...(ca === undefined ? {} : { ca }) };
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

function trustedCertificates(baseUrl: URL, caFile: string | undefined): string[] | undefined {
  if (baseUrl.protocol !== 'https:') {
    return undefined;
  }
  if (caFile) {
    return [readCertificate(caFile)];
  }
  if (loopbackHosts.includes(baseUrl.hostname) && existsSync(DEVELOPMENT_CERTIFICATE)) {
    return [...rootCertificates, readCertificate(DEVELOPMENT_CERTIFICATE)];
  }
  return undefined;
}

function readCertificate(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw fileError('read the certificates in', file, error);
  }
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
