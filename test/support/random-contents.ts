import { createHash } from 'node:crypto';
import { intBetween, pick, type Random } from '../faults/random.ts';

const KINDS = ['given', 'given', 'size', 'near', 'near', 'line ends'] as const;

/** A file's bytes: as given, of a telling size, or close to what ends a part. */
export function randomContent(random: Random, boundary: string, given: Buffer): Buffer {
  switch (pick(random, KINDS)) {
    case 'given':
      return given;
    case 'size':
      return randomBytes(random, pick(random, [0, 1, 2, 65_535, 65_536, 65_537, 131_072]));
    case 'near':
      return nearBoundary(random, boundary);
    case 'line ends':
      return Buffer.from(repeat(random, 40, () => pick(random, ['\r', '\n', '\r\n', '-', '--'])));
  }
}

/** Whether the delimiters of a form would be found within a content as well. */
export function holdsDelimiter(content: Buffer, boundary: string): boolean {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  return Buffer.concat([Buffer.from('\r\n'), content, Buffer.from('\r\n')]).includes(delimiter);
}

function nearBoundary(random: Random, boundary: string): Buffer {
  const delimiter = `\r\n--${boundary}`;
  return Buffer.from(
    repeat(random, 12, () =>
      pick(random, [
        delimiter.slice(0, intBetween(random, 1, delimiter.length - 1)),
        delimiter.slice(1),
        delimiter.slice(2),
        `\n--${boundary}\n`,
        `\r\n-${boundary}--\r\n`,
        `\r\n --${boundary}`,
        `\r${delimiter.slice(0, -1)}\r\n`,
        'x',
      ]),
    ),
    'latin1',
  );
}

function randomBytes(random: Random, size: number): Buffer {
  const seed = createHash('sha256').update(String(random())).digest();
  return Buffer.alloc(size, seed);
}

function repeat(random: Random, most: number, piece: () => string): string {
  return Array.from({ length: intBetween(random, 0, most) }, piece).join('');
}
