import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { seededBytes } from './seeded-bytes.ts';

/** A folder as people have them, only worse: always the same 500 files, whose names are what clients trip over. */

export interface OddFile {
  /** Relative, with `/`. */
  readonly path: string;
  readonly size: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** Each of them somewhere in a path of its own, and some of them in folders, too. */
const NAMES = [
  ...['with space', ' leading space', 'trailing space ', 'two  spaces', ' ', '   '],
  ...['a+b', '+', 'a%2Fb', 'a%20b', '%', '%%', '100%', '%41', '%zz', '%00'],
  ...["it's", '"quoted"', "'", '"', '`ticks`', 'a&b', '&amp;', '<tag>', 'a<b>c', '&<>"\'', ']]>'],
  ...['a\\b', '\\', 'ends with \\', '\\u0041', 'C:\\Users\\x', 'a:b', 'a|b', 'a*b', 'a?b', '?acl'],
  ...['a#b', '#', 'a;b', 'a,b', 'a=b', '=', 'a@b', '@', 'a!b', 'a$b', '$(id)', '$' + '{filename}'],
  ...['(brackets)', '[brackets]', '{brackets}', '~', '~home', '^', '_', '-', '--delete', '-rf'],
  ...['.hidden', '.', '..', '...', '..two', 'dot.', '.a.b.', 'a..b', 'no extension', 'a.tar.gz'],
  // Composed and decomposed: two files, however alike they look.
  ...[
    'caf\u00e9',
    'cafe\u0301',
    '\u00c5ngstr\u00f6m',
    'A\u030angstro\u0308m',
    '\ud55c\uae00',
    '\u1112\u1161\u11ab',
  ],
  ...[
    '\u65e5\u672c\u8a9e',
    '\u05e2\u05d1\u05e8\u05d9\u05ea',
    '\u0627\u0644\u0639\u0631\u0628\u064a\u0629',
    '\u0939\u093f\u0928\u094d\u0926\u0940',
    'na\u00efve \u2014 \u201cquotes\u201d',
  ],
  ...[
    '\u{1f600}',
    '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
    '\u{1f1ea}\u{1f1fa}',
    'a\ufe0fb',
    '\u{10fffd}',
    '\ufffd',
    '\ufffc',
  ],
  // They look like nothing.
  ...['\u00a0', '\u200b', '\u2003', '\u2028', '\ufeff', '\u00ad'],
  ...['tab\there', 'line\nbreak', 'return\rhere', '\u0001control', 'del\u007f', 'escape\u001b[31m'],
  ...['null', 'undefined', 'NaN', '0', '-1', 'true', '__proto__', 'constructor', 'index.html'],
  ...['data', 'api', 'console', 'uploads', 'CON', 'nul', 'aux.txt', 'Thumbs.db', 'UPPER', 'upper'],
  // As long as a file system takes them, and in bytes of UTF-8 the same.
  ...[
    'l'.repeat(255),
    '\u00e4'.repeat(127),
    '\u{1f600}'.repeat(63),
    `${'%41'.repeat(85)}`,
    '&'.repeat(200),
  ],
].filter((name) => name !== '.' && name !== '..');

const FOLDERS = [
  '',
  'a folder/',
  'plus+folder/',
  '%2F/',
  'd\u00e9j\u00e0 vu/',
  'd\u0065\u0301ja\u0300 vu/',
  '.git/',
  '\u{1f4c1}/',
];
const DEEP = `${Array.from({ length: 40 }, (_, at) => `level ${at}`).join('/')}/`;
/** Under the 1,024 bytes that a key may have, with room for a prefix. */
const LONG = `${['x', 'y', 'z'].map((letter) => letter.repeat(250)).join('/')}/`;
const TOTAL = 500;

export const oddFiles: readonly OddFile[] = describeFiles();

function describeFiles(): OddFile[] {
  const paths = NAMES.map((name) => `names/${name}`);
  for (const folder of FOLDERS)
    paths.push(`folders/${folder}one file`, `folders/${folder}\u00fc & more+`);
  paths.push(`${DEEP}bottom`, `${LONG}${'w'.repeat(255)}`, 'at the top', '.at the top');
  // A file beside a folder whose name continues the file's: their keys and those of a walk sort differently.
  for (const end of ['', '.txt', '-x', '0', '/inside', ' x/inside'])
    paths.push(`beside/a${end === '' ? '_' : end}`);
  const sizes = new Map<string, number>();
  paths.forEach((path, at) => {
    sizes.set(path, at % 11 === 0 ? 0 : 1 + at * 7);
  });
  const large = [100, 128, 200, 256, 300, 512, 700, 1024, 1500, 2048, 5120, 5121, 6144];
  for (const size of large) sizes.set(`large/${size} KiB + 1`, size * KIB + 1);
  sizes.set('large/exactly 5 MiB', 5 * MIB);
  // Either side of what lies in the database itself.
  for (const size of [64 * KIB - 1, 64 * KIB, 64 * KIB + 1]) sizes.set(`large/${size}`, size);
  for (let at = 0; sizes.size < TOTAL; at += 1) {
    sizes.set(
      `many/${at % 7}/save ${String(at).padStart(3, '0')}.sav`,
      at % 13 === 0 ? 0 : at * 37,
    );
  }
  return [...sizes].map(([path, size]) => ({ path, size }));
}

/** What `takes` refuses is left out. Resolves with what was written. */
export async function writeOddTree(
  folder: string,
  takes: (path: string) => boolean = () => true,
): Promise<readonly OddFile[]> {
  const files = oddFiles.filter(({ path }) => takes(path));
  for (const { path, size } of files) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, seededBytes(path, size));
  }
  return files;
}
