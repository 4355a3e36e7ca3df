import { Command } from 'commander';
import { addConnectionOptions, type ConnectionOptions, withServer } from './connection.ts';
import { EXIT_FAILED, EXIT_UNREACHABLE, EXIT_USAGE, ExitError } from './exit-error.ts';
import { addObjectOptions, type ObjectOptions, objectInput } from './object-options.ts';
import { addExamples, notEmpty } from './option-values.ts';
import { remark, writeOut } from './output.ts';
import { printable } from './printable.ts';
import { createProgress } from './progress.ts';
import { type SentForm, sendForm } from './send-form.ts';
import { requestForm, type SignedForm } from './signed-form.ts';
import { trustFor } from './trust.ts';
import { openSource, type UploadSource } from './upload-source.ts';

type UploadOptions = ConnectionOptions & ObjectOptions;

export function uploadCommand(): Command {
  const command = new Command('upload')
    .description("store a file as an object, and print the object's address and ETag")
    .argument('<file>', 'the file; -: standard input', notEmpty)
    .argument(
      '[target]',
      "BUCKET or BUCKET/KEY; a KEY that ends with a slash gets the file's name. Absent: the server's UPLOAD_BUCKET, and a key that it makes",
      notEmpty,
    );
  addObjectOptions(command).action(upload);
  return addExamples(
    addConnectionOptions(command),
    'keystow upload cat.png photos/cats/ --content-type image/png',
    'tar cz saves | keystow upload - backups/saves.tar.gz',
  );
}

async function upload(
  file: string,
  target: string | undefined,
  options: UploadOptions,
): Promise<void> {
  const { bucket, key } = parseTarget(target);
  const source = await openSource(file);
  const { filename } = source;
  const data = {
    ...objectInput(options),
    bucket,
    key: key === undefined ? undefined : wholeKey(key, filename),
    filename,
    successActionStatus: '201',
  };
  const sent = await withServer(options, async (client) => {
    const form = await requestForm(client, data);
    return await send(form, source, options, client.baseUrl);
  });
  if (sent.etag !== `"${sent.md5}"`) {
    throw new ExitError(
      EXIT_FAILED,
      `what was stored differs from what was sent: its ETag is ${sent.etag}, the MD5 of ${source.title} is ${sent.md5}.`,
    );
  }
  await writeOut(`location ${printable(sent.location)}\netag ${printable(sent.etag)}\n`);
  remark(`uploaded ${sent.bytes} bytes`);
}

function wholeKey(key: string, filename: string | undefined): string {
  if (key !== '' && !key.endsWith('/')) {
    return key;
  }
  if (filename === undefined) {
    throw new ExitError(EXIT_USAGE, 'standard input has no name: give the whole key.');
  }
  return key + filename;
}

function parseTarget(target: string | undefined): { bucket?: string; key?: string } {
  if (target === undefined) {
    return {};
  }
  const slash = target.indexOf('/');
  if (slash === 0) {
    throw new ExitError(EXIT_USAGE, 'the target must begin with a bucket: BUCKET/KEY.');
  }
  if (slash === -1) {
    return { bucket: target };
  }
  return { bucket: target.slice(0, slash), key: target.slice(slash + 1) };
}

async function send(
  form: SignedForm,
  source: UploadSource,
  options: UploadOptions,
  baseUrl: URL,
): Promise<SentForm> {
  const url = new URL(form.url);
  const progress = createProgress('uploading', source.expectedSize);
  try {
    return await sendForm(form, source, trustFor(url, options), (bytes) =>
      progress.update(undefined, bytes),
    );
  } catch (error) {
    if (
      error instanceof ExitError &&
      error.exitCode === EXIT_UNREACHABLE &&
      url.origin !== baseUrl.origin
    ) {
      const message = `${error.message} The server's PUBLIC_URL sends uploads there.`;
      throw new ExitError(EXIT_UNREACHABLE, message, { cause: error });
    }
    throw error;
  } finally {
    progress.stop();
  }
}
