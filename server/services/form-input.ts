import { z } from 'zod';
import {
  MAX_FORM_SECONDS,
  MAX_SUBMITTED_FILES,
  MAX_SUBMITTED_NAME_BYTES,
} from '../../shared/limits.ts';
import { cannedAcls } from '../s3/canned-acl.ts';
import { isHeaderText } from '../s3/header-text.ts';
import { MAX_METADATA_BYTES } from '../s3/object-attributes.ts';
import { MAX_OBJECT_KEY_BYTES } from '../s3/object-key.ts';

/** What clients may ask of a signed form. What uploads would refuse is refused before it is signed. */

export type FormInput = z.infer<typeof formInput>;
export type AnonymousFormInput = z.infer<typeof anonymousFormInput>;
export type SubmissionInput = z.infer<typeof submissionInput>;
export type SaveFormInput = z.infer<typeof saveFormInput>;

const signatureVersion = z
  .literal(['v2', 'v4', '2', '4', 2, 4], { error: 'must be v2 or v4' })
  .transform((version) => (String(version).endsWith('2') ? 'v2' : 'v4'));

const byteCount = z.int().min(0);

function boundedText(maxBytes: number) {
  return z
    .string()
    .min(1)
    .refine((text) => text.isWellFormed() && Buffer.byteLength(text) <= maxBytes, {
      error: `must have at most ${maxBytes} bytes of UTF-8`,
    })
    .meta({ maxLength: maxBytes });
}

/** What uploads refuse is refused before it is signed. */
const metadata = z
  .record(z.string().regex(/^[\w.-]{1,128}$/), wellFormed(z.string()), {
    error: (issue) =>
      issue.code === 'invalid_key'
        ? 'has a name that is not 1 to 128 of A-Z a-z 0-9 . _ -'
        : undefined,
  })
  .refine((record) => new Set(lowerNames(record)).size === Object.keys(record).length, {
    error: 'has a name twice: the case of its letters does not count',
  })
  .refine((record) => metadataBytes(record) <= MAX_METADATA_BYTES, {
    error: `must have at most ${MAX_METADATA_BYTES} bytes of UTF-8 together`,
  });

function wellFormed<T extends z.ZodType<string>>(text: T) {
  return text.refine((value) => value.isWellFormed(), { error: 'must be well-formed text' });
}

function lowerNames(record: Readonly<Record<string, string>>): string[] {
  return Object.keys(record).map((name) => name.toLowerCase());
}

function metadataBytes(record: Readonly<Record<string, string>>): number {
  return Object.entries(record).reduce(
    (bytes, pair) => bytes + Buffer.byteLength(pair.join('')),
    0,
  );
}

/** `data` of `create_signed_url`. */
export const formInput = z
  .strictObject({
    bucket: z.string().optional().meta({ description: 'UPLOAD_BUCKET unless told.' }),
    key: boundedText(MAX_OBJECT_KEY_BYTES)
      .optional()
      .meta({ description: 'The whole key; one is made unless told.' }),
    prefix: boundedText(MAX_OBJECT_KEY_BYTES)
      .optional()
      .meta({ description: 'What a made key begins with.' }),
    filename: boundedText(MAX_SUBMITTED_NAME_BYTES)
      .optional()
      .meta({ description: 'What a made key ends with.' }),
    contentType: boundedText(MAX_SUBMITTED_NAME_BYTES)
      .refine(isHeaderText, { error: 'must not contain control characters' })
      .optional(),
    acl: z.enum(cannedAcls).optional(),
    minBytes: byteCount.optional(),
    maxBytes: byteCount.optional(),
    expiresIn: z
      .int()
      .min(1)
      .max(MAX_FORM_SECONDS)
      .optional()
      .meta({ description: 'Seconds; an hour unless told.' }),
    successActionStatus: z
      .literal(['200', '201', '204', 200, 201, 204], { error: 'must be 200, 201 or 204' })
      .transform(String)
      .optional(),
    successActionRedirect: wellFormed(
      z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }),
    ).optional(),
    metadata: metadata.optional().meta({ description: 'Becomes `x-amz-meta-*` fields.' }),
    signatureVersion: signatureVersion.optional(),
  })
  .meta({ id: 'FormInput' });

/** What of it counts where anybody may ask. */
export const anonymousFormInput = formInput
  .pick({ filename: true, contentType: true, minBytes: true, maxBytes: true })
  .strip();

/** One file of `/submit-files`. */
export const submissionInput = z
  .object({
    fileName: boundedText(MAX_SUBMITTED_NAME_BYTES),
    spektrDataField: boundedText(MAX_SUBMITTED_NAME_BYTES).optional(),
  })
  .meta({ id: 'SubmissionInput' });
const submissionList = z.array(submissionInput).min(1).max(MAX_SUBMITTED_FILES);
export const submissionsInput = z.preprocess(
  (body) => (Array.isArray(body) ? body : [body]),
  submissionList,
);
/** What the preprocessing takes, for those who read schemas. */
export const submissionsBody = z.union([submissionList, submissionInput]);

/** The body of `POST /api/saves/:bucket/:slot`. */
export const saveFormInput = z
  .strictObject({
    size: byteCount.optional().meta({ description: 'The only size that is accepted, in bytes.' }),
    signatureVersion: signatureVersion.optional(),
  })
  .meta({ id: 'SaveFormInput' });
