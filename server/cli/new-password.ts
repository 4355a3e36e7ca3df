import { randomBytes } from 'node:crypto';
import { EXIT_FAILED, EXIT_USAGE, ExitError } from './exit-error.ts';
import { askHidden } from './hidden-input.ts';
import { readStdinSecret } from './stdin-secret.ts';

export interface NewPasswordOptions {
  generate?: boolean;
  passwordStdin?: boolean;
}

/**
 * A new user's password: made, read or asked for, as the options say. undefined where none is
 * given and the user has one already (`optional`).
 */
export async function newPassword(
  name: string,
  { generate, passwordStdin }: NewPasswordOptions,
  optional: boolean,
): Promise<string | undefined> {
  if (generate === true) {
    return randomBytes(18).toString('base64url');
  }
  if (passwordStdin === true) {
    return await readStdinSecret('password');
  }
  const given = process.env['KEYSTOW_NEW_PASSWORD'];
  if (given || optional) {
    return given || undefined;
  }
  if (!process.stdin.isTTY) {
    throw new ExitError(
      EXIT_USAGE,
      `no password for ${name}: use --generate, --password-stdin or the variable KEYSTOW_NEW_PASSWORD.`,
    );
  }
  return await askTwice(name);
}

async function askTwice(name: string): Promise<string> {
  const password = await askHidden(`New password of ${name}: `);
  if ((await askHidden('Once more: ')) !== password) {
    throw new ExitError(EXIT_FAILED, 'the two passwords differ; nothing was changed.');
  }
  return password;
}
