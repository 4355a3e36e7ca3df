import { expect, it } from 'vitest';
import type { Change } from '../../shared/changes.ts';
import { checkFeed, type FeedWrite, type Told } from './check-feed.ts';

/** The checker reports what it is there for. */

const COUNT = 12;
/** Every third is a deletion, of which the writer was told no number. */
const writes: FeedWrite[] = Array.from({ length: COUNT }, (_, i) => ({
  writer: `writer-${i % 2}`,
  url: `/data/${i}`,
  type: i % 3 === 2 ? 'delete' : 'put',
  outcome: 'acknowledged',
  ...(i % 3 === 2 ? {} : { sequence: 10 + i }),
}));
const told: Told[] = writes.map(({ url, type }, i) => ({
  change: { seq: 10 + i, type, url, at: '', ...(type === 'put' ? { etag: `"${10 + i}"` } : {}) },
}));

function changeAt(at: number): Change {
  const one = told[at];
  if (!one || !('change' in one)) throw new Error(`There is no change ${at}.`);
  return one.change;
}

const check = (feed: readonly Told[], all = writes) => checkFeed(feed, all, 9);

it('has nothing against a feed as it should be', () => {
  expect(check(told)).toEqual([]);
});

it('reports each missing change, whether its number is known or not', () => {
  for (let at = 0; at < COUNT; at += 1) {
    const problems = check(told.toSpliced(at, 1));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`/data/${at}:`);
    expect(problems[0]).toContain('not told');
  }
});

it('reports each doubled change', () => {
  for (let at = 0; at < COUNT; at += 1) {
    expect(check(told.toSpliced(at, 0, { change: changeAt(at) })).join()).toMatch(/was told after/);
  }
});

it('reports each swapped pair', () => {
  for (let at = 1; at < COUNT; at += 1) {
    const swapped = told
      .with(at, { change: changeAt(at - 1) })
      .with(at - 1, { change: changeAt(at) });
    expect(check(swapped).join()).toMatch(/was told after/);
  }
});

it('reports swapped numbers', () => {
  const swapped = told
    .with(2, { change: { ...changeAt(2), seq: 18 } })
    .with(8, { change: { ...changeAt(8), seq: 12 } })
    .sort((a, b) => ('change' in a && 'change' in b ? a.change.seq - b.change.seq : 0));
  expect(check(swapped).join()).toMatch(/written after/);
});

it('reports a change that nobody wrote, another url, another kind and another ETag', () => {
  const change = { seq: 99, type: 'put' as const, url: '/data/nobody', at: '' };
  expect(check([...told, { change }])).toEqual([expect.stringMatching(/nobody wrote/)]);
  for (const wrong of [{ url: '/data/other' }, { type: 'delete' as const }]) {
    expect(check(told.with(3, { change: { ...changeAt(3), ...wrong } })).length).toBeGreaterThan(0);
  }
  const other = told.with(3, { change: { ...changeAt(3), etag: '"5"' } });
  expect(check(other)).toEqual([expect.stringMatching(/has the ETag/)]);
});

it('lets an uncertain write be there or not, but not twice', () => {
  const uncertain = writes.with(3, {
    writer: 'writer-1',
    url: '/data/3',
    type: 'put',
    outcome: 'uncertain',
  });
  expect(check(told, uncertain)).toEqual([]);
  expect(check(told.toSpliced(3, 1), uncertain)).toEqual([]);
  const twice = [...told, { change: { ...changeAt(3), seq: 99 } }];
  expect(check(twice, uncertain)).toEqual([expect.stringMatching(/nobody wrote/)]);
});

it('lets a 410 stand for what it goes past, and for nothing else', () => {
  const gap = { after: 13, oldest: 16 };
  expect(check(told.toSpliced(4, 3, gap))).toEqual([]);
  expect(check(told.toSpliced(4, 4, gap))).toHaveLength(1);
  expect(check(told.toSpliced(3, 4, gap))).toEqual([expect.stringMatching(/13, and was not told/)]);
  expect(check(told.toSpliced(5, 2, gap)).join()).toMatch(/410 after 13, but 14 was known/);
  expect(check(told.toSpliced(4, 3, { after: 13, oldest: 12 })).join()).toMatch(/leads back/);
});
