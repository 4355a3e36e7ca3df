import { join } from 'node:path';
import { Command } from 'commander';
import { parseBlobs } from '../config.ts';
import { EXIT_USAGE, ExitError } from './exit-error.ts';
import { addExamples } from './option-values.ts';
import { writeOut } from './output.ts';
import { createProgress } from './progress.ts';
import { storeOf } from './store-option.ts';

interface MigrateOptions {
  from: string;
  to?: string;
  blobs?: string;
}

export function migrateCommand(): Command {
  const command = new Command('migrate')
    .description(
      'copy an embedded store to PostgreSQL and an S3-compatible store, compare both, and go on where an earlier run stopped; no server may be running',
    )
    .requiredOption('--from <dir>', 'the data directory')
    .option(
      '--to <url>',
      'postgres://USER@HOST/DATABASE (default: STORE or STORE_FILE); a password goes into those, or into PGPASSWORD',
    )
    .option(
      '--blobs <url>',
      's3://BUCKET?endpoint=…&region=…&forcePathStyle=true (default: BLOBS); file: large objects stay where they are',
    )
    .action(run);
  return addExamples(
    command,
    'STORE_FILE=store.url keystow migrate --from ./data --blobs s3://saves?region=eu-central-1',
    'PGPASSWORD=… keystow migrate --from ./data --to postgres://keystow@db/keystow --blobs file',
  );
}

async function run(options: MigrateOptions): Promise<void> {
  const store = urlOf(options.to);
  const blobs = parseBlobs(options.blobs ?? process.env['BLOBS'] ?? 'file');
  const { migrate } = await import('../migration.ts');
  const progress = createProgress('migrating');
  try {
    const {
      entries,
      blobs: copied,
      bytes,
    } = await migrate({
      dataDir: options.from,
      store,
      blobs: blobs === 'file' ? undefined : blobs,
      onProgress: (_step, count, size) => progress.update(count, size),
    });
    progress.stop();
    await writeOut(
      `migrated ${entries} entries and ${copied} blobs of ${bytes} bytes, and compared both\n` +
        `start the nodes with what ${join(options.from, 'master.key')} holds as MASTER_KEY\n`,
    );
  } finally {
    progress.stop();
  }
}

function urlOf(flag: string | undefined): string {
  const store = storeOf(flag);
  if (store !== 'level') return store.url;
  throw new ExitError(EXIT_USAGE, 'Say where to: --to or STORE is a postgres:// URL.');
}
