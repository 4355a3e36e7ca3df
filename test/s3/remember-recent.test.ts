import { describe, expect, it } from 'vitest';
import { rememberRecent } from '../../server/s3/remember-recent.ts';

describe('what is remembered of texts', () => {
  const setUp = () => {
    const read: string[] = [];
    const remembered = rememberRecent(
      (text) => {
        read.push(text);
        if (text === 'bad') throw new Error('bad');
        return { text };
      },
      { texts: 2, chars: 5 },
    );
    return { read, remembered };
  };

  it('is given back for an equal text', () => {
    const { read, remembered } = setUp();
    expect(remembered('a')).toBe(remembered('a'));
    expect(read).toEqual(['a']);
  });

  it('is of the last texts only, and of none that is long', () => {
    const { read, remembered } = setUp();
    for (const text of ['a', 'b', 'c', 'b', 'c', 'a', 'longer', 'longer']) remembered(text);
    expect(read).toEqual(['a', 'b', 'c', 'a', 'longer', 'longer']);
  });

  it('is nothing where reading throws', () => {
    const { read, remembered } = setUp();
    for (let times = 0; times < 2; times += 1) expect(() => remembered('bad')).toThrow('bad');
    expect(read).toEqual(['bad', 'bad']);
  });
});
