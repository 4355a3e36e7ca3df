import type { S3Error } from './s3-error.ts';
import type { CredentialScope } from './signature.ts';

export const ALGORITHM_V4 = 'AWS4-HMAC-SHA256';
export const SERVICE = 's3';
const TERMINAL = 'aws4_request';

/** `20130524/us-east-1/s3/aws4_request`. */
export function credentialScope(scope: CredentialScope): string {
  return `${scope.date}/${scope.region}/${scope.service}/${TERMINAL}`;
}

/**
 * An access key id and its scope, from `KEY/20130524/us-east-1/s3/aws4_request`. Any region will do.
 * Throws what `refuse` makes of S3's description of the fault.
 */
export function parseCredential(
  credential: string,
  refuse: (fault: string) => S3Error,
): { accessKeyId: string; scope: CredentialScope } {
  const parts = credential.split('/');
  const [accessKeyId = '', date = '', region = '', service = '', terminal = ''] = parts;
  if (parts.length !== 5) {
    throw refuse(
      'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    );
  }
  if (accessKeyId === '') {
    throw refuse('a non-empty Access Key (AKID) must be provided in the credential.');
  }
  if (region === '') throw refuse('a non-empty region must be provided in the credential.');
  if (service !== SERVICE) {
    throw refuse(`incorrect service "${service}". This endpoint belongs to "${SERVICE}".`);
  }
  if (terminal !== TERMINAL) {
    throw refuse(`incorrect terminal "${terminal}". This endpoint uses "${TERMINAL}".`);
  }
  if (!/^\d{8}$/.test(date)) {
    throw refuse(
      `incorrect date format "${date}". This date in the credential must be in the format "yyyyMMdd".`,
    );
  }
  return { accessKeyId, scope: { date, region, service } };
}
