import { createReadStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Command, Option } from 'commander';
import type { ApiClient } from './api-client.ts';
import { addConnectionOptions, type ConnectionOptions, withServer } from './connection.ts';
import { createOrReplace, documentPath, putRequest } from './documents.ts';
import { EXIT_FAILED, ExitError, fileError } from './exit-error.ts';
import { addExamples, entityTag } from './option-values.ts';
import { remark } from './output.ts';

/** The document is held in memory, since it may have to be sent twice. */
const MAX_BODY_BYTES = 256 * 1_048_576;

interface PutOptions extends ConnectionOptions {
  create?: boolean;
  ifMatch?: string;
}

export function putCommand(): Command {
  const command = new Command('put')
    .description('store a document: create it, or replace it')
    .argument('<key>', "the document's key")
    .argument('[file]', 'the JSON text; absent or -: standard input')
    .addOption(new Option('--create', 'only create; fail if the key exists').conflicts('ifMatch'))
    .option('--if-match <etag>', 'only replace, and only if this is still its ETag', entityTag)
    .action(put);
  return addExamples(
    addConnectionOptions(command),
    'keystow put players/ada ada.json',
    `echo '{"level": 3}' | keystow put players/ada --create`,
  );
}

async function put(key: string, file: string | undefined, options: PutOptions): Promise<void> {
  documentPath(key);
  const etag = await withServer(options, async (client) => {
    const response = await store(client, key, await readInput(file), options);
    await client.skipBody(response);
    return response.headers.etag;
  });
  if (etag !== undefined) {
    remark(etag);
  }
}

async function store(
  client: ApiClient,
  key: string,
  body: Buffer,
  { create, ifMatch }: PutOptions,
): Promise<IncomingMessage> {
  if (create === true) {
    return await client.expect([201], { ...putRequest(key, body), method: 'POST' });
  }
  if (ifMatch !== undefined) {
    return await client.expect([200], putRequest(key, body, { 'if-match': ifMatch }));
  }
  return (await createOrReplace(client, key, body)).response;
}

async function readInput(file = '-'): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) {
        break;
      }
      chunks.push(chunk);
    }
  } catch (error) {
    throw fileError('read', file === '-' ? 'standard input' : file, error);
  }
  if (size > MAX_BODY_BYTES) {
    throw new ExitError(EXIT_FAILED, 'the document must be smaller than 256 MiB.');
  }
  return Buffer.concat(chunks);
}
