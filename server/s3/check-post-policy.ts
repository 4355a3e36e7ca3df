import { type FormFields, fieldValue } from './form-fields.ts';
import type { ContentLengthRange, PolicyCondition, PostPolicy } from './post-policy.ts';
import { S3Error } from './s3-error.ts';

/** Fields that no condition has to name; so are `x-ignore-…` and `x-amz-checksum-…`. */
const EXEMPT_FIELDS = new Set([
  'awsaccesskeyid',
  'content-md5',
  'file',
  'policy',
  'signature',
  'x-amz-signature',
]);
const EXEMPT_PREFIXES = ['x-ignore-', 'x-amz-checksum-'];

/**
 * Checks everything that a policy asks of a form but its file's size: `now` (milliseconds) is before
 * the expiration, each condition holds, and each field is covered by one. The bucket is the one that
 * the upload goes to, whatever a form field says; a policy must name it exactly.
 *
 * Returns the ranges that the file's size must lie in, all of them: see checkSizeSoFar.
 * Throws S3Error AccessDenied with what failed.
 */
export function checkPostPolicy(
  policy: PostPolicy,
  fields: FormFields,
  now: number,
  target: { bucket: string },
): ContentLengthRange[] {
  if (now >= policy.expiration) throw refused('Policy expired.');
  const ranges: ContentLengthRange[] = [];
  const covered = new Set<string>();
  for (const condition of policy.conditions) {
    if (condition.operator === 'content-length-range') {
      if (condition.range === undefined) throw conditionFailed(condition);
      ranges.push(condition.range);
      continue;
    }
    const { field, operator } = condition;
    if (field === undefined) throw conditionFailed(condition);
    const value = field === 'bucket' ? target.bucket : fieldValue(fields, field);
    if (value === undefined || !holds(condition, field, value)) throw conditionFailed(condition);
    // The prefix of a bucket's name would let the form choose the bucket.
    if (field !== 'bucket' || operator === 'eq') covered.add(field);
  }
  if (!covered.has('bucket')) throw refused('Extra input fields: bucket');
  for (const [key, { name }] of fields) {
    if (!covered.has(key) && !isExempt(key)) throw refused(`Extra input fields: ${name}`);
  }
  return ranges;
}

/** The bucket that a policy names, for a form that goes to `/` and does not say. */
export function policyBucket({ conditions }: Pick<PostPolicy, 'conditions'>): string | undefined {
  for (const condition of conditions) {
    if (condition.operator === 'eq' && condition.field === 'bucket') return condition.value;
  }
  return undefined;
}

/**
 * To be called as bytes arrive. Throws S3Error EntityTooLarge as soon as `bytes` passes the maximum
 * of a range; ProposedSize is then what has arrived, since nobody knows how much would follow.
 */
export function checkSizeSoFar(ranges: readonly ContentLengthRange[], bytes: number): void {
  const max = Math.min(...ranges.map((range) => range.max));
  if (bytes <= max) return;
  throw new S3Error('EntityTooLarge', {
    extra: [
      ['ProposedSize', String(bytes)],
      ['MaxSizeAllowed', String(max)],
    ],
  });
}

/** To be called at the end of the file. Throws S3Error EntityTooLarge or EntityTooSmall. */
export function checkSize(ranges: readonly ContentLengthRange[], bytes: number): void {
  checkSizeSoFar(ranges, bytes);
  const min = Math.max(0, ...ranges.map((range) => range.min));
  if (bytes >= min) return;
  throw new S3Error('EntityTooSmall', {
    extra: [
      ['ProposedSize', String(bytes)],
      ['MinSizeAllowed', String(min)],
    ],
  });
}

function holds(
  condition: PolicyCondition & { operator: 'eq' | 'starts-with' },
  field: string,
  value: string,
): boolean {
  if (condition.operator === 'eq') return value === condition.value;
  // S3 takes only this field for a list.
  const values = field === 'content-type' ? value.split(/, */) : [value];
  return values.every((each) => each.startsWith(condition.value));
}

function isExempt(key: string): boolean {
  return EXEMPT_FIELDS.has(key) || EXEMPT_PREFIXES.some((prefix) => key.startsWith(prefix));
}

function conditionFailed(condition: PolicyCondition): S3Error {
  return refused(`Policy Condition failed: ${condition.text}`);
}

function refused(reason: string): S3Error {
  return new S3Error('AccessDenied', { message: `Invalid according to Policy: ${reason}` });
}
