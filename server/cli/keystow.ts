#!/usr/bin/env node
import { inspect } from 'node:util';
import { Command, CommanderError } from 'commander';
import { version } from '../version.ts';
import { EXIT_FAILED, EXIT_USAGE, ExitError } from './exit-error.ts';
import { printable } from './printable.ts';

const firstSteps = `
Client commands speak to a running server, https://localhost:6375 as the user admin unless told
otherwise. Each has its own --help, with examples:
  keystow serve
  export KEYSTOW_PASSWORD=…
  echo '{"level": 3}' | keystow put players/ada
  keystow get players/ada
  keystow bucket add photos
  keystow upload cat.png photos/
  keystow key add --for ada`;

const commands: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./serve.ts')).serveCommand(),
  get: async () => (await import('./get.ts')).getCommand(),
  put: async () => (await import('./put.ts')).putCommand(),
  list: async () => (await import('./list.ts')).listCommand(),
  delete: async () => (await import('./delete.ts')).deleteCommand(),
  import: async () => (await import('./import.ts')).importCommand(),
  export: async () => (await import('./export.ts')).exportCommand(),
  user: async () => (await import('./user.ts')).userCommand(),
  key: async () => (await import('./key.ts')).keyCommand(),
  bucket: async () => (await import('./bucket.ts')).bucketCommand(),
  upload: async () => (await import('./upload.ts')).uploadCommand(),
  health: async () => (await import('./health.ts')).healthCommand(),
  backup: async () => (await import('./backup.ts')).backupCommand(),
  restore: async () => (await import('./restore.ts')).restoreCommand(),
  migrate: async () => (await import('./migrate.ts')).migrateCommand(),
  sign: async () => (await import('./sign.ts')).signCommand(),
};

const exitCodes = `
Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 the server cannot be reached.`;

async function createProgram(): Promise<Command> {
  const program = new Command('keystow')
    .description(
      'An authenticated store of JSON documents and of uploads: the server, and its client.',
    )
    .version(version)
    .addHelpText('after', firstSteps)
    .addHelpText('afterAll', exitCodes)
    .configureOutput({
      outputError: (text, write) =>
        write(text.replace(/^error: /, 'keystow: ').replace(/'(--[\w-]+)=.*'/s, "'$1'")),
    })
    .showHelpAfterError('Add --help to see how it is used.')
    .exitOverride();
  // Only the one that is asked for: loading them all takes longer than most of them run.
  const [name = ''] = process.argv.slice(2);
  const asked = Object.hasOwn(commands, name) ? [name] : Object.keys(commands);
  for (const load of asked.map((each) => commands[each])) {
    if (load) program.addCommand(inheritSettings(await load(), program));
  }
  return program;
}

/** `addCommand` leaves a command made elsewhere without its parent's settings. */
function inheritSettings(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) {
    inheritSettings(child, command);
  }
  return command;
}

/** What to print for an error (nothing where commander has done so), and the exit code. */
function conclude(error: unknown): { message?: string; exitCode: number } {
  if (error instanceof CommanderError) {
    return { exitCode: error.exitCode === 0 ? 0 : EXIT_USAGE };
  }
  const exitCode = error instanceof ExitError ? error.exitCode : EXIT_FAILED;
  if (process.env['KEYSTOW_DEBUG'] === '1') {
    return { message: inspect(error), exitCode };
  }
  const text = error instanceof Error ? error.message || error.name : String(error);
  return { message: `keystow: ${printable(text)}`, exitCode };
}

try {
  const program = await createProgram();
  await program.parseAsync();
} catch (error) {
  const { message, exitCode } = conclude(error);
  // A pipe that stays open on standard input must not keep a failed command alive; what was
  // written must be out before.
  process.stdout.write('', () => {
    process.stderr.write(message === undefined ? '' : `${message}\n`, () => process.exit(exitCode));
  });
}
