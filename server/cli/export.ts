import { Command, Option } from 'commander';
import { addConnectionOptions, type ConnectionOptions, withServer } from './connection.ts';
import { listPath } from './documents.ts';
import { EXIT_FAILED, EXIT_UNREACHABLE, ExitError } from './exit-error.ts';
import { writeWholeFile } from './export-file.ts';
import { addExamples } from './option-values.ts';
import { remark, writeOut } from './output.ts';
import { createProgress } from './progress.ts';

const NEWLINE = 0x0a;
const NDJSON = 'application/x-ndjson';
const BATCH_CHARS = 65_536;

interface ExportOptions extends ConnectionOptions {
  prefix?: string;
  dataDir?: string;
}

export function exportCommand(): Command {
  const command = new Command('export')
    .description('write all documents as lines {"key":…,"etag":…,"value":…}, for `keystow import`')
    .argument('[file]', 'where to; it appears only when it is whole. Absent or -: standard output')
    .option('--prefix <prefix>', 'only keys that begin with it (default: all)')
    .addOption(
      new Option(
        '--data-dir <dir>',
        'read this data directory instead of a server; none may have it open',
      ),
    )
    .action(exportDocuments);
  return addExamples(
    addConnectionOptions(command),
    'keystow export backup.ndjson',
    'keystow export --prefix players/ | gzip > players.ndjson.gz',
    'keystow export rescued.ndjson --data-dir ./data',
  );
}

async function exportDocuments(file: string | undefined, options: ExportOptions): Promise<void> {
  const { prefix = '', dataDir } = options;
  if (dataDir !== undefined) {
    return await save(file, readDataDir(dataDir, prefix));
  }
  await withServer(options, async (client) => {
    const response = await client.expect([200], {
      method: 'GET',
      path: listPath({ prefix }),
      headers: { accept: NDJSON },
    });
    if (!response.headers['content-type']?.startsWith(NDJSON)) {
      response.destroy();
      throw new ExitError(
        EXIT_FAILED,
        `${client.baseUrl.origin} answered no ${NDJSON}: is --url a Keystow server?`,
      );
    }
    await save(file, client.chunks(response));
  });
}

async function save(file = '-', chunks: AsyncIterable<Buffer>): Promise<void> {
  const toTerminal = file === '-' && process.stdout.isTTY;
  const progress = toTerminal ? undefined : createProgress('exporting');
  let documents = 0;
  let bytes = 0;

  async function* counted(): AsyncGenerator<Buffer> {
    let last = NEWLINE;
    for await (const chunk of chunks) {
      for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) {
        documents++;
      }
      bytes += chunk.length;
      last = chunk.at(-1) ?? last;
      progress?.update(documents, bytes);
      yield chunk;
    }
    if (last !== NEWLINE) {
      throw new ExitError(EXIT_UNREACHABLE, 'the export broke off within a line; try again.');
    }
  }

  try {
    if (file === '-') {
      for await (const chunk of counted()) {
        await writeOut(chunk);
      }
    } else {
      await writeWholeFile(file, counted());
    }
  } finally {
    progress?.stop();
  }
  remark(`exported ${documents} documents`);
}

async function* readDataDir(dataDir: string, prefix: string): AsyncGenerator<Buffer> {
  // Only this needs the storage engine; the other commands start faster without it.
  const { exportDataDir } = await import('../offline-export.ts');
  let batch = '';
  const onWarning = (message: string) => {
    process.stderr.write(`keystow: ${message}\n`);
  };
  for await (const line of exportDataDir({ dataDir, prefix, onWarning })) {
    batch += line.endsWith('\n') ? line : `${line}\n`;
    if (batch.length >= BATCH_CHARS) {
      yield Buffer.from(batch);
      batch = '';
    }
  }
  yield Buffer.from(batch);
}
