import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** curl, as people type it. */

const version = spawnSync('curl', ['--version'], { encoding: 'utf8' });
export const hasCurl = version.status === 0;
/** curl signs since 7.75, but the query and the payload as S3 wants it only since later. */
export const curlSignsForS3 = (() => {
  const [, major = '0', minor = '0'] = /^curl (\d+)\.(\d+)/.exec(version.stdout ?? '') ?? [];
  return Number(major) * 1_000 + Number(minor) >= 7_086;
})();

export interface CurlAnswer {
  readonly exitCode: number;
  readonly status: number;
  /** The last answer's; 1xx and redirects are in `verbose`. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** What `-v` tells. */
  readonly verbose: string;
}

/** Runs it with a header dump of its own before the body. */
export async function curl(...args: string[]): Promise<CurlAnswer> {
  const child = spawn('curl', ['-q', '--noproxy', '*', '-sSvi', '--max-time', '20', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, verbose, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  let rest = output;
  let status = 0;
  let headers = new Map<string, string>();
  for (;;) {
    const [head = '', statusText] = /^HTTP\/1\.1 (\d{3}).*?\r\n\r\n/s.exec(rest) ?? [];
    if (statusText === undefined) break;
    rest = rest.slice(head.length);
    status = Number(statusText);
    const lines = head.trim().split('\r\n').slice(1);
    headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
  }
  return { exitCode: Number(code), status, headers, body: rest, verbose };
}
