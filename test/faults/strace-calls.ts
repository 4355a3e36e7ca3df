/** Reads what `strace -f -y -o FILE` writes: pure. */

/** One system call on a file or socket. */
export interface Call {
  readonly name: string;
  /** What `-y` says of the descriptor: a path, or `socket:[inode]`. Of a rename the new path. */
  readonly path: string;
  /** The bytes that it was given, one character (U+0000 to U+00FF) each. Of a rename the old path. */
  readonly data: string;
  /** What it returned; undefined where the process ended before. */
  readonly result: number | undefined;
  /** Lines of the trace on which it began and ended: other threads may have lines in between. */
  readonly begin: number;
  readonly end: number;
}

const STRINGS = /"((?:[^"\\]|\\.)*)"(\.\.\.)?/g;
const UNFINISHED = ' <unfinished ...>';

/** Throws where strace has shortened a string: what is missing could be what is looked for. */
export function parseCalls(trace: string): Call[] {
  const calls: Call[] = [];
  const unfinished = new Map<string, { text: string; begin: number }>();
  for (const [number, line] of trace.split('\n').entries()) {
    const [, pid, said] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (pid === undefined || said === undefined) continue;
    if (said.endsWith(UNFINISHED)) {
      unfinished.set(pid, { text: said.slice(0, -UNFINISHED.length), begin: number });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(said);
    const before = unfinished.get(pid);
    if (resumed && before) unfinished.delete(pid);
    const text = resumed && before ? before.text + resumed[1] : said;
    const call = parseCall(text, resumed && before ? before.begin : number, number);
    if (call) calls.push(call);
  }
  for (const { text, begin } of unfinished.values()) {
    const call = parseCall(text, begin, Number.POSITIVE_INFINITY);
    if (call) calls.push(call);
  }
  return calls;
}

function parseCall(text: string, begin: number, end: number): Call | undefined {
  if (/^rename/.test(text)) return parseRename(text, begin, end);
  const [, name, path, rest] = /^(\w+)\(\d+<([^>]*)>(.*)$/.exec(text) ?? [];
  if (name === undefined || path === undefined || rest === undefined) return undefined;
  const strings = [...rest.matchAll(STRINGS)];
  if (strings.some(([, , dots]) => dots !== undefined)) {
    throw new Error(`strace shortened a string on line ${begin + 1}: raise -s.`);
  }
  const data = strings.map(([, string]) => decodeEscapes(string ?? '')).join('');
  return { name, path, data, result: resultOf(rest), begin, end };
}

/** `rename("OLD", "NEW") = 0`; the names of its relatives come behind descriptors. */
function parseRename(text: string, begin: number, end: number): Call | undefined {
  const [data, path] = [...text.matchAll(STRINGS)].map(([, string]) => decodeEscapes(string ?? ''));
  if (data === undefined || path === undefined) return undefined;
  return { name: 'rename', path, data, result: resultOf(text), begin, end };
}

function resultOf(text: string): number | undefined {
  const result = /\) += (-?\d+)(?: |$)/.exec(text.slice(lastQuote(text)))?.[1];
  return result === undefined ? undefined : Number(result);
}

/** Behind all strings, so that nothing in them is taken for the result. */
function lastQuote(text: string): number {
  return text.lastIndexOf('"') + 1;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  v: '\v',
  f: '\f',
};

function decodeEscapes(text: string): string {
  return text.replace(/\\([0-7]{1,3}|.)/g, (_, escaped: string) =>
    /^[0-7]/.test(escaped)
      ? String.fromCharCode(Number.parseInt(escaped, 8))
      : (ESCAPES[escaped] ?? escaped),
  );
}
