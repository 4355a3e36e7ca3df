import { buildFormBody, formContentType, formPart } from '../support/form-body.ts';
import { openRaw } from '../support/raw-http.ts';
import { inOneHour, type KeyPair, signForm } from '../support/sign-form.ts';
import { headersV2 } from '../support/sign-request.ts';

/** A console with an old HTTP stack: a connection for each request, and the request again when it fails. */

export interface ConsoleAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Console {
  /** Sends the same bytes until there is a whole answer. */
  save(key: string, file: Buffer): Promise<ConsoleAnswer>;
  load(key: string): Promise<ConsoleAnswer>;
  /** Answers that did not come, or not to their end. */
  readonly lost: number;
}

const BOUNDARY = '--------BOUNDARY--------B34F03DAD085D8D5--';
/** What cannot be saved at all is to fail, not to hang. */
const MAX_TRIES = 100;

export interface ConsoleOptions {
  /** Where it connects to. */
  readonly url: string;
  readonly pair: KeyPair;
  readonly bucket: string;
  readonly http: '1.0 without a Host' | '1.0' | '1.1';
}

export function createConsole({ url, pair, bucket, http }: ConsoleOptions): Console {
  const host = 'localhost';
  const about = http.startsWith('1.0')
    ? { line: 'HTTP/1.0', headers: http === '1.0' ? { Host: host } : {} }
    : { line: 'HTTP/1.1', headers: { Host: host, Connection: 'close' } };
  let lost = 0;

  async function sendOnce(request: Buffer): Promise<ConsoleAnswer | undefined> {
    const connection = await openRaw(url);
    connection.send(request);
    const answer = parseAnswer(await connection.closed);
    if (!answer) lost += 1;
    return answer;
  }

  async function send(
    method: string,
    path: string,
    more: Readonly<Record<string, string>>,
    body: Buffer,
  ): Promise<ConsoleAnswer> {
    const headers = { ...about.headers, ...more };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `${method} ${path} ${about.line}\r\n${lines.join('')}\r\n`;
    const request = Buffer.concat([Buffer.from(head), body]);
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const answer = await sendOnce(request);
      if (answer) return answer;
    }
    throw new Error(`No whole answer to ${method} ${path} in ${MAX_TRIES} tries.`);
  }

  return {
    get lost() {
      return lost;
    },

    save(key, file) {
      const pairs = signForm({
        pair,
        bucket,
        fields: { key, acl: 'private' },
        policy: policyText(bucket, key, file.length),
      });
      const parts = [
        ...pairs.map(([name, value]) => formPart(name, value)),
        formPart('file', file),
      ];
      const body = buildFormBody({ boundary: BOUNDARY, parts });
      const headers = {
        'Content-Type': formContentType(BOUNDARY),
        'Content-Length': String(body.length),
      };
      return send('POST', '/', headers, body);
    },

    load(key) {
      const path = `/${bucket}/${key}`;
      const { date = '', authorization = '' } = headersV2({ pair, path, host });
      return send('GET', path, { Date: date, Authorization: authorization }, Buffer.alloc(0));
    },
  };
}

/** With the spacing of the seed. */
function policyText(bucket: string, key: string, size: number): string {
  return `{
  "expiration": "${inOneHour()}",
  "conditions": [
    {"bucket": "${bucket}" },
    {"acl": "private" },
    ["eq", "$key", "${key}"],
    ["content-length-range", ${size}, ${size}]
  ]
}
`;
}

function parseAnswer(received: string): ConsoleAnswer | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [statusLine = '', ...lines] = received.slice(0, headEnd).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  const status = Number(/^HTTP\/1\.[01] (\d{3}) /.exec(statusLine)?.[1]);
  const body = Buffer.from(received.slice(headEnd + 4), 'latin1');
  const length = Number(headers['content-length'] ?? (status === 204 ? 0 : Number.NaN));
  // Without a length, an old stack could not tell a cut answer from a whole one.
  return body.length === length ? { status, headers, body } : undefined;
}
