#!/usr/bin/env node
import { inspect } from 'node:util';
import { Command, CommanderError } from 'commander';
import { version } from '../version.ts';
import { bucketCommand } from './bucket.ts';
import { deleteCommand } from './delete.ts';
import { EXIT_FAILED, EXIT_USAGE, ExitError } from './exit-error.ts';
import { exportCommand } from './export.ts';
import { getCommand } from './get.ts';
import { importCommand } from './import.ts';
import { keyCommand } from './key.ts';
import { listCommand } from './list.ts';
import { printable } from './printable.ts';
import { putCommand } from './put.ts';
import { serveCommand } from './serve.ts';
import { signCommand } from './sign.ts';
import { uploadCommand } from './upload.ts';
import { userCommand } from './user.ts';

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

const exitCodes = `
Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 the server cannot be reached.`;

function createProgram(): Command {
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
  const commands = [
    serveCommand(),
    getCommand(),
    putCommand(),
    listCommand(),
    deleteCommand(),
    importCommand(),
    exportCommand(),
    userCommand(),
    keyCommand(),
    bucketCommand(),
    uploadCommand(),
    signCommand(),
  ];
  for (const command of commands) {
    program.addCommand(inheritSettings(command, program));
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
  await createProgram().parseAsync();
} catch (error) {
  const { message, exitCode } = conclude(error);
  // A pipe that stays open on standard input must not keep a failed command alive; what was
  // written must be out before.
  process.stdout.write('', () => {
    process.stderr.write(message === undefined ? '' : `${message}\n`, () => process.exit(exitCode));
  });
}
