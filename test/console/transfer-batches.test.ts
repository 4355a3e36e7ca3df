import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BatchMember } from '../../console/api/batch-member.ts';
import { type ConflictRule, createBatchWriter } from '../../console/views/transfer/batch-writer.ts';
import type { ImportMember } from '../../console/views/transfer/batches.ts';
import { type BatchFailure, KeystowClientError } from '../../shared/client/index.ts';

/** A server's batches, over a map: each is stored as a whole, or not. */
function createFakeServer(present: Iterable<readonly [string, string]>) {
  const documents = new Map(present);
  let requests = 0;
  return {
    documents,
    requests: () => requests,
    async send(members: readonly BatchMember[]): Promise<readonly BatchFailure[]> {
      requests += 1;
      const failures = members.flatMap((member, index) => failureOf(documents, member, index));
      if (failures.length > 0) return failures;
      for (const { key, value } of members) documents.set(key, value);
      return [];
    },
  };
}

function failureOf(
  documents: ReadonlyMap<string, string>,
  { key, method }: BatchMember,
  index: number,
): BatchFailure[] {
  const failure = (status: number, code: BatchFailure['code'], message: string) => [
    { index, url: `/data/${key}`, status, code, message },
  ];
  if (key.startsWith('x')) return failure(403, 'forbidden', 'You may not.');
  const isThere = documents.has(key);
  if (method === 'POST' && isThere) return failure(406, 'already-exists', `${key} already exists.`);
  if (method === 'PUT' && !isThere) return failure(404, 'not-found', `${key} not found.`);
  return [];
}

const unexpectedCall = async (): Promise<never> => expect.fail('nothing is to be asked');

function membersOf(keys: readonly string[]): ImportMember[] {
  return keys.map((key, at) => ({ line: at + 1, key, value: `{"line":${at + 1}}` }));
}

describe('the writer of batches', () => {
  const names = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'x1', 'x2');
  const rules = fc.constantFrom<ConflictRule>('replace', 'skip', 'fail');

  it('leaves what single requests would have left, for each rule', async () => {
    const batches = fc.array(fc.uniqueArray(names), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(names), batches, rules, async (present, keys, rule) => {
        const before = present.map((key): [string, string] => [key, '{"old":true}']);
        const server = createFakeServer(before);
        const write = createBatchWriter({
          rule,
          send: server.send,
          isOurs: unexpectedCall,
          again: unexpectedCall,
        });
        const model = new Map(before);
        for (const batch of keys.map(membersOf)) {
          const expected = { created: 0, replaced: 0, skipped: 0, refused: 0 };
          for (const { key, value } of batch) {
            const isThere = model.has(key);
            if (key.startsWith('x')) expected.refused += 1;
            else if (!isThere) expected.created += 1;
            else if (rule === 'replace') expected.replaced += 1;
            else if (rule === 'skip') expected.skipped += 1;
            else expected.refused += 1;
            if (!key.startsWith('x') && (!isThere || rule === 'replace')) model.set(key, value);
          }
          const written = await write(batch);
          expect({ ...written, refused: written.refused.length }).toEqual(expected);
        }
        expect(server.documents).toEqual(model);
      }),
    );
  });

  it('names the lines that were refused, and why', async () => {
    const { send } = createFakeServer([['a', '{}']]);
    const write = createBatchWriter({
      rule: 'fail',
      send,
      isOurs: unexpectedCall,
      again: unexpectedCall,
    });
    const written = await write(membersOf(['b', 'a', 'x']));
    expect(written.refused).toEqual([
      { line: 2, key: 'a', reason: 'a already exists.' },
      { line: 3, key: 'x', reason: 'You may not.' },
    ]);
  });

  it('tries first what went well last', async () => {
    const keys = ['a', 'b', 'c'];
    const server = createFakeServer(keys.map((key) => [key, '{}']));
    const write = createBatchWriter({
      rule: 'replace',
      send: server.send,
      isOurs: unexpectedCall,
      again: unexpectedCall,
    });
    await write(membersOf(keys));
    expect(server.requests()).toBe(2);
    await write(membersOf(keys));
    expect(server.requests()).toBe(3);
  });

  it.each(['replace', 'skip', 'fail'] as const)(
    'knows its own batch again whose answer was lost (%s)',
    async (rule) => {
      const server = createFakeServer([['b', '{}']]);
      const lost = new KeystowClientError('network', 'The connection failed.');
      let isLost = false;
      const write = createBatchWriter({
        rule,
        async send(members) {
          const failures = await server.send(members);
          if (failures.length > 0 || isLost) return failures;
          isLost = true;
          throw lost;
        },
        isOurs: async ({ key, value }) => server.documents.get(key) === value,
        again: async (error) => expect(error).toBe(lost),
      });
      const written = await write(membersOf(['a', 'b', 'c']));
      expect(isLost).toBe(true);
      expect({ ...written, refused: written.refused.length }).toEqual({
        created: 2,
        replaced: rule === 'replace' ? 1 : 0,
        skipped: rule === 'skip' ? 1 : 0,
        refused: rule === 'fail' ? 1 : 0,
      });
    },
  );

  it('counts what others have created as theirs, though an answer was lost', async () => {
    const server = createFakeServer([['a', '{"of":"others"}']]);
    let attempts = 0;
    const write = createBatchWriter({
      rule: 'skip',
      async send(members) {
        attempts += 1;
        if (attempts === 1) throw new KeystowClientError('network', 'The connection failed.');
        return server.send(members);
      },
      isOurs: async ({ key, value }) => server.documents.get(key) === value,
      again: async () => {},
    });
    expect(await write(membersOf(['a']))).toMatchObject({ created: 0, skipped: 1 });
    expect(server.documents.get('a')).toBe('{"of":"others"}');
  });

  it('sends less at once where a proxy takes no more', async () => {
    const server = createFakeServer([['c', '{}']]);
    const write = createBatchWriter({
      rule: 'skip',
      async send(members) {
        const isTooLarge = members.length > 2 || members.some(({ key }) => key === 'large');
        if (isTooLarge) throw new KeystowClientError('unexpected', 'Too large.', { status: 413 });
        return server.send(members);
      },
      isOurs: unexpectedCall,
      again: unexpectedCall,
    });
    const written = await write(membersOf(['a', 'b', 'c', 'large', 'd']));
    expect(written).toMatchObject({ created: 3, skipped: 1, refused: [{ line: 4, key: 'large' }] });
    expect([...server.documents.keys()].sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('ends where there is to be no other attempt', async () => {
    const write = createBatchWriter({
      rule: 'replace',
      send: () => Promise.reject(new KeystowClientError('disk-full', 'The disk is full.')),
      isOurs: unexpectedCall,
      again: (error) => Promise.reject(error),
    });
    await expect(write(membersOf(['a']))).rejects.toMatchObject({ code: 'disk-full' });
  });
});
