import { intBetween, pick, type Random } from '../faults/random.ts';

const CONTENT_TYPES = [
  'text/plain',
  'text/plain; charset=UTF-8',
  'text/plain; charset=ISO-8859-1',
  'text/plain; charset="windows-1252"',
  'text/plain; charset=utf-16le',
  'text/plain; charset=nonsense',
  'application/octet-stream',
  'image/jpeg',
] as const;

const ENCODINGS = ['7bit', '8bit', 'binary', 'base64', 'quoted-printable'] as const;

const FAULTS = [
  'none',
  'no name',
  'no disposition',
  'two dispositions',
  'two names',
  'extended name',
  'open quote',
  'no colon',
  'space before colon',
  'control',
  'bare line end',
  'fold first',
  'too large',
  'too many',
] as const;

/** The header lines of a part that every reader takes for the same name and file name. */
export function varyHeaders(random: Random, name: string, filename?: string): string[] {
  const parameters = [`name=${quoteOrNot(random, name)}`];
  if (filename !== undefined) parameters.push(`filename="${filename}"`);
  if (random() < 0.1) parameters.reverse();
  const separator = pick(random, ['; ', '; ', '; ', ';', ' ;\t', ';\r\n ', ';\r\n\t ']);
  const disposition = ['form-data', ...parameters].join(separator);
  const lines = [`Content-Disposition:${pick(random, [' ', ' ', '', '  \t'])}${disposition}`];
  if (random() < 0.4) lines.push(`Content-Type: ${pick(random, CONTENT_TYPES)}`);
  if (random() < 0.2) lines.push(`Content-Transfer-Encoding: ${pick(random, ENCODINGS)}`);
  if (random() < 0.2) lines.push(`Content-Length: ${intBetween(random, 0, 100)}`);
  if (random() < 0.1) lines.push(`X-Long: ${'y'.repeat(intBetween(random, 0, 3_000))}`);
  if (random() < 0.1) lines.push('X-Folded: a\r\n b\r\n\tc', 'X-Folded: again');
  if (random() < 0.3) lines.reverse();
  return lines.map((line) => varyCase(random, line));
}

/** The header lines of a part, with something in them that is wrong or read in different ways. */
export function spoilHeaders(random: Random, lines: readonly string[], name: string): string[] {
  const [first = '', ...rest] = lines;
  switch (pick(random, FAULTS)) {
    case 'none':
      return [];
    case 'no name':
      return ['Content-Disposition: form-data', ...rest];
    case 'no disposition':
      return ['X-Disposition: form-data; name="x"'];
    case 'two dispositions':
      return [...lines, 'Content-Disposition: form-data; name="other"'];
    case 'two names':
      return [`Content-Disposition: form-data; name="${name}"; name="other"`];
    case 'extended name':
      return [`Content-Disposition: form-data; name="${name}"; filename*=utf-8''%e2%82%ac`];
    case 'open quote':
      return [`Content-Disposition: form-data; name="${name}`, ...rest];
    case 'no colon':
      return random() < 0.5 ? ['garbage', ...lines] : [...lines, 'garbage'];
    case 'space before colon':
      return [first.replace(':', ' :'), ...rest];
    case 'control':
      return [...lines, `X: ${String.fromCharCode(pick(random, [0, 1, 8, 11, 12, 27, 127]))}`];
    case 'bare line end':
      return [`${first}${pick(random, ['\n', '\r', '\n\n'])}X: y`, ...rest];
    case 'fold first':
      return [` ${first}`, ...rest];
    case 'too large':
      return [...lines, `X: ${'y'.repeat(pick(random, [9_000, 20_000, 90_000]))}`];
    case 'too many':
      return [...Array.from({ length: 2_100 }, (_, index) => `X${index}: y`), ...lines];
  }
}

function quoteOrNot(random: Random, name: string): string {
  return /^[\w-]+$/.test(name) && random() < 0.2 ? name : `"${name.replaceAll('"', '\\"')}"`;
}

/** Only the name of the header changes its case; that of a field's name may count. */
function varyCase(random: Random, line: string): string {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon);
  const changed = pick(random, [name, name, name.toLowerCase(), name.toUpperCase()]);
  return changed + line.slice(colon);
}
