import { Command } from 'commander';
import { addConnectionOptions, type ConnectionOptions, withServer } from './connection.ts';
import { documentPath } from './documents.ts';
import { addExamples } from './option-values.ts';
import { writeOut } from './output.ts';

const NEWLINE = 0x0a;

export function getCommand(): Command {
  const command = new Command('get')
    .description('print a document, exactly as it was stored')
    .argument('<key>', "the document's key")
    .action(get);
  return addExamples(
    addConnectionOptions(command),
    'keystow get players/ada',
    'keystow get players/ada > ada.json',
  );
}

async function get(key: string, options: ConnectionOptions): Promise<void> {
  const path = documentPath(key);
  await withServer(options, async (client) => {
    const response = await client.expect([200], { method: 'GET', path });
    let last: number | undefined;
    for await (const chunk of client.chunks(response)) {
      await writeOut(chunk);
      last = chunk.at(-1);
    }
    if (process.stdout.isTTY && last !== NEWLINE) {
      await writeOut('\n');
    }
  });
}
