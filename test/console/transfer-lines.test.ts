import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Batch, toBatches } from '../../console/views/transfer/batches.ts';
import { checkLines } from '../../console/views/transfer/check-lines.ts';
import { commonPrefix } from '../../console/views/transfer/common-prefix.ts';
import { exportName } from '../../console/views/transfer/export-name.ts';
import { whyNoLines } from '../../console/views/transfer/file-kind.ts';
import { chunksOf, type ReadLine, readRecords } from '../../console/views/transfer/read-records.ts';
import { whyNoDocument } from '../../console/views/transfer/record-rules.ts';
import { createSeenKeys } from '../../console/views/transfer/seen-keys.ts';
import { createStopwatch } from '../../console/views/transfer/stopwatch.ts';
import { formatLeft, secondsLeft } from '../../console/views/transfer/time-left.ts';
import { jsonTexts } from '../json/json-texts.ts';
import { collect } from '../support/collect.ts';

const noon = new Date(2026, 2, 7, 12);

function linesOf(text: string | Buffer<ArrayBuffer>, maxLineBytes?: number) {
  return readRecords(chunksOf(new Blob([text]).stream()), maxLineBytes);
}

function recordAt(number: number, key: string, bytes = 10): ReadLine {
  return { number, end: number * bytes, bytes, record: { key, value: '{}' } };
}

async function* given<Item>(items: readonly Item[]): AsyncGenerator<Item, void> {
  yield* items;
}

describe('the name of an export', () => {
  it.each([
    ['', 'keystow-2026-03-07.ndjson'],
    ['players/', 'keystow-players-2026-03-07.ndjson'],
    ['players/ada', 'keystow-players-ada-2026-03-07.ndjson'],
    ['é/名前.', 'keystow-é-名前-2026-03-07.ndjson'],
    ['../../etc/passwd', 'keystow-etc-passwd-2026-03-07.ndjson'],
    ['\u202e<b>\n', 'keystow-b-2026-03-07.ndjson'],
    ['///', 'keystow-2026-03-07.ndjson'],
  ])('has the prefix %j', (prefix, name) => {
    expect(exportName(prefix, noon)).toBe(name);
  });

  it('stays one that any file system takes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (prefix) => {
        const name = exportName(prefix, noon);
        expect(name).toMatch(/^keystow-[\p{L}\p{N}._-]*2026-03-07\.ndjson$/u);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
      }),
    );
  });
});

describe('lines of an import', () => {
  it('keep the text of their values', async () => {
    const documents = jsonTexts.filter(({ compact }) => /^[{[]/.test(compact));
    await fc.assert(
      fc.asyncProperty(fc.array(documents, { maxLength: 5 }), async (values) => {
        const texts = values.map(({ spaced }) => spaced.replace(/[\r\n]/g, ' ').trim());
        const file = texts.map((text, at) => `{"key":"k${at}","etag":"\\"1\\"","value":${text}}\n`);
        const read = await collect(linesOf(file.join('\n')));
        expect(read.map((line) => ('record' in line ? line.record.value : line.problem))).toEqual(
          texts,
        );
      }),
    );
  });

  it('say what is wrong with them, by their numbers', async () => {
    const read = await collect(
      linesOf(
        Buffer.concat([
          Buffer.from('{"key":"a","value":{}}\n\nnonsense\n{"key":"b","value":1}\n'),
          Buffer.from([0x22, 0xff, 0x22, 0x0a]),
          Buffer.from(`{"key":"long","value":{"n":"${'x'.repeat(80)}"}}`),
        ]),
        80,
      ),
    );
    const problems = read.map((line) => [
      line.number,
      'problem' in line ? line.problem : line.record.key,
    ]);
    expect(problems).toEqual([
      [1, 'a'],
      [3, 'the line must be JSON, such as {"key":"a","value":{}}.'],
      [4, '"value" must be a JSON object or array.'],
      [5, 'the line must be valid UTF-8.'],
      [6, 'the line has more than 80 bytes.'],
    ]);
  });

  it('are held to what the server takes', () => {
    const why = (key: string, value = '{}') => whyNoDocument({ key, value });
    expect(why('é'.repeat(256))).toBeUndefined();
    expect(why(`${'é'.repeat(256)}a`)).toMatch(/512 bytes/);
    expect(why('😀'.repeat(128))).toBeUndefined();
    expect(why('a\0')).toMatch(/NUL/);
    expect(why('a', '"{}"')).toMatch(/object or array/);
    expect(why('a', `${'['.repeat(1_000)}${']'.repeat(1_000)}`)).toBeUndefined();
    expect(why('a', `${'['.repeat(1_001)}${']'.repeat(1_001)}`)).toMatch(/1000 levels/);
    expect(why('a', `["${'['.repeat(2_000)}\\"["]`)).toBeUndefined();
  });
});

describe('the check before an import', () => {
  it('counts, names the first twenty of what is broken, and what comes twice', async () => {
    const broken = Array.from({ length: 30 }, (_, at): ReadLine => {
      return { number: at + 1, end: at + 1, problem: 'broken.' };
    });
    const lines = [...broken, recordAt(31, 'a'), recordAt(32, 'b'), recordAt(33, 'a')];
    const checked = await checkLines(given(lines), () => undefined);
    expect(checked).toMatchObject({
      lines: 33,
      documents: 3,
      repeated: 1,
      firstRepeated: [33],
      knowsAllKeys: true,
      broken: { count: 30 },
    });
    expect(checked.broken.first.map(({ line }) => line)).toEqual(
      Array.from({ length: 20 }, (_, at) => at + 1),
    );
  });

  it('goes on only when the page has had its turn', async () => {
    let isResting = false;
    const checked = await checkLines(given([recordAt(1, 'a'), recordAt(2, 'b')]), async () => {
      expect(isResting).toBe(false);
      isResting = true;
      await new Promise((resolve) => setTimeout(resolve));
      isResting = false;
    });
    expect(checked.lines).toBe(2);
    expect(isResting).toBe(false);
  });

  it('knows the keys that it has met', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 3 })), (keys) => {
        const seen = createSeenKeys();
        const met = new Set<string>();
        for (const key of keys) {
          expect(seen.meet(key)).toBe(met.has(key));
          met.add(key);
        }
      }),
    );
    const many = createSeenKeys(50_000);
    const keys = Array.from({ length: 50_000 }, (_, at) => `players/${at}`);
    expect(keys.filter((key) => many.meet(key) !== false)).toEqual([]);
    expect(keys.filter((key) => many.meet(key) !== true)).toEqual([]);
    expect(many.meet('one more')).toBeUndefined();
  });

  it('tells files that have no lines', () => {
    const tar = Buffer.alloc(512);
    tar.write('ustar', 257);
    const why = (start: string | number[]) =>
      whyNoLines(typeof start === 'string' ? Buffer.from(start) : Uint8Array.from(start));
    expect(whyNoLines(tar)).toMatch(/tar archive.*keystow restore/);
    expect(why('{"key":"data/a","version":17,"text":"{}"}\n')).toMatch(/backup.*keystow restore/);
    expect(why([0x1f, 0x8b, 8])).toMatch(/gzip/);
    expect(why([0xff, 0xfe, 0x7b, 0])).toMatch(/UTF-16/);
    expect(why([0x7b, 0x00])).toMatch(/binary/);
    expect(why('')).toMatch(/empty/);
    expect(why('{"key":"a","value":{}}')).toBeUndefined();
    expect(why('\ufeff{"key":"a","value":{"version":17,"text":""}}')).toBeUndefined();
  });
});

describe('batches of an import', () => {
  const limits = { members: 4, bytes: 1_000 };

  it('have all lines in their order, no key twice, and no more than is allowed', async () => {
    const line = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      bytes: fc.integer({ min: 10, max: 900 }),
      isBroken: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 40 }), async (specs) => {
        const lines = specs.map(({ key, bytes, isBroken }, at): ReadLine => {
          const number = at + 1;
          return isBroken
            ? { number, end: number, problem: 'broken.' }
            : { ...recordAt(number, key, bytes), end: number };
        });
        const batches: Batch[] = await collect(toBatches(given(lines), limits));
        expect(batches.flatMap(({ members }) => members.map((member) => member.line))).toEqual(
          lines.flatMap((read) => ('record' in read ? read.number : [])),
        );
        expect(batches.flatMap(({ broken }) => broken.map((problem) => problem.line))).toEqual(
          lines.flatMap((read) => ('problem' in read ? read.number : [])),
        );
        expect(batches.at(-1)?.end ?? 0).toBe(lines.length);
        for (const { members, broken } of batches) {
          const keys = members.map(({ key }) => key);
          expect(new Set(keys).size).toBe(keys.length);
          expect(members.length + broken.length).toBeGreaterThan(0);
          expect(members.length).toBeLessThanOrEqual(limits.members);
          const bytes = members.reduce(
            (sum, member) => sum + (specs[member.line - 1]?.bytes ?? 0),
            0,
          );
          expect(members.length === 1 || bytes <= limits.bytes).toBe(true);
        }
      }),
    );
  });

  it('have a thousand members where they are small', async () => {
    const lines = Array.from({ length: 2_500 }, (_, at) => recordAt(at + 1, `k${at}`));
    const batches = await collect(toBatches(given(lines)));
    expect(batches.map(({ members }) => members.length)).toEqual([1_000, 1_000, 500]);
  });
});

describe('what is told of an import', () => {
  it('has the time that is left', () => {
    expect(secondsLeft(0, 100, 5_000)).toBeUndefined();
    expect(secondsLeft(50, 100, 100)).toBeUndefined();
    expect(secondsLeft(25, 100, 10_000)).toBe(30);
    expect(formatLeft(0.2)).toBe('about 1 s left');
    expect(formatLeft(130)).toBe('about 2 min left');
    expect(formatLeft(9_000)).toBe('about 2.5 h left');
  });

  it('does not count pauses', () => {
    let now = 0;
    const watch = createStopwatch(() => now);
    now = 10;
    watch.run(false);
    now = 100;
    expect(watch.elapsed()).toBe(10);
    watch.run(true);
    now = 105;
    expect(watch.elapsed()).toBe(15);
  });

  it('has what all keys begin with', () => {
    expect(commonPrefix('players/ada', 'players/bob')).toBe('players/');
    expect(commonPrefix('a', 'b')).toBe('');
    expect(commonPrefix('a😀', 'a😁')).toBe('a');
    expect(commonPrefix('a😀', 'a😀b')).toBe('a😀');
  });
});
