import { randomBytes } from 'node:crypto';
import { KeystowError } from '../shared/errors.ts';
import { type Config, ConfigError } from './config.ts';
import {
  ACCESS_KEY_ID_RULE,
  type AccessKeys,
  isAccessKeyId,
  isSecretAccessKey,
  SECRET_ACCESS_KEY_RULE,
} from './services/access-keys.ts';
import type { Buckets } from './services/buckets.ts';
import type { Passwords } from './services/passwords.ts';
import type { Users } from './services/users.ts';
import { isPassword, isUserName, USER_NAME_RULE } from './services/users.ts';

/** What the settings say has to be there from the start. */

/**
 * There is no default password. One that is given is applied at every start: the way back in. With
 * none, and no user stored yet, one is made and handed to `print`, before it is stored: a crash in
 * between leaves no admin whom nobody knows the password of. Of several nodes that start at once only
 * the one that stored it may print: there it comes after.
 */
export async function ensureAdmin(
  config: Pick<Config, 'adminUser' | 'adminPassword' | 'store'>,
  users: Users,
  passwords: Passwords,
  print: (line: string) => void,
): Promise<void> {
  const { adminUser: name, adminPassword } = config;
  if (!isUserName(name)) throw new ConfigError(`ADMIN_USER ${USER_NAME_RULE}.`);
  if (adminPassword === undefined) {
    if ((await users.list()).length > 0) return;
    const password = randomBytes(18).toString('base64url');
    const line = `keystow made the user ${name} with the password ${password} (printed only this once)`;
    if (config.store === 'level') print(line);
    const isMade = await users.createAdmin(name, password);
    if (config.store !== 'level' && isMade) print(line);
    return;
  }
  if (!isPassword(adminPassword)) {
    throw new ConfigError('ADMIN_PASSWORD has 1 to 72 bytes of UTF-8, none of them NUL.');
  }
  // One whose record is damaged gets a new one.
  const user = await users.find(name).catch(() => undefined);
  // Written only where something changes, so that a restart is no change of the user.
  if (user?.role === 'admin' && (await passwords.verify(adminPassword, user.passwordHash))) return;
  await users.put(name, { password: adminPassword, role: 'admin' });
}

/** The admin's access key of the settings: it has that secret after every start. */
export async function ensureAccessKey(
  { accessKey, adminUser }: Pick<Config, 'accessKey' | 'adminUser'>,
  accessKeys: AccessKeys,
): Promise<void> {
  if (!accessKey) return;
  if (!isAccessKeyId(accessKey.accessKeyId)) {
    throw new ConfigError(`ACCESS_KEY_ID ${ACCESS_KEY_ID_RULE}.`);
  }
  if (!isSecretAccessKey(accessKey.secretAccessKey)) {
    throw new ConfigError(`SECRET_ACCESS_KEY ${SECRET_ACCESS_KEY_RULE}.`);
  }
  await asConfigError('ACCESS_KEY_ID', accessKeys.ensure({ ...accessKey, user: adminUser }));
}

/** Who lets anybody have forms signed needs a key to sign with, and is told what that means. */
export function checkAnonymousSigning(
  { anonymousSigning, accessKey }: Pick<Config, 'anonymousSigning' | 'accessKey'>,
  warn: (message: string) => void,
): void {
  if (!anonymousSigning) return;
  if (!accessKey) {
    throw new ConfigError(
      'ANONYMOUS_SIGNING=on signs with ACCESS_KEY_ID and SECRET_ACCESS_KEY: give them.',
    );
  }
  warn('ANONYMOUS_SIGNING is on: whoever reaches this server can have uploads signed');
}

/** The buckets that forms upload to unless told otherwise. */
export async function ensureBuckets(
  { uploadBucket, submitBucket }: Pick<Config, 'uploadBucket' | 'submitBucket'>,
  buckets: Buckets,
): Promise<void> {
  await asConfigError('UPLOAD_BUCKET', buckets.makeOnce(uploadBucket));
  await asConfigError('SUBMIT_BUCKET', buckets.makeOnce(submitBucket));
}

async function asConfigError(setting: string, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof KeystowError)) throw error;
    throw new ConfigError(`${setting}: ${error.message}`);
  }
}
