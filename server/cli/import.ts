import { fstatSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { DEFAULT_MAX_DOCUMENT_BYTES } from '../../shared/limits.ts';
import { splitLines } from '../../shared/ndjson/lines.ts';
import { addConnectionOptions, type ConnectionOptions, withServer } from './connection.ts';
import { listPath } from './documents.ts';
import { EXIT_FAILED, ExitError, fileError } from './exit-error.ts';
import { type ImportCounts, runImport } from './import-run.ts';
import { type ConflictRule, createWriter } from './import-writer.ts';
import { addExamples, wholeNumber } from './option-values.ts';
import { remark } from './output.ts';
import { printable } from './printable.ts';
import { createProgress, type Progress } from './progress.ts';

const MAX_REPORTED_LINES = 20;

interface ImportOptions extends ConnectionOptions {
  onConflict: ConflictRule;
  concurrency: number;
  maxDocumentBytes: number;
}

export function importCommand(): Command {
  const command = new Command('import')
    .description('store the documents of a file that `keystow export` wrote, or of one like it')
    .argument('[file]', 'lines {"key":…,"value":…}; absent or -: standard input')
    .addOption(
      new Option('--on-conflict <rule>', 'what to do with a key that exists')
        .choices(['replace', 'skip', 'fail'])
        .default('replace'),
    )
    .option('--concurrency <n>', 'requests at a time, 1 to 256', wholeNumber(1, 256), 32)
    .addOption(
      new Option('--max-document-bytes <n>', "the server's limit; a line may have twice as much")
        .argParser(wholeNumber(1, 2 ** 28))
        .default(DEFAULT_MAX_DOCUMENT_BYTES)
        .env('MAX_DOCUMENT_BYTES'),
    )
    .action(importFile);
  return addExamples(
    addConnectionOptions(command),
    'keystow import backup.ndjson',
    'gunzip < backup.ndjson.gz | keystow import --on-conflict skip',
  );
}

async function importFile(file: string | undefined, options: ImportOptions): Promise<void> {
  const input = await openInput(file ?? '-');
  const counts = await withServer(options, async (client) => {
    // A wrong password or URL is to fail once, before the first line is read.
    await client.skipBody(
      await client.expect([200], { method: 'GET', path: listPath({ limit: 1 }) }),
    );
    const progress = createProgress('importing', input.size);
    try {
      return await runImport({
        lines: splitLines(input.chunks(), 2 * options.maxDocumentBytes),
        write: createWriter(client, options.onConflict),
        concurrency: options.concurrency,
        onRefused: reportFirst(progress),
        onProgress: (done, bytes) => progress.update(done, bytes),
      });
    } finally {
      progress.stop();
    }
  });
  conclude(counts);
}

function conclude({ stored, skipped, refused }: ImportCounts): void {
  remark(`imported ${stored} documents${skipped === 0 ? '' : `, left ${skipped} as they were`}`);
  if (refused > 0) {
    const lines = stored + skipped + refused;
    throw new ExitError(EXIT_FAILED, `${refused} of ${lines} lines were not imported.`);
  }
}

function reportFirst(progress: Progress): (line: number, message: string) => void {
  let reported = 0;
  return (line, message) => {
    if (reported < MAX_REPORTED_LINES) {
      progress.say(`keystow: line ${line}: ${printable(message)}`);
    } else if (reported === MAX_REPORTED_LINES) {
      progress.say('keystow: further lines that fail are only counted.');
    }
    reported++;
  };
}

interface Input {
  chunks(): AsyncGenerator<Buffer>;
  /** In bytes; undefined for a pipe. */
  size: number | undefined;
}

async function openInput(file: string): Promise<Input> {
  if (file === '-') {
    const stats = fstatSync(0);
    return {
      chunks: () => readAll(process.stdin, 'standard input'),
      size: stats.isFile() ? stats.size : undefined,
    };
  }
  try {
    const handle = await open(file);
    const stats = await handle.stat();
    return {
      chunks: () => readAll(handle.createReadStream(), file),
      size: stats.isFile() ? stats.size : undefined,
    };
  } catch (error) {
    throw fileError('read', file, error);
  }
}

async function* readAll(stream: AsyncIterable<Buffer>, name: string): AsyncGenerator<Buffer> {
  try {
    yield* stream;
  } catch (error) {
    throw fileError('read', name, error);
  }
}
