import { Command } from 'commander';
import type { ApiClient } from './api-client.ts';
import { addConnectionOptions, type ConnectionOptions, withServer } from './connection.ts';
import { listPath } from './documents.ts';
import { readJson } from './json-answer.ts';
import { addExamples, wholeNumber } from './option-values.ts';
import { writeOut } from './output.ts';
import { printable } from './printable.ts';

const PAGE_KEYS = 1_000;

interface ListOptions extends ConnectionOptions {
  prefix?: string;
  after?: string;
  limit?: number;
  null?: boolean;
}

export function listCommand(): Command {
  const command = new Command('list')
    .description('print the keys of the documents, one a line, in the order of their bytes')
    .option('--prefix <prefix>', 'only keys that begin with it (default: all)')
    .option('--after <key>', 'only keys that come after this one')
    .option('--limit <n>', 'stop after so many keys (default: all)', wholeNumber(1))
    .option(
      '--null',
      'end each key with a NUL instead of a newline, since keys may contain newlines',
    )
    .action(list);
  return addExamples(
    addConnectionOptions(command),
    'keystow list --prefix players/ --limit 10',
    'keystow list --null | xargs -0 -n 1 keystow get --',
  );
}

async function list(options: ListOptions): Promise<void> {
  const end = options.null === true ? '\0' : '\n';
  // Only a terminal can be steered by what it shows; a program gets the keys as they are.
  const show = process.stdout.isTTY && options.null !== true ? printable : (key: string) => key;
  await withServer(options, async (client) => {
    for await (const keys of pages(client, options)) {
      await writeOut(keys.map((key) => show(key) + end).join(''));
    }
  });
}

async function* pages(client: ApiClient, options: ListOptions): AsyncGenerator<string[]> {
  const { prefix, after, limit = Number.POSITIVE_INFINITY } = options;
  let remaining = limit;
  let path: string | undefined = listPath({ prefix, after, limit: Math.min(limit, PAGE_KEYS) });
  while (path !== undefined && remaining > 0) {
    const response = await client.expect([200], { method: 'GET', path });
    const keys = (await readJson(client, response, isKeyList, 'list of keys')).slice(0, remaining);
    yield keys;
    remaining -= keys.length;
    path = nextPath(response.headers['link'], client.baseUrl);
  }
}

function isKeyList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((key) => typeof key === 'string');
}

/** The path of the next page, from `Link: <…>; rel="next"` (RFC 8288). */
function nextPath(link: string | string[] | undefined, baseUrl: URL): string | undefined {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/i.exec(String(link ?? ''))?.[1];
  // Only its query counts: the credentials must go nowhere but to the server that was asked.
  return target === undefined ? undefined : `/data${new URL(target, baseUrl).search}`;
}
