import { join } from 'node:path';

export const PASSWORD = 'correct horse';

/** The settings of a test's server that keeps everything in `folder`, in a process or not. */
export function environmentFor(
  folder: string,
  env: Record<string, string> = {},
): Record<string, string> & { readonly DATA_DIR: string } {
  return {
    TLS: 'off',
    HOST: '127.0.0.1',
    PORT: '0',
    DATA_DIR: join(folder, 'data'),
    ADMIN_PASSWORD: PASSWORD,
    // Quick: what takes long on purpose is tested with the default.
    BCRYPT_COST: '4',
    ...env,
  };
}
