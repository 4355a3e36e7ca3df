import { Command, Option } from 'commander';
import { ConfigError, parseConfig, type Setting, settings } from '../config.ts';

/** `keystow serve`: every setting is an environment variable, and a flag unless it is a secret. */
export function serveCommand(): Command {
  const command = new Command('serve')
    .description('start the server')
    .addHelpText('after', environmentHelp());
  for (const setting of settings) {
    const option = new Option(`--${kebab(setting.name)} <value>`, describe(setting));
    // A secret is no flag, but whoever tries is told where it belongs.
    command.addOption('isSecret' in setting ? option.hideHelp() : option);
  }
  return command.action(async (flags: Record<string, string>) => {
    await serve(flags);
  });
}

async function serve(flags: Record<string, string>): Promise<void> {
  // First of all: what is process 1 of a container gets no signal that it has no handler for.
  const stopped = waitForStop();
  try {
    for (const setting of settings) {
      if (!('isSecret' in setting) || flags[camel(setting.name)] === undefined) continue;
      throw new ConfigError(
        `${setting.name} is a secret, and others can see flags: give it in the environment, or name a file in ${setting.name}_FILE.`,
      );
    }
    if (flags['store']?.includes(':')) {
      throw new ConfigError(
        'A database URL is given in STORE or STORE_FILE: others can see flags.',
      );
    }
    const byName = settings.map(({ name }) => [name, flags[camel(name)]] as const);
    const config = parseConfig(Object.fromEntries(byName), process.env);
    // Only here: the other commands start quicker without the server.
    const { createLog } = await import('../log.ts');
    const { startServer } = await import('../main.ts');
    const log = await createLog(config.logLevel);
    const server = await startServer(config, log, print);
    for (const url of server.urls) print(`keystow listening on ${url}`);
    log.info({ reason: await stopped }, 'stopping');
    await server.close();
    await new Promise<void>((resolve) => log.flush(() => resolve()));
    // Engine.IO's timers for clients that are gone would hold the process for half a minute.
    process.exit(0);
  } catch (error) {
    process.stderr.write(`keystow: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}

/** Resolves with the first signal; a second one ends the process at once. */
function waitForStop(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isStopping = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (isStopping) process.exit(1);
      isStopping = true;
      resolve(signal);
    };
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  });
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function describe(setting: Setting): string {
  const fallback = setting.default === undefined ? '' : ` (default: ${setting.default})`;
  return `${setting.description}${fallback}`;
}

function environmentHelp(): string {
  const secrets = settings.filter((setting) => 'isSecret' in setting);
  return [
    '',
    'Each flag can be given as an environment variable too: --data-dir is DATA_DIR.',
    'Secrets come from the environment, or from a file named by NAME_FILE:',
    ...secrets.map(({ name, description }) => `  ${name.padEnd(18)} ${description}`),
    '',
    'Examples:',
    '  keystow serve',
    '  ADMIN_PASSWORD_FILE=/run/secrets/admin keystow serve --data-dir /var/lib/keystow',
    '  keystow serve --tls off --host 127.0.0.1 --port 8080',
  ].join('\n');
}

function kebab(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

function camel(name: string): string {
  return kebab(name).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
