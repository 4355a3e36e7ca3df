import { createHash } from 'node:crypto';
import { amzDateOf, type KeyPair, signV2, signV4 } from './sign-form.ts';

/** Requests and URLs for S3, signed as AWS documents it and independently of the server's own code. */

export interface ToSign {
  readonly pair: KeyPair;
  readonly method?: string;
  /** Percent-encoded, with its query. */
  readonly path: string;
  readonly host: string;
  readonly region?: string;
  /** Signed besides; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** What is said in the place of the body's own. */
  readonly payloadHash?: string;
  readonly time?: number;
  /** Of URLs, in seconds. */
  readonly expires?: number;
}

export function headersV4(request: ToSign): Record<string, string> {
  const { pair, body = '' } = request;
  const amzDate = amzDateOf(request.time ?? Date.now());
  const scope = scopeOf(request, amzDate);
  const hash = request.payloadHash ?? sha256(body);
  const headers: Record<string, string> = {
    ...request.headers,
    host: request.host,
    'x-amz-content-sha256': hash,
    'x-amz-date': amzDate,
  };
  const signature = signCanonical(request, headers, splitPath(request.path), hash, amzDate);
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${pair.accessKeyId}/${scope}, SignedHeaders=${namesOf(headers).join(';')}, Signature=${signature}`,
  };
}

/** The path with its signature. */
export function presignV4(request: ToSign): string {
  const amzDate = amzDateOf(request.time ?? Date.now());
  const [path, query] = splitPath(request.path);
  const headers = { ...request.headers, host: request.host };
  const added = new URLSearchParams({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${request.pair.accessKeyId}/${scopeOf(request, amzDate)}`,
    'X-Amz-Date': amzDate,
    'X-Amz-Expires': String(request.expires ?? 60),
    'X-Amz-SignedHeaders': namesOf(headers).join(';'),
  });
  const full = [query, `${added}`].filter((part) => part !== '').join('&');
  const signature = signCanonical(request, headers, [path, full], 'UNSIGNED-PAYLOAD', amzDate);
  return `${path}?${full}&X-Amz-Signature=${signature}`;
}

function signCanonical(
  { pair, method = 'GET', region, path: _path, host }: ToSign,
  headers: Readonly<Record<string, string>>,
  [path, query]: readonly [string, string],
  payloadHash: string,
  amzDate: string,
): string {
  const canonicalQuery = query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => (part.includes('=') ? part : `${part}=`))
    .sort()
    .join('&');
  const names = namesOf(headers);
  const canonical = [
    method,
    path,
    canonicalQuery,
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    payloadHash,
  ].join('\n');
  const scope = scopeOf({ host, path, pair, ...(region === undefined ? {} : { region }) }, amzDate);
  const text = ['AWS4-HMAC-SHA256', amzDate, scope, sha256(canonical)].join('\n');
  return signV4(pair.secretAccessKey, scope, text);
}

/** `resource` is the path with the bucket that the Host names before it. */
export function headersV2(request: ToSign, resource = request.path): Record<string, string> {
  const { pair, method = 'GET', headers = {}, host } = request;
  const date = new Date(request.time ?? Date.now()).toUTCString();
  const amz = namesOf(headers)
    .filter((name) => name.startsWith('x-amz-'))
    .map((name) => `${name}:${headers[name]}\n`)
    .join('');
  const text = [
    method,
    headers['content-md5'] ?? '',
    headers['content-type'] ?? '',
    date,
    `${amz}${resource}`,
  ].join('\n');
  const signature = signV2(pair.secretAccessKey, text);
  return { ...headers, host, date, authorization: `AWS ${pair.accessKeyId}:${signature}` };
}

export function presignV2(request: ToSign, resource = request.path): string {
  const { pair, method = 'GET', path } = request;
  const expires = Math.floor((request.time ?? Date.now()) / 1_000) + (request.expires ?? 60);
  const signature = signV2(pair.secretAccessKey, `${method}\n\n\n${expires}\n${resource}`);
  const query = new URLSearchParams({
    AWSAccessKeyId: pair.accessKeyId,
    Expires: String(expires),
    Signature: signature,
  });
  return `${path}${path.includes('?') ? '&' : '?'}${query}`;
}

function scopeOf({ region = 'us-east-1' }: ToSign, amzDate: string): string {
  return `${amzDate.slice(0, 8)}/${region}/s3/aws4_request`;
}

function namesOf(headers: Readonly<Record<string, string>>): string[] {
  return Object.keys(headers).sort();
}

function splitPath(path: string): [path: string, query: string] {
  const [before = '', after = ''] = path.split('?', 2);
  return [before, after];
}

function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
