import { join } from 'node:path';
import { Command } from 'commander';
import { parseBlobs } from '../config.ts';
import { addExamples, notEmpty } from './option-values.ts';
import { writeOut } from './output.ts';
import { createProgress, type Progress } from './progress.ts';
import { storeOf } from './store-option.ts';

interface RestoreOptions {
  dataDir?: string;
  to?: string;
  blobs?: string;
  check?: boolean;
}

export function restoreCommand(): Command {
  const command = new Command('restore')
    .description(
      'check a backup, make a store of it, and compare both; what it goes into has to be empty, and no server may be running on it',
    )
    .argument('<dir>', 'the backup', notEmpty)
    .option('--data-dir <data>', 'the data directory to make (default: DATA_DIR, or ./data)')
    .option(
      '--to <url>',
      'level, or postgres://USER@HOST/DATABASE (default: STORE or STORE_FILE, or level); a password goes into those, or into PGPASSWORD',
    )
    .option(
      '--blobs <url>',
      'where large objects go: file, or s3://BUCKET?endpoint=…&region=…&forcePathStyle=true (default: BLOBS, or file)',
    )
    .option('--check', 'read all of the backup, and restore nothing')
    .action(run);
  return addExamples(
    command,
    'keystow restore /backups/keystow-2026-03-01T09-30-00.000Z --data-dir ./restored',
    'keystow restore /backups/before-the-update --check',
    'STORE_FILE=store.url keystow restore /backups/before-the-update --blobs s3://saves?region=eu-central-1',
  );
}

async function run(folder: string, options: RestoreOptions): Promise<void> {
  const store = storeOf(options.to);
  const blobs = parseBlobs(options.blobs || process.env['BLOBS'] || 'file');
  const dataDir = options.dataDir || process.env['DATA_DIR'] || './data';
  const { checkBackup, restore } = await import('../restoration.ts');
  const progress = createProgress(options.check ? 'checking' : 'restoring');
  const onProgress = showIn(progress);
  try {
    if (options.check) {
      const { documents, objects, sequence } = await checkBackup({ folder, onProgress });
      progress.stop();
      await writeOut(
        `${folder} is whole: ${documents} documents and ${objects} objects, as of the number ${sequence}\n`,
      );
      return;
    }
    const restored = await restore({ folder, dataDir, store, blobs, onProgress });
    progress.stop();
    const { documents, objects, sequence } = restored;
    await writeOut(
      `restored ${documents} documents and ${objects} objects, as of the number ${sequence}, and compared both\n` +
        `start the server with the master key of the one that was backed up: ${
          store === 'level'
            ? `as ${join(dataDir, 'master.key')}, or in MASTER_KEY`
            : 'in MASTER_KEY'
        }\n`,
    );
  } finally {
    progress.stop();
  }
}

function showIn(progress: Progress) {
  return (_step: string, entries: number, bytes: number) => progress.update(entries, bytes);
}
