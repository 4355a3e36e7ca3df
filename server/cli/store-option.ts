import { type Config, parseStore, readStoreSetting } from '../config.ts';
import { EXIT_USAGE, ExitError } from './exit-error.ts';

/** The store of a flag `--to`, or of STORE. A password on the command line is seen by everybody on the machine. */
export function storeOf(flag: string | undefined): Config['store'] {
  if (flag !== undefined && URL.canParse(flag) && new URL(flag).password !== '') {
    throw new ExitError(
      EXIT_USAGE,
      'Give the password in STORE, STORE_FILE or PGPASSWORD, not in --to.',
    );
  }
  return parseStore(flag ?? readStoreSetting(process.env));
}
