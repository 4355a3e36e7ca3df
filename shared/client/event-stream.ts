/**
 * Server-Sent Events: https://html.spec.whatwg.org/multipage/server-sent-events.html. EventSource itself
 * cannot send credentials, and hides both errors and the ids of blocks without data.
 */
export interface ServerEvent {
  /** `message` where the block names none; empty for a block without data. */
  readonly event: string;
  readonly data: string;
  /** Of this block. */
  readonly id: string | undefined;
}

/** A block for every empty line, comments alone included; one that the end cuts off is left out. */
export async function* serverEvents(
  lines: AsyncIterable<string>,
): AsyncGenerator<ServerEvent, void> {
  let event = '';
  let data: string[] = [];
  let id: string | undefined;
  for await (const line of lines) {
    if (line === '') {
      yield { event: data.length > 0 ? event || 'message' : '', data: data.join('\n'), id };
      event = '';
      data = [];
      id = undefined;
      continue;
    }
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') event = value;
    if (name === 'data') data.push(value);
    if (name === 'id' && !value.includes('\0')) id = value;
  }
}
