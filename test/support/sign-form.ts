import { createHmac } from 'node:crypto';

/** Forms for POST Object, signed as AWS documents it and independently of the server's own code. */

export interface KeyPair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export type Pairs = readonly (readonly [name: string, value: string])[];

export interface SignedForm {
  readonly pair: KeyPair;
  readonly version?: 'v2' | 'v4';
  readonly bucket: string;
  /** Each gets an exact condition unless `conditions` replace them. */
  readonly fields: Readonly<Record<string, string>>;
  /** In the place of the fields' own conditions and the bucket's. */
  readonly conditions?: readonly unknown[];
  /** Besides them. */
  readonly more?: readonly unknown[];
  readonly expiration?: string;
  /** The policy's text itself, in the place of all of that; base64 unless `isEncoded`. */
  readonly policy?: string;
  readonly isEncoded?: boolean;
  readonly region?: string;
  /** The date of version 4, which some signers make the expiry. */
  readonly amzDate?: string;
  readonly securityToken?: string;
}

export function inOneHour(): string {
  return new Date(Date.now() + 3_600_000).toISOString();
}

export function amzDateOf(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');
}

export function signForm(form: SignedForm): Pairs {
  const { pair, version = 'v2', bucket, securityToken } = form;
  const amzDate = form.amzDate ?? amzDateOf(Date.now());
  const scope = `${amzDate.slice(0, 8)}/${form.region ?? 'us-east-1'}/s3/aws4_request`;
  const fields: [string, string][] = Object.entries(form.fields);
  if (securityToken !== undefined) fields.push(['x-amz-security-token', securityToken]);
  if (version === 'v4') {
    fields.push(['x-amz-algorithm', 'AWS4-HMAC-SHA256']);
    fields.push(['x-amz-credential', `${pair.accessKeyId}/${scope}`]);
    fields.push(['x-amz-date', amzDate]);
  }
  const authentication = fields.slice(Object.keys(form.fields).length);
  const conditions = [
    ...(form.conditions ?? [
      { bucket },
      ...Object.entries(form.fields).map(([name, value]) => ['eq', `$${name}`, value]),
    ]),
    ...authentication.map(([name, value]) => ({ [name]: value })),
    ...(form.more ?? []),
  ];
  const text =
    form.policy ?? JSON.stringify({ expiration: form.expiration ?? inOneHour(), conditions });
  const policy = form.isEncoded ? text : Buffer.from(text).toString('base64');
  fields.push(['policy', policy]);
  if (version === 'v4') {
    fields.push(['x-amz-signature', signV4(pair.secretAccessKey, scope, policy)]);
  } else {
    fields.push(['AWSAccessKeyId', pair.accessKeyId]);
    fields.push(['signature', signV2(pair.secretAccessKey, policy)]);
  }
  return fields;
}

export function signV2(secret: string, text: string): string {
  return createHmac('sha1', secret).update(text).digest('base64');
}

/** `scope` is `20130524/us-east-1/s3/aws4_request`. */
export function signV4(secret: string, scope: string, text: string): string {
  let key: Buffer = Buffer.from(`AWS4${secret}`);
  for (const part of scope.split('/')) key = createHmac('sha256', key).update(part).digest();
  return createHmac('sha256', key).update(text).digest('hex');
}
