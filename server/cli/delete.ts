import { Command } from 'commander';
import { addConnectionOptions, type ConnectionOptions, withServer } from './connection.ts';
import { documentPath } from './documents.ts';
import { addExamples, entityTag } from './option-values.ts';
import { remark } from './output.ts';
import { printable } from './printable.ts';

interface DeleteOptions extends ConnectionOptions {
  ifMatch?: string;
}

export function deleteCommand(): Command {
  const command = new Command('delete')
    .description('delete a document')
    .argument('<key>', "the document's key")
    .option('--if-match <etag>', 'only if this is still its ETag', entityTag)
    .action(remove);
  return addExamples(
    addConnectionOptions(command),
    'keystow delete players/ada',
    'keystow delete players/ada --if-match 17',
  );
}

async function remove(key: string, options: DeleteOptions): Promise<void> {
  const path = documentPath(key);
  const headers = options.ifMatch === undefined ? {} : { 'if-match': options.ifMatch };
  await withServer(options, async (client) => {
    await client.skipBody(await client.expect([204], { method: 'DELETE', path, headers }));
  });
  remark(`deleted ${printable(key)}`);
}
