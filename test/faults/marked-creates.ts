import type { AcknowledgedText } from './check-fsync.ts';
import type { Client, ClientAnswer } from './client.ts';
import { pathOf } from './survey.ts';

/** Creates of unique documents, which the texts of a trace can be searched for. */
export interface MarkedCreate extends AcknowledgedText {
  readonly key: string;
}

/** Numbered from `first`; the filling makes batches larger than a block of the log (32 KiB). */
export function markedCreates(name: string, first: number, count: number): MarkedCreate[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `${name}-${String(first + index).padStart(5, '0')}`;
    const marker = `begin:${id};`;
    const text = `{"begin":"${marker}","filling":"${'. '.repeat(300)}","end":"end:${id};"}`;
    return { key: id, marker, text };
  });
}

/** All at once, as far as the client's connections allow. */
export async function createAll(
  client: Client,
  creates: readonly MarkedCreate[],
): Promise<{ create: MarkedCreate; answer: ClientAnswer | undefined }[]> {
  return Promise.all(
    creates.map(async (create) => {
      const answer = await client.send({
        method: 'POST',
        path: pathOf(create.key),
        body: create.text,
      });
      return { create, answer };
    }),
  );
}
