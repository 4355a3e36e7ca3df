import { describe, expect, it } from 'vitest';
import { checkMultiparts, type FoundObject } from './check-multiparts.ts';
import {
  createMultipartLedger,
  type MultipartLedger,
  type OpenUpload,
  partState,
  partsState,
} from './multipart-ledger.ts';
import { md5Of } from './upload-client.ts';

/**
 * The story of all tests: `done` was made of two parts; `open` has an upload with two; `ending` is being
 * completed over an older object, `aborting` aborted; `sending` has a part under way, `new` its beginning.
 */

const large = Buffer.alloc(70_000, 'large');
const other = Buffer.alloc(80_000, 'other');
const small = Buffer.from('small');

function story(): MultipartLedger {
  const ledger = createMultipartLedger();
  const begin = (key: string): void => {
    ledger.begin(key, { kind: 'begin' });
    ledger.acknowledge(key, `${key}-id`);
  };
  const send = (key: string, number: number, bytes: Buffer): void => {
    ledger.begin(key, { kind: 'part', id: `${key}-id`, number, part: partState(bytes) });
    ledger.acknowledge(key);
  };
  const complete = (key: string, parts: readonly Buffer[]): void =>
    ledger.begin(key, {
      kind: 'complete',
      id: `${key}-id`,
      object: partsState(parts.map(partState)),
    });
  begin('done');
  send('done', 1, large);
  send('done', 2, small);
  complete('done', [large, small]);
  ledger.acknowledge('done');
  begin('open');
  send('open', 1, other);
  send('open', 3, small);
  begin('ending');
  send('ending', 1, small);
  complete('ending', [small]);
  begin('aborting');
  send('aborting', 1, small);
  ledger.begin('aborting', { kind: 'abort', id: 'aborting-id' });
  begin('sending');
  ledger.begin('sending', { kind: 'part', id: 'sending-id', number: 1, part: partState(small) });
  ledger.begin('new', { kind: 'begin' });
  return ledger;
}

const absent: FoundObject = {
  status: 404,
  etag: undefined,
  bytes: Buffer.alloc(0),
  isWhole: true,
};

function madeOf(...parts: readonly Buffer[]): FoundObject {
  const { etag } = partsState(parts.map(partState));
  return { status: 200, etag, bytes: Buffer.concat(parts), isWhole: true };
}

function upload(key: string, parts: Readonly<Record<number, Buffer>> = {}): OpenUpload {
  const states = Object.entries(parts).map(
    ([number, bytes]) => [Number(number), partState(bytes)] as const,
  );
  return { key, id: `${key}-id`, parts: new Map(states) };
}

const objects: Readonly<Record<string, FoundObject>> = {
  done: madeOf(large, small),
  ending: absent,
  aborting: absent,
  sending: absent,
  new: absent,
};
const uploads: Readonly<Record<string, OpenUpload>> = {
  open: upload('open', { 1: other, 3: small }),
  ending: upload('ending', { 1: small }),
  aborting: upload('aborting', { 1: small }),
  sending: upload('sending'),
};
const files: Readonly<Record<string, Buffer>> = { 'a/1': large, 'b/2': other };

function check(
  changes: {
    objects?: Readonly<Record<string, FoundObject>>;
    uploads?: Readonly<Record<string, OpenUpload | undefined>>;
    files?: Readonly<Record<string, Buffer>>;
  } = {},
): string {
  const open = Object.values({ ...uploads, ...changes.uploads }).flatMap((some) => some ?? []);
  return checkMultiparts(story(), {
    objects: new Map(Object.entries({ ...objects, ...changes.objects })),
    uploads: new Map(open.map((some) => [some.id, some])),
    files: new Map(
      Object.entries(changes.files ?? files).map(([file, bytes]) => [file, md5Of(bytes)]),
    ),
  }).join('\n');
}

describe('accepts', () => {
  it('the acknowledged state', () => {
    expect(check()).toBe('');
  });

  it('unanswered calls that were wholly done', () => {
    const done = {
      objects: { ending: madeOf(small) },
      uploads: {
        ending: undefined,
        aborting: undefined,
        sending: upload('sending', { 1: small }),
        new: upload('new'),
      },
    };
    expect(check(done)).toBe('');
  });
});

describe('reports', () => {
  it.each([
    ['a lost object', { objects: { done: absent } }, 'done: lost or torn'],
    ['one with other bytes', { objects: { done: madeOf(large) } }, 'done: lost or torn'],
    [
      'one whose bytes are not its ETag',
      { objects: { done: { ...madeOf(large, small), bytes: Buffer.concat([small, large]) } } },
      'done: lost or torn',
    ],
    [
      'one that breaks off',
      { objects: { done: { ...madeOf(large, small), isWhole: false } } },
      'done: lost or torn',
    ],
    ['a lost upload', { uploads: { open: undefined } }, 'the open upload open-id is lost'],
    ['a lost part', { uploads: { open: upload('open', { 1: other }) } }, 'part 3 of open-id'],
    [
      'another part',
      { uploads: { open: upload('open', { 1: other, 3: large }) } },
      'part 3 of open-id',
    ],
    [
      'a part of nowhere',
      { uploads: { open: upload('open', { 1: other, 2: small, 3: small }) } },
      'part 2 of open-id',
    ],
    ['half a completion', { uploads: { ending: undefined } }, 'open upload ending-id is lost'],
    ['the other half', { objects: { ending: madeOf(small) } }, 'ending-id is still open'],
    ['an upload that was ended', { uploads: { done: upload('done') } }, 'nobody began the upload'],
    [
      'a new upload that has parts',
      { uploads: { new: upload('new', { 1: small }) } },
      'nobody began the upload',
    ],
    ['a file of nothing', { files: { ...files, 'c/3': small } }, 'c/3: left behind'],
    ['a file that is missing', { files: { 'a/1': large } }, 'no file has the bytes of a part'],
  ])('%s', (_name, changes, problem) => {
    expect(check(changes)).toContain(problem);
  });
});
