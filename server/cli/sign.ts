import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { MAX_FORM_SECONDS } from '../../shared/limits.ts';
import { addConnectionOptions, type ConnectionOptions, withServer } from './connection.ts';
import { curlCommand } from './form-curl.ts';
import { htmlPage } from './form-html.ts';
import { addObjectOptions, type ObjectOptions, objectInput } from './object-options.ts';
import { addExamples, notEmpty, wholeNumber } from './option-values.ts';
import { writeOut } from './output.ts';
import { requestForm, type SignedForm } from './signed-form.ts';
import { certificateFile, isInsecure } from './trust.ts';

interface SignOptions extends ConnectionOptions, ObjectOptions {
  bucket?: string;
  key?: string;
  prefix?: string;
  filename?: string;
  minBytes?: number;
  maxBytes?: number;
  expiresIn?: number;
  status?: string;
  redirect?: string;
  signatureVersion?: string;
  curl?: boolean;
  html?: boolean;
}

export function signCommand(): Command {
  const command = new Command('sign')
    .description('print a signed form, with which others upload one object without a password')
    .option('--bucket <name>', "the bucket (default: the server's UPLOAD_BUCKET)", notEmpty)
    .addOption(
      new Option('--key <key>', "the object's key (default: one is made)")
        .argParser(notEmpty)
        .conflicts('prefix'),
    )
    .option('--prefix <prefix>', 'where the key is made (default: direct_uploads/)', notEmpty)
    .option('--filename <name>', 'the end of the key that is made', notEmpty);
  addObjectOptions(command)
    .option('--min-bytes <n>', 'the least that the file may have', wholeNumber(0))
    .option('--max-bytes <n>', "the most that it may have, below the server's", wholeNumber(0))
    .option(
      '--expires-in <seconds>',
      `how long the form is good, up to ${MAX_FORM_SECONDS} (default: 3600)`,
      wholeNumber(1, MAX_FORM_SECONDS),
    )
    .addOption(
      new Option('--status <status>', 'how success is answered (default: 201)').choices([
        '200',
        '201',
        '204',
      ]),
    )
    .option('--redirect <url>', 'where success sends the browser', webAddress)
    .addOption(
      new Option('--signature-version <version>', 'how it is signed (default: v4)').choices([
        'v2',
        'v4',
      ]),
    )
    .addOption(
      new Option('--curl', 'as a command for a shell, in which FILE is the file').conflicts('html'),
    )
    .option('--html', 'as a page with the form, otherwise as JSON')
    .action(sign);
  return addExamples(
    addConnectionOptions(command),
    'keystow sign --bucket photos --key cat.png --content-type image/png --curl',
    'keystow sign --bucket photos --prefix from-ada/ --max-bytes 1000000 --html > upload.html',
  );
}

async function sign(options: SignOptions): Promise<void> {
  const form = await withServer(options, (client) => requestForm(client, formInput(options)));
  await writeOut(`${show(form, options)}\n`);
}

/** Members that are undefined are left out of the request's JSON. */
function formInput(options: SignOptions): object {
  const { bucket, key, prefix, filename, minBytes, maxBytes, expiresIn, signatureVersion } =
    options;
  return {
    ...objectInput(options),
    bucket,
    key,
    prefix,
    filename,
    minBytes,
    maxBytes,
    expiresIn,
    signatureVersion,
    successActionStatus: options.status,
    successActionRedirect: options.redirect,
  };
}

function show(form: SignedForm, options: SignOptions): string {
  if (options.html === true) {
    return htmlPage(form);
  }
  if (options.curl === true) {
    const url = new URL(form.url);
    const file = certificateFile(url, options);
    return curlCommand(form, {
      // What is pasted may run in another folder.
      cacert: file === undefined ? undefined : resolve(file),
      insecure: url.protocol === 'https:' && isInsecure(options),
    });
  }
  return JSON.stringify(form, null, 2);
}

function webAddress(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new InvalidArgumentError('It must be an address that begins with https:// or http://.');
  }
  return text;
}
