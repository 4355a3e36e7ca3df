import { formatCount } from '../../parts/amounts.ts';

/** Such as `1 document` and `5,000 documents`. */
export function countOf(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`;
}
