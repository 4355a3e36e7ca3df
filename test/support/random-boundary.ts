import { intBetween, pick, type Random } from '../faults/random.ts';

const TOKEN = "0123456789ABCXYZabcxyz'+_-.";
const ALL = `${TOKEN}(),/:=? `;

const SHAPES = ['browser', 'console', 'token', 'any', 'dashes', 'short', 'longest'] as const;

/** A boundary as RFC 2046 allows them, from 1 to 70 characters. */
export function randomBoundary(random: Random): string {
  switch (pick(random, SHAPES)) {
    case 'browser':
      return `----WebKitFormBoundary${randomText(random, TOKEN.slice(0, 22), 16)}`;
    case 'console':
      return `--------BOUNDARY--------${randomText(random, '0123456789ABCDEF', 16)}--`;
    case 'token':
      return randomText(random, TOKEN, intBetween(random, 8, 40));
    case 'any':
      return endVisibly(random, randomText(random, ALL, intBetween(random, 8, 70)));
    case 'dashes': {
      const middle = randomText(random, ALL, intBetween(random, 0, 30));
      return `${dashes(random, 0)}${middle}${dashes(random, 1)}`;
    }
    case 'short':
      return endVisibly(random, randomText(random, ALL, intBetween(random, 1, 3)));
    case 'longest':
      return endVisibly(random, randomText(random, ALL, 70));
  }
}

/** Whether a boundary may stand in a Content-Type without quotes. */
export function isToken(boundary: string): boolean {
  return !/[(),/:=? ]/.test(boundary);
}

function randomText(random: Random, alphabet: string, length: number): string {
  return Array.from(
    { length },
    () => alphabet[intBetween(random, 0, alphabet.length - 1)] ?? '',
  ).join('');
}

function dashes(random: Random, min: number): string {
  return '-'.repeat(intBetween(random, min, 10));
}

function endVisibly(random: Random, text: string): string {
  return text.replace(/ $/, () => randomText(random, TOKEN, 1));
}
