import { describe, expect, it } from 'vitest';
import { checkFsync } from './check-fsync.ts';

const TEXT = '{"begin":"m1"}';
const acknowledged = [{ text: TEXT, marker: 'm1' }];

/** A record of a LevelDB log as strace shows it. */
function record(payload: string, type = 1): string {
  const [low, high] = [payload.length % 256, Math.floor(payload.length / 256)];
  return `${'c'.repeat(4)}${String.fromCharCode(low, high, type)}${payload}`;
}

function quote(data: string): string {
  const escaped = data.replace(/["\\]|[^ -~]/g, (char) =>
    /["\\]/.test(char) ? `\\${char}` : `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  return `"${escaped}"`;
}

function write(path: string, data: string, result = data.length): string {
  return `10 write(20<${path}>, ${quote(data)}, ${data.length}) = ${result}`;
}

const LOG = '/d/level/000003.log';
const logged = write(LOG, record(`key${TEXT}more`));
const synced = `10 fdatasync(20<${LOG}>) = 0`;
const answered = write('socket:[1]', `HTTP/1.1 201 Created\r\n\r\n${TEXT}`);

function check(...lines: string[]): string[] {
  return checkFsync(lines.join('\n'), acknowledged);
}

describe('accepts', () => {
  it('write, sync, answer', () => {
    expect(check(logged, synced, answered)).toEqual([]);
    expect(check(logged, synced.replace('fdatasync', 'fsync'), answered)).toEqual([]);
  });

  it('an answer in a websocket frame after the upgrade', () => {
    const upgraded = write('socket:[1]', 'HTTP/1.1 101 Switching Protocols\r\n\r\n');
    const frame = write('socket:[1]', `\x81\x7e42["http message",{"data":${TEXT}}]`);
    expect(check(upgraded, logged, synced, frame)).toEqual([]);
    expect(check(upgraded, logged, frame, synced)).toHaveLength(1);
  });

  it('a record in several writes and blocks', () => {
    // The first block ends within the text, and the file is written in pieces of 4,096.
    const [first, second] = [TEXT.slice(0, 5), TEXT.slice(5)];
    const filling = 'x'.repeat(32_768 - 7 - 7 - first.length);
    const file = record(filling) + record(first, 2) + record(second, 4);
    expect(file.slice(0, 32_768)).toMatch(/\{"beg$/);
    const writes = (file.match(/.{1,4096}/gs) ?? []).map((piece) => write(LOG, piece));
    expect(check(...writes, synced, answered)).toEqual([]);
    // A sync before the last piece is none for it.
    expect(check(...writes.slice(0, -1), synced, ...writes.slice(-1), answered)).toHaveLength(1);
  });

  it('a short write that was completed', () => {
    const data = record(TEXT);
    expect(check(write(LOG, data, 9), write(LOG, data.slice(9)), synced, answered)).toEqual([]);
    expect(check(write(LOG, data, 9), synced, write(LOG, data.slice(9)), answered)).toHaveLength(1);
  });
});

describe('reports', () => {
  it.each([
    ['no sync', [logged, answered]],
    ['a sync before the write', [synced, logged, answered]],
    ['a sync after the answer', [logged, answered, synced]],
    ['a failed sync', [logged, synced.replace('= 0', '= -1 EIO (Input/output error)'), answered]],
    ['a sync of another file', [logged, synced.replace('000003', '000005'), answered]],
    ['an answer before the write', [answered, logged, synced]],
    [
      'a sync that began before the write ended',
      [
        logged.replace(') = ', ' <unfinished ...>').replace(/\d+$/, ''),
        `11 fdatasync(20<${LOG}> <unfinished ...>`,
        '10 <... write resumed>) = 28',
        '11 <... fdatasync resumed>) = 0',
        answered,
      ],
    ],
    [
      'a sync that ended after the answer began',
      [
        logged,
        `11 fdatasync(20<${LOG}> <unfinished ...>`,
        answered,
        '11 <... fdatasync resumed>) = 0',
      ],
    ],
    [
      'a status line that was sent before',
      [
        logged,
        write('socket:[1]', 'HTTP/1.1 201 Created\r\n\r\n'),
        synced,
        write('socket:[1]', TEXT),
      ],
    ],
  ])('%s', (_name, lines) => {
    expect(check(...lines)).toEqual([expect.stringContaining('no sync')]);
  });

  it('a write or an answer that is not there', () => {
    expect(check(synced, answered)).toEqual([expect.stringContaining('never written')]);
    expect(check(logged, synced)).toEqual([expect.stringContaining('not in the trace')]);
  });
});
