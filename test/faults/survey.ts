import { createRest } from '../support/rest.ts';
import type { Stored } from './ledger.ts';
import { createRestClient } from './rest-client.ts';

/** All that a server has, by each of the ways to ask for it. */
export interface Survey {
  /** `GET /data`. */
  readonly keys: readonly string[];
  /** `GET /data` as NDJSON. */
  readonly lines: readonly string[];
  /** `GET /data/KEY` of those and of every key asked for; null for 404. */
  readonly documents: ReadonlyMap<string, Stored | null>;
  /** The sequence number of the last write. */
  readonly revision: number;
}

const CONNECTIONS = 8;

/** Asks an idle server for everything, and for `known` keys besides. */
export async function takeSurvey(url: string, known: Iterable<string>): Promise<Survey> {
  const rest = createRest(url);
  const list = await rest('GET', '/data');
  const keys = parseKeys(list.json);
  const exported = await rest('GET', '/data', undefined, { accept: 'application/x-ndjson' });
  const client = createRestClient(url, CONNECTIONS);
  try {
    const wanted = [...new Set([...keys, ...known])];
    const documents = await Promise.all(
      wanted.map(async (key) => {
        const answer = await client.send({ method: 'GET', path: pathOf(key) });
        if (answer?.status === 404) return [key, null] as const;
        if (answer?.status !== 200 || answer.text === undefined || answer.etag === undefined) {
          throw new Error(`GET ${key} was answered with ${answer?.status}: ${answer?.text}`);
        }
        return [key, { text: answer.text, etag: answer.etag }] as const;
      }),
    );
    return {
      keys,
      lines: exported.text.split('\n').slice(0, -1),
      documents: new Map(documents),
      revision: Number(list.headers.get('x-keystow-revision')),
    };
  } finally {
    client.close();
  }
}

export function pathOf(key: string): string {
  return `/data/${key.split('/').map(encodeURIComponent).join('/')}`;
}

function parseKeys(json: unknown): string[] {
  if (!Array.isArray(json)) throw new Error('GET /data was not answered with an array.');
  return json.map(String);
}
