import { intBetween, pick, type Random } from '../faults/random.ts';

const KINDS = ['whole', 'bytes', 'anywhere', 'at delimiters', 'even'] as const;

/** A body in the pieces in which it might arrive; undefined for one piece. */
export function randomSplit(random: Random, body: Buffer, boundary: string): Buffer[] | undefined {
  switch (pick(random, KINDS)) {
    case 'whole':
      return undefined;
    case 'bytes':
      return body.length > 2_000 ? undefined : cutEvery(body, 1);
    case 'anywhere':
      return cutAt(
        body,
        Array.from({ length: 8 }, () => intBetween(random, 0, body.length)),
      );
    case 'at delimiters':
      return cutAt(body, nearDelimiters(random, body, boundary));
    case 'even':
      return cutEvery(body, pick(random, body.length > 20_000 ? [1_024, 65_536] : [7, 64, 1_024]));
  }
}

function nearDelimiters(random: Random, body: Buffer, boundary: string): number[] {
  const cuts: number[] = [];
  const last = boundary.length + 6;
  for (let at = body.indexOf(boundary); at !== -1; at = body.indexOf(boundary, at + 1)) {
    cuts.push(at + intBetween(random, -4, last));
  }
  return cuts.slice(0, 100);
}

function cutEvery(body: Buffer, size: number): Buffer[] {
  return cutAt(
    body,
    Array.from({ length: Math.floor(body.length / size) }, (_, index) => index * size),
  );
}

function cutAt(body: Buffer, offsets: readonly number[]): Buffer[] {
  const sorted = [...new Set([0, ...offsets, body.length])]
    .filter((offset) => offset >= 0 && offset <= body.length)
    .sort((a, b) => a - b);
  return sorted.slice(1).map((end, index) => body.subarray(sorted[index], end));
}
