import { rememberRecent } from '../s3/remember-recent.ts';
import { bytesToText } from '../s3/uri-encoding.ts';
import { malformed } from './multipart-parser.ts';

/** What the headers of one part of a form say (RFC 7578 section 4). */
export interface PartHeaders {
  readonly name: string;
  /** Undefined where there is none, null where it is not valid UTF-8. */
  readonly filename: string | null | undefined;
  /** Of the part's text; undefined where none is named. */
  readonly charset: string | undefined;
}

const PARAMETER = /;[ \t]*([^=;\s]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^;"\s]*))[ \t]*/y;

/** Throws S3Error MalformedPOSTRequest. */
export function parsePartHeaders(block: Buffer): PartHeaders {
  return readPartHeaders(block.toString('latin1'));
}

/** Forms of one kind name the same fields. */
const readPartHeaders = rememberRecent(parseBlock, { texts: 1_024, chars: 256 });

function parseBlock(block: string): PartHeaders {
  const headers = parseHeaderLines(block);
  const disposition = headers.get('content-disposition') ?? '';
  const parameters = parseParameters(disposition);
  const name = parameters?.get('name');
  if (!/^form-data[ \t]*(;|$)/i.test(disposition) || parameters === undefined) {
    throw malformed('Each part needs a header Content-Disposition: form-data with a name.');
  }
  if (name === undefined) throw malformed('A part of the form has no name.');
  const text = bytesToText(name);
  if (text === undefined) throw malformed('The name of a part is not valid UTF-8.');
  return {
    name: text,
    filename: filenameOf(parameters),
    charset: parseParameters(headers.get('content-type') ?? '')?.get('charset'),
  };
}

/** The boundary that a Content-Type names, as bytes; undefined where it names none. */
export function boundaryOf(contentType: string): Buffer | undefined {
  const boundary = parseParameters(contentType)?.get('boundary');
  return boundary ? Buffer.from(boundary, 'latin1') : undefined;
}

function parseHeaderLines(block: string): Map<string, string> {
  const headers = new Map<string, string>();
  // A line that begins with white space continues the one before (RFC 5322, 2.2.3).
  const lines = block.replace(/\r\n(?=[ \t])/g, '').split('\r\n');
  for (const line of lines) {
    if (line === '' && lines.length === 1) break;
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+)[ \t]*:[ \t]*([^\r\n\0]*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) {
      throw malformed('A part of the form has a header line without a name and a colon.');
    }
    const key = name.toLowerCase();
    if (key === 'content-disposition' && headers.has(key)) {
      throw malformed('A part of the form has two headers Content-Disposition.');
    }
    headers.set(key, value);
  }
  return headers;
}

/** The parameters behind the value of a header, the first of each name; undefined for other text. */
function parseParameters(header: string): Map<string, string> | undefined {
  const parameters = new Map<string, string>();
  const begin = header.indexOf(';');
  if (begin < 0) return parameters;
  PARAMETER.lastIndex = begin;
  while (PARAMETER.lastIndex < header.length) {
    if (/^;?[ \t]*$/.test(header.slice(PARAMETER.lastIndex))) break;
    const [, name, quoted, token] = PARAMETER.exec(header) ?? [];
    if (name === undefined) return undefined;
    // Only quotes are unescaped: browsers send the backslashes of a path as they are.
    const value = quoted === undefined ? (token ?? '') : quoted.replaceAll('\\"', '"');
    const key = name.toLowerCase();
    if (!parameters.has(key)) parameters.set(key, value);
  }
  return parameters;
}

/** Some clients write names that are not ASCII as RFC 8187 says, though RFC 7578 would not have it. */
function filenameOf(parameters: ReadonlyMap<string, string>): string | null | undefined {
  const extended = /^utf-8'[^']*'(.*)$/i.exec(parameters.get('filename*') ?? '')?.[1];
  if (extended !== undefined) {
    try {
      return decodeURIComponent(extended);
    } catch {
      throw malformed("The file's name has a malformed percent escape.");
    }
  }
  const filename = parameters.get('filename');
  return filename === undefined ? undefined : (bytesToText(filename) ?? null);
}
