import { expect, it } from 'vitest';
import { parseCalls } from './strace-calls.ts';

it('reads a call on one line', () => {
  expect(parseCalls('10 write(20</data/level/000003.log>, "a\\0\\"\\n\\3771", 6) = 6\n')).toEqual([
    {
      name: 'write',
      path: '/data/level/000003.log',
      data: 'a\0"\n\xff1',
      result: 6,
      begin: 0,
      end: 0,
    },
  ]);
});

it('joins the strings of writev and sendmsg', () => {
  const [call] = parseCalls(
    '10 writev(29<socket:[7]>, [{iov_base="HTTP/1.1 201", iov_len=12}, {iov_base="{}", iov_len=2}], 2) = 14',
  );
  expect(call).toMatchObject({ path: 'socket:[7]', data: 'HTTP/1.1 201{}', result: 14 });
});

it('joins what other threads interrupted', () => {
  const calls = parseCalls(
    [
      '10 fdatasync(20</d/1.log> <unfinished ...>',
      '11 write(21</d/head>, "1", 1 <unfinished ...>',
      '10 <... fdatasync resumed>)  = 0',
      '11 <... write resumed>)      = 1',
      '10 fsync(20</d/1.log>) = -1 EIO (Input/output error) (INJECTED)',
      '10 fsync(20</d/1.log> <unfinished ...>',
    ].join('\n'),
  );
  expect(calls).toEqual([
    { name: 'fdatasync', path: '/d/1.log', data: '', result: 0, begin: 0, end: 2 },
    { name: 'write', path: '/d/head', data: '1', result: 1, begin: 1, end: 3 },
    { name: 'fsync', path: '/d/1.log', data: '', result: -1, begin: 4, end: 4 },
    expect.objectContaining({ result: undefined, begin: 5, end: Number.POSITIVE_INFINITY }),
  ]);
});

it('is not misled by what was written', () => {
  const [call] = parseCalls('10 write(3<socket:[1]>, "\\") = 5 <unfinished ...>", 21) = 21');
  expect(call).toMatchObject({ data: '") = 5 <unfinished ...>', result: 21 });
});

it('leaves out what is no call on a file', () => {
  const lines = ['10 +++ exited with 0 +++', '10 --- SIGTERM {} ---', '', '10 getpid() = 10'];
  expect(parseCalls(lines.join('\n'))).toEqual([]);
});

it('refuses a shortened string', () => {
  expect(() => parseCalls('10 write(3</d/1.log>, "abc"..., 9) = 9')).toThrow('line 1');
});

it('reads a rename', () => {
  const calls = parseCalls(
    [
      '10 rename("/d/blobs/incoming/a", "/d/blobs/aa/a \\"1\\"") = 0',
      '10 renameat(AT_FDCWD</d>, "/d/x", AT_FDCWD</d>, "/d/y") = -1 EIO (Input/output error)',
    ].join('\n'),
  );
  expect(calls).toEqual([
    {
      name: 'rename',
      path: '/d/blobs/aa/a "1"',
      data: '/d/blobs/incoming/a',
      result: 0,
      begin: 0,
      end: 0,
    },
    expect.objectContaining({ name: 'rename', path: '/d/y', data: '/d/x', result: -1 }),
  ]);
});
