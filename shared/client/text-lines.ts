/** The lines of a body, without their ends: `\n`, `\r\n` or `\r`. What follows the last end is a line too. */
export async function* textLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = '';
  let endsWithReturn = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      let more = done ? decoder.decode() : decoder.decode(value, { stream: true });
      // The second half of a line end that was told already.
      const isSecondHalf = endsWithReturn && more.startsWith('\n');
      if (more !== '') endsWithReturn = more.endsWith('\r');
      if (isSecondHalf) more = more.slice(1);
      const lines = (rest + more).split(/\r\n|\n|\r/);
      rest = lines.pop() ?? '';
      yield* lines;
      if (done) break;
    }
    if (rest !== '') yield rest;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
