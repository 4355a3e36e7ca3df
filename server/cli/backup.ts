import { Command, Option } from 'commander';
import type { Backup } from '../backup/backup-folder.ts';
import { parseBlobs } from '../config.ts';
import type { ApiClient } from './api-client.ts';
import { addConnectionOptions, type ConnectionOptions, withServer } from './connection.ts';
import { EXIT_FAILED, ExitError } from './exit-error.ts';
import { addExamples, notEmpty } from './option-values.ts';
import { writeOut } from './output.ts';
import { createProgress } from './progress.ts';

const TAR = 'application/x-tar';

interface BackupOptions extends ConnectionOptions {
  dataDir?: string;
  blobs?: string;
}

type OnProgress = (files: number, bytes: number) => void;

export function backupCommand(): Command {
  const command = new Command('backup')
    .description(
      'copy everything that a running server has, as of one moment, into a folder, for `keystow restore`; for admins',
    )
    .argument('<dir>', 'a folder that is not there yet; it appears only when it is whole', notEmpty)
    .addOption(
      new Option(
        '--data-dir <data>',
        'read this data directory instead of a server; none may have it open',
      ),
    )
    .addOption(
      new Option(
        '--blobs <url>',
        'with --data-dir: where its large objects are, as in BLOBS (default: BLOBS, or file)',
      ),
    )
    .action(backUp);
  return addExamples(
    addConnectionOptions(command),
    'keystow backup /backups/before-the-update',
    'keystow backup /backups/stopped --data-dir ./data',
  );
}

async function backUp(folder: string, options: BackupOptions): Promise<void> {
  const { dataDir } = options;
  const progress = createProgress('backing up');
  const onProgress: OnProgress = (_files, bytes) => progress.update(undefined, bytes);
  let backup: Backup;
  try {
    backup =
      dataDir === undefined
        ? await withServer(options, (client) => receive(client, folder, onProgress))
        : await readDataDir(dataDir, folder, options.blobs, onProgress);
  } finally {
    progress.stop();
  }
  const { documents, objects, sequence } = backup.manifest;
  await writeOut(
    `backed up ${documents} documents and ${objects} objects, as of the number ${sequence}, and read it back\n`,
  );
}

async function receive(client: ApiClient, folder: string, onProgress: OnProgress): Promise<Backup> {
  const { checkFree, writeBackup } = await import('../backup/backup-writer.ts');
  const { unpackTar } = await import('../backup/tar.ts');
  await checkFree(folder);
  const response = await client.expect([200], { method: 'GET', path: '/api/backup' });
  if (response.headers['content-type'] !== TAR) {
    response.destroy();
    throw new ExitError(
      EXIT_FAILED,
      `${client.baseUrl.origin} answered no backup: is --url a Keystow server?`,
    );
  }
  return writeBackup(unpackTar(client.chunks(response)), folder, { onProgress });
}

async function readDataDir(
  dataDir: string,
  folder: string,
  blobs: string | undefined,
  onProgress: OnProgress,
): Promise<Backup> {
  const { backUpDataDir } = await import('../offline-backup.ts');
  const location = parseBlobs(blobs || process.env['BLOBS'] || 'file');
  return backUpDataDir({ dataDir, blobs: location, folder, onProgress });
}
