/** Values of Content-Type and Content-Disposition (RFC 2045, RFC 2183), for the oracle only. */

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;

/** The boundary of a multipart/form-data type; undefined for other types and doubtful values. */
export function parseFormBoundary(contentType: string): string | undefined {
  const parsed = parseParameters(contentType);
  if (parsed?.main !== 'multipart/form-data') return undefined;
  if (parsed.parameters.has('boundary*')) return undefined;
  const boundary = parsed.parameters.get('boundary');
  return boundary !== undefined && BOUNDARY.test(boundary) ? boundary : undefined;
}

/** The names in a form-data disposition; undefined where there is no name or more than one reading. */
export function parseDisposition(
  value: string,
): { name: string; filename: string | undefined } | undefined {
  const parsed = parseParameters(value);
  if (parsed?.main !== 'form-data') return undefined;
  const { parameters } = parsed;
  if (parameters.has('name*') || parameters.has('filename*')) return undefined;
  const name = parameters.get('name');
  return name ? { name, filename: parameters.get('filename') } : undefined;
}

interface Parsed {
  /** In lower case. */
  readonly main: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

function parseParameters(text: string): Parsed | undefined {
  const semicolon = text.indexOf(';');
  const main = (semicolon === -1 ? text : text.slice(0, semicolon)).replace(/[ \t]+$/, '');
  const parameters = new Map<string, string>();
  let at = semicolon === -1 ? text.length : semicolon;
  while (at < text.length) {
    const lead = matchAt(/[ \t]*;[ \t]*/y, text, at);
    if (lead === undefined) return undefined;
    const name = matchAt(TOKEN, text, at + lead.length)?.toLowerCase();
    if (name === undefined || parameters.has(name)) return undefined;
    at += lead.length + name.length;
    if (text[at] !== '=') return undefined;
    at += 1;
    const quoted = matchAt(/"(?:[^"\\]|\\.)*"/y, text, at);
    const raw = quoted ?? matchAt(TOKEN, text, at);
    if (raw === undefined) return undefined;
    const value = quoted === undefined ? raw : unquote(quoted.slice(1, -1));
    if (value === undefined) return undefined;
    parameters.set(name, value);
    at += raw.length;
  }
  return { main: main.toLowerCase(), parameters };
}

/**
 * Browsers once sent `C:\dir\file` as it is, so only `\"` is an escape. A doubled backslash, and a
 * `\"` after which the value may as well have ended, are read in two ways and not taken.
 */
function unquote(inner: string): string | undefined {
  if (inner.includes('\\\\') || /\\"[ \t]*(;|$)/.test(inner)) return undefined;
  return inner.replaceAll('\\"', '"');
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
