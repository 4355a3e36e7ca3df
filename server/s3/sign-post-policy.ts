import { ALGORITHM_V4, credentialScope } from './credential.ts';
import { type SigningCredentials, scopeAt } from './sign-request.ts';
import { signingKeyV4, signV2, signV4 } from './signature.ts';
import { amzDate, isoSeconds } from './timestamps.ts';

/** A condition as it stands in the policy's JSON. */
export type ConditionJson =
  | Readonly<Record<string, string>>
  | readonly [operator: string, ...operands: (string | number)[]];

/** What a form of version 4 needs besides its own fields. */
export interface SignedPolicyV4 {
  readonly policy: string;
  readonly algorithm: string;
  readonly credential: string;
  readonly date: string;
  readonly securityToken: string | undefined;
  readonly signature: string;
}

/**
 * Signs a policy with version 4. The conditions must cover the form's own fields and the bucket;
 * those for the credential, the algorithm, the date and the security token are added here.
 * `expiration` and `now` are milliseconds; the policy has whole seconds, rounded down.
 */
export function signPostPolicyV4(
  credentials: SigningCredentials,
  form: {
    conditions: readonly ConditionJson[];
    expiration: number;
    region: string;
    now: number;
  },
): SignedPolicyV4 {
  const { accessKeyId, secretAccessKey, securityToken } = credentials;
  const scope = scopeAt(form.now, form.region);
  const credential = `${accessKeyId}/${credentialScope(scope)}`;
  const date = amzDate(form.now);
  const policy = encodePolicy(form.expiration, [
    ...form.conditions,
    { 'x-amz-credential': credential },
    { 'x-amz-algorithm': ALGORITHM_V4 },
    { 'x-amz-date': date },
    ...(securityToken === undefined ? [] : [{ 'x-amz-security-token': securityToken }]),
  ]);
  const signature = signV4(signingKeyV4(secretAccessKey, scope), policy);
  return { policy, algorithm: ALGORITHM_V4, credential, date, securityToken, signature };
}

/** Signs a policy with version 2, whose conditions name none of the authentication fields. */
export function signPostPolicyV2(
  credentials: Pick<SigningCredentials, 'secretAccessKey'>,
  form: { conditions: readonly ConditionJson[]; expiration: number },
): { policy: string; signature: string } {
  const policy = encodePolicy(form.expiration, form.conditions);
  return { policy, signature: signV2(credentials.secretAccessKey, policy) };
}

/** A form's fields in the order and with the names of `create_signed_url`. */
export function signedUrlFields(
  fields: readonly (readonly [name: string, value: string])[],
  signed: SignedPolicyV4,
): (readonly [name: string, value: string])[] {
  return [
    ...fields,
    ['policy', signed.policy],
    ['x-amz-credential', signed.credential],
    ['x-amz-algorithm', signed.algorithm],
    ['x-amz-date', signed.date],
    ...tokenField('x-amz-security-token', signed),
    ['x-amz-signature', signed.signature],
  ];
}

/** A form's fields in the order and with the names of `submit-files`, which are the AWS SDK's. */
export function submitFilesFields(
  fields: readonly (readonly [name: string, value: string])[],
  signed: SignedPolicyV4,
): (readonly [name: string, value: string])[] {
  return [
    ...fields,
    ['X-Amz-Algorithm', signed.algorithm],
    ['X-Amz-Credential', signed.credential],
    ['X-Amz-Date', signed.date],
    ...tokenField('X-Amz-Security-Token', signed),
    ['Policy', signed.policy],
    ['X-Amz-Signature', signed.signature],
  ];
}

function tokenField(name: string, { securityToken }: SignedPolicyV4): [string, string][] {
  return securityToken === undefined ? [] : [[name, securityToken]];
}

function encodePolicy(expiration: number, conditions: readonly ConditionJson[]): string {
  const policy = JSON.stringify({ expiration: isoSeconds(expiration), conditions });
  return Buffer.from(policy).toString('base64');
}
