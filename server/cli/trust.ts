import { existsSync, readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { fileError } from './exit-error.ts';

/** The certificate that `keystow serve` makes where none is configured. */
export const DEVELOPMENT_CERTIFICATE = 'certs/server.crt';
const loopbackHosts: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

export interface TrustOptions {
  ca?: string;
  insecure?: boolean;
}

/** What a server's certificate is measured by. */
export interface Trust {
  /** PEM certificates to trust instead of the system's. */
  ca?: string[];
  /** Do not verify the server's certificate. */
  insecure: boolean;
}

export function trustFor(url: URL, options: TrustOptions): Trust {
  const insecure = isInsecure(options);
  const file = certificateFile(url, options);
  if (file === undefined) {
    return { insecure };
  }
  const certificate = readCertificate(file);
  return { insecure, ca: options.ca ? [certificate] : [...rootCertificates, certificate] };
}

export function isInsecure({ insecure }: TrustOptions): boolean {
  return insecure === true || process.env['KEYSTOW_INSECURE'] === '1';
}

/** The PEM file that vouches for the server; undefined where the system's authorities do. */
export function certificateFile(url: URL, { ca }: TrustOptions): string | undefined {
  if (url.protocol !== 'https:') {
    return undefined;
  }
  if (ca) {
    return ca;
  }
  const isDevelopment = loopbackHosts.includes(url.hostname) && existsSync(DEVELOPMENT_CERTIFICATE);
  return isDevelopment ? DEVELOPMENT_CERTIFICATE : undefined;
}

function readCertificate(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw fileError('read the certificates in', file, error);
  }
}
