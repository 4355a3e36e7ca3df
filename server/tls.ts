import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ConfigError, reasonOf, type TlsConfig } from './config.ts';

/** Days that a generated certificate is valid: what Apple's systems still accept. */
const VALID_DAYS = 825;

/**
 * What the TLS listener needs; where neither certificate nor key exists, both are made first.
 * Rejects with ConfigError when one of the two is missing or they are broken.
 */
export async function loadTls(
  config: TlsConfig,
  warn: (message: string) => void,
): Promise<SecureContextOptions> {
  const { cert, key } = config;
  if (!existsSync(cert) && !existsSync(key)) await makeCertificate(cert, key);
  for (const [name, file, other] of [
    ['TLS_CERT', cert, key],
    ['TLS_KEY', key, cert],
  ] as const) {
    if (!existsSync(file)) {
      throw new ConfigError(`${name} ${file} does not exist, but ${other} does: give both.`);
    }
  }
  const options: SecureContextOptions = {
    cert: await readPem('TLS_CERT', cert),
    key: await readPem('TLS_KEY', key),
    minVersion: 'TLSv1.2',
    ...(config.ca === undefined ? {} : { ca: await readPem('TLS_CA', config.ca) }),
    ...(config.passphrase === undefined ? {} : { passphrase: config.passphrase }),
  };
  if (config.ca !== undefined) checkCertificate('TLS_CA', config.ca, String(options.ca));
  try {
    createSecureContext(options);
  } catch (error) {
    throw new ConfigError(
      `The certificate ${cert} and the key ${key} cannot be used: ${reasonOf(error)}.`,
    );
  }
  checkPair(options, config);
  warnOfExpiry(cert, String(options.cert), warn);
  return options;
}

async function makeCertificate(cert: string, key: string): Promise<void> {
  const { generate } = await import('selfsigned');
  const notAfterDate = new Date();
  notAfterDate.setDate(notAfterDate.getDate() + VALID_DAYS);
  const names = [...new Set(['localhost', hostname()])];
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    algorithm: 'sha256',
    keyType: 'ec',
    curve: 'P-256',
    notAfterDate,
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...names.map((value) => ({ type: 2 as const, value })),
          { type: 7 as const, ip: '127.0.0.1' },
          { type: 7 as const, ip: '::1' },
        ],
      },
    ],
  });
  try {
    await mkdir(dirname(cert), { recursive: true });
    await mkdir(dirname(key), { recursive: true });
    await writeFile(key, made.private, { mode: 0o600, flag: 'wx' });
    await writeFile(cert, made.cert, { flag: 'wx' });
  } catch (error) {
    throw new ConfigError(`No certificate can be made: ${reasonOf(error)}.`);
  }
}

async function readPem(name: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new ConfigError(`${name} cannot be read: ${reasonOf(error)}.`);
  }
}

/** OpenSSL takes a key of another type than the certificate's, and then serves nobody. */
function checkPair({ cert, key, passphrase }: SecureContextOptions, files: TlsConfig): void {
  const privateKey = createPrivateKey({
    key: String(key),
    ...(passphrase === undefined ? {} : { passphrase }),
  });
  if (new X509Certificate(String(cert)).checkPrivateKey(privateKey)) return;
  throw new ConfigError(`The key ${files.key} does not belong to the certificate ${files.cert}.`);
}

/** OpenSSL passes silently over what it cannot read here. */
function checkCertificate(name: string, file: string, pem: string): void {
  try {
    new X509Certificate(pem);
  } catch (error) {
    throw new ConfigError(`${name} ${file} is no PEM certificate: ${reasonOf(error)}.`);
  }
}

function warnOfExpiry(file: string, pem: string, warn: (message: string) => void): void {
  const { validTo } = new X509Certificate(pem);
  const days = Math.floor((Date.parse(validTo) - Date.now()) / 86_400_000);
  if (days < 0) warn(`The certificate ${file} expired on ${validTo}: clients will refuse it.`);
  else if (days < 14) warn(`The certificate ${file} expires in ${days} day(s): renew it.`);
}
