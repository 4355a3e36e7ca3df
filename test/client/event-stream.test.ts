import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ServerEvent, serverEvents } from '../../shared/client/event-stream.ts';
import { textLines } from '../../shared/client/text-lines.ts';
import { collect } from '../support/collect.ts';
import { runs } from '../support/long-runs.ts';

function bodyOf(bytes: Uint8Array, cuts: readonly number[] = []): ReadableStream<Uint8Array> {
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const chunks = [...ends, bytes.length].map((end, index) =>
    bytes.slice(index === 0 ? 0 : ends[index - 1], end),
  );
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

async function linesOf(text: string, cuts: readonly number[] = []): Promise<string[]> {
  return collect(textLines(bodyOf(new TextEncoder().encode(text), cuts)));
}

async function eventsOf(text: string, cuts: readonly number[] = []): Promise<ServerEvent[]> {
  return collect(serverEvents(textLines(bodyOf(new TextEncoder().encode(text), cuts))));
}

describe('the lines of a body', () => {
  it('end with any of the three ends, wherever chunks do', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(fc.constantFrom('', 'a', 'ü😀', 'data: x'), fc.constantFrom('\n', '\r\n')),
        ),
        fc.array(fc.nat()),
        async (lines, cuts) => {
          const text = lines.map(([line, end]) => line + end).join('');
          expect(await linesOf(text, cuts)).toEqual(lines.map(([line]) => line));
        },
      ),
      { numRuns: runs(200, 5_000) },
    );
    expect(await linesOf('a\rb\r\nc', [2, 4, 5])).toEqual(['a', 'b', 'c']);
  });
});

describe('server-sent events', () => {
  it('have their data, their name and their id', async () => {
    expect(
      await eventsOf(
        'retry: 1\n\n: hi\nid: 7\n\nid: 8\nevent: change\ndata: {\ndata:  }\n\ndata\n\n',
      ),
    ).toEqual([
      { event: '', data: '', id: undefined },
      { event: '', data: '', id: '7' },
      { event: 'change', data: '{\n }', id: '8' },
      { event: 'message', data: '', id: undefined },
    ]);
  });

  it('that are cut off are none', async () => {
    expect(await eventsOf('id: 1\ndata: a\n\nid: 2\ndata: b')).toHaveLength(1);
  });
});
