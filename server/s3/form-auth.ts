import { ALGORITHM_V4, parseCredential } from './credential.ts';
import { type FormFields, fieldValue } from './form-fields.ts';
import { invalidArgument, missingField, S3Error } from './s3-error.ts';
import type { ClaimV2, ClaimV4, ToSign } from './signature.ts';
import { parseAmzDate } from './timestamps.ts';
import { textToBytes } from './uri-encoding.ts';

/** The fields of each version, as S3 names them when one is missing. */
const FIELDS_V2 = ['Signature', 'AWSAccessKeyId'];
const FIELDS_V4 = ['X-Amz-Signature', 'X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Date'];

/**
 * What a form claims with the signature over its policy; undefined for one that has neither policy
 * nor signature. Such a form is anonymous. The claim still has to be verified: see verifySignature.
 *
 * The date of version 4 is not compared with the clock or the credential's day, since some signers
 * put the expiry there: the policy's own expiration is what counts.
 *
 * Throws S3Error AccessDenied for a policy without any authentication field, InvalidArgument for a
 * field that is missing or malformed.
 */
export function parseFormAuth(fields: FormFields): ClaimV2 | ClaimV4 | undefined {
  const policy = fieldValue(fields, 'policy');
  const isV4 = hasAny(fields, FIELDS_V4.slice(0, 3));
  const isV2 = !isV4 && hasAny(fields, FIELDS_V2);
  if (!isV4 && !isV2 && !fields.has('x-amz-date')) {
    if (policy === undefined) return undefined;
    throw new S3Error('AccessDenied');
  }
  const missing = (isV2 ? FIELDS_V2 : FIELDS_V4).find((name) => !fields.has(name.toLowerCase()));
  if (missing !== undefined) throw missingField(missing);
  if (policy === undefined) throw missingField('policy');

  const toSign: [ToSign] = [{ stringToSign: textToBytes(policy) }];
  const securityToken = fieldValue(fields, 'x-amz-security-token') || undefined;
  if (isV2) {
    const accessKeyId = fieldValue(fields, 'awsaccesskeyid') ?? '';
    const signature = fieldValue(fields, 'signature') ?? '';
    return { version: 'v2', accessKeyId, securityToken, signature, toSign };
  }
  const signature = fieldValue(fields, 'x-amz-signature') ?? '';
  return { version: 'v4', ...parseFieldsV4(fields), securityToken, signature, toSign };
}

function parseFieldsV4(fields: FormFields): Pick<ClaimV4, 'accessKeyId' | 'scope'> {
  const algorithm = fieldValue(fields, 'x-amz-algorithm') ?? '';
  if (algorithm !== ALGORITHM_V4) {
    throw invalidArgument(`Only ${ALGORITHM_V4} is supported`, 'X-Amz-Algorithm', algorithm);
  }
  const date = fieldValue(fields, 'x-amz-date') ?? '';
  if (parseAmzDate(date) === undefined) {
    // The spelling is S3's.
    throw invalidArgument(
      'X-Amz-Date must be formated via ISO8601 Long format',
      'X-Amz-Date',
      date,
    );
  }
  const credential = fieldValue(fields, 'x-amz-credential') ?? '';
  return parseCredential(credential, (fault) =>
    invalidArgument(fault, 'X-Amz-Credential', credential),
  );
}

function hasAny(fields: FormFields, names: readonly string[]): boolean {
  return names.some((name) => fields.has(name.toLowerCase()));
}
