import { z } from 'zod';
import { KeystowError } from '../../shared/errors.ts';
import { SHORT_FORM_SECONDS } from '../../shared/limits.ts';
import { FILENAME, MAX_FORM_FIELDS_BYTES } from '../s3/form-fields.ts';
import { checkObjectKey } from '../s3/object-key.ts';
import { type SaveSlot, saveKey } from '../s3/save-key.ts';
import {
  type ConditionJson,
  signedUrlFields,
  signPostPolicyV2,
  signPostPolicyV4,
  submitFilesFields,
} from '../s3/sign-post-policy.ts';
import type { AccessKeys, KeyPair } from './access-keys.ts';
import { quotedEtag, time } from './answer-parts.ts';
import type { Buckets } from './buckets.ts';
import type { DirectUploads } from './direct-uploads.ts';
import type {
  AnonymousFormInput,
  FormInput,
  SaveFormInput,
  SubmissionInput,
} from './form-input.ts';
import { checkAllowed, type Principal, readablePrefixes } from './grants.ts';
import type { Objects } from './objects.ts';
import type { SecretBox } from './secret-box.ts';
import { createSession, type SessionParent, type SessionUpload } from './session-credentials.ts';

/** Forms that somebody else uploads with: signed for one key, until a time, within a size. */

export type SignedForm = Readonly<z.infer<typeof formAnswer>>;
export type SubmissionForm = Readonly<z.infer<typeof submissionFormAnswer>>;
export type Arrived = Readonly<z.infer<typeof arrivedAnswer>>;

/** The fields of a form in their order, and where to send it. */
export const formAnswer = z
  .strictObject({
    url: z.url().meta({ description: 'Where to POST the form, as multipart/form-data.' }),
    fields: z.record(z.string(), z.string()).meta({
      properties: { key: { type: 'string' } },
      required: ['key'],
      description: 'The fields in their order; the file comes behind them, as `file`.',
    }),
  })
  .meta({ id: 'SignedForm' });

const submission = {
  fileName: z.string(),
  spektrDataField: z.string().optional(),
};

export const submissionFormAnswer = z
  .strictObject({ ...submission, ...formAnswer.shape })
  .meta({ id: 'SubmissionForm' });

/** What has arrived of a submission. */
export const arrivedAnswer = z
  .strictObject({ key: z.string(), ...submission, size: z.int().min(0), etag: quotedEtag, time })
  .meta({ id: 'ArrivedSubmission' });

/** Who asks: `base` is what clients call this server, without a slash at its end. */
export interface Signer {
  readonly principal: Principal;
  readonly base: string;
}

export interface SignedForms {
  /**
   * The form of `create_signed_url`. Rejects with `forbidden`, or `not-found` for the bucket, or
   * `bad-request` for a key that cannot be.
   */
  create(signer: Signer, input: FormInput): Promise<SignedForm>;
  /** The same for anybody, signed with the access key of the settings: the input says little. */
  createAnonymously(base: string, input: AnonymousFormInput): Promise<SignedForm>;
  /** A form for each file, with credentials that are good for nothing else. */
  submit(signer: Signer, files: readonly SubmissionInput[]): Promise<SubmissionForm[]>;
  /** What has arrived of the principal's submissions, by key. */
  arrived(by: Principal): Promise<Arrived[]>;
  /** A form for one version of a save. */
  save(
    signer: Signer,
    target: { readonly bucket: string; readonly slot: SaveSlot; readonly version: number },
    input: SaveFormInput,
  ): Promise<SignedForm & { key: string }>;
}

const DEFAULT_PREFIX = 'direct_uploads/';
const DEFAULT_SECONDS = 3_600;

export function createSignedForms(options: {
  readonly accessKeys: AccessKeys;
  readonly buckets: Buckets;
  readonly objects: Objects;
  /** Where forms lead past this server; undefined: they all lead here. */
  readonly direct: DirectUploads | undefined;
  readonly secretBox: SecretBox;
  readonly uploadBucket: string;
  readonly submitBucket: string;
  readonly maxUploadBytes: number;
  readonly submitMaxBytes: number;
  readonly region: string;
  /** The id of the access key that signs for anybody. */
  readonly anonymousKeyId: string | undefined;
  readonly now: () => number;
  readonly newId: () => string;
}): SignedForms {
  const { accessKeys, buckets, objects, direct, secretBox, region, now, newId } = options;

  async function checkTarget(
    by: Principal | undefined,
    { bucket, key }: { bucket: string; key: string },
  ): Promise<void> {
    if (by) checkAllowed(by, 'write', `${bucket}/${key}`);
    if (!(await buckets.find(bucket))) {
      throw new KeystowError('not-found', `There is no bucket ${bucket}.`);
    }
    checkObjectKey(key);
  }

  function sign(
    pair: Pick<KeyPair, 'accessKeyId' | 'secretAccessKey'>,
    form: {
      readonly version: 'v2' | 'v4';
      readonly fields: readonly (readonly [name: string, value: string])[];
      readonly conditions: readonly ConditionJson[];
      readonly seconds: number;
    },
  ): Record<string, string> {
    const { conditions, fields } = form;
    const expiration = now() + form.seconds * 1_000;
    if (form.version === 'v4') {
      const signed = signPostPolicyV4(pair, { conditions, expiration, region, now: now() });
      return Object.fromEntries(signedUrlFields(fields, signed));
    }
    const { policy, signature } = signPostPolicyV2(pair, { conditions, expiration });
    const { accessKeyId: AWSAccessKeyId } = pair;
    return { ...Object.fromEntries(fields), AWSAccessKeyId, policy, signature };
  }

  function signInput(
    pair: KeyPair,
    base: string,
    { bucket, key }: { bucket: string; key: string },
    input: FormInput,
  ): SignedForm {
    const fields = [
      ['key', key],
      ['success_action_status', input.successActionStatus ?? '201'],
      ...optionalFields(input),
    ] as const;
    const { minBytes = 0, maxBytes = options.maxUploadBytes } = input;
    const hasRange = input.minBytes !== undefined || input.maxBytes !== undefined;
    if (minBytes > maxBytes) {
      throw new KeystowError('bad-request', `minBytes is more than maxBytes, ${maxBytes}.`);
    }
    const conditions = [
      { bucket },
      ...fields.map(([name, value]) => conditionOf(name, value)),
      ...(hasRange ? [['content-length-range', minBytes, maxBytes] as const] : []),
    ];
    const version = input.signatureVersion ?? 'v4';
    const seconds = input.expiresIn ?? DEFAULT_SECONDS;
    const signed = sign(pair, { version, fields, conditions, seconds });
    const bytes = Buffer.byteLength(Object.entries(signed).flat().join(''));
    if (bytes > MAX_FORM_FIELDS_BYTES) {
      throw new KeystowError(
        'bad-request',
        `The form's fields would have ${bytes} bytes, more than ${MAX_FORM_FIELDS_BYTES}: shorten data.`,
      );
    }
    return { url: `${base}/${bucket}`, fields: signed };
  }

  /** With credentials that can do nothing but this upload. */
  function signSubmission(parent: SessionParent, base: string, upload: SessionUpload): SignedForm {
    const { bucket, key } = upload;
    const expires = now() + SHORT_FORM_SECONDS * 1_000;
    const session = createSession({ parent, expires, upload }, secretBox);
    const signed = signPostPolicyV4(session, {
      conditions: [{ bucket }, { key }, ['content-length-range', 0, options.submitMaxBytes]],
      expiration: expires,
      region,
      now: now(),
    });
    const fields = submitFilesFields(
      [
        ['key', key],
        ['bucket', bucket],
      ],
      signed,
    );
    return { url: `${base}/`, fields: Object.fromEntries(fields) };
  }

  function limited(input: FormInput): FormInput {
    return { ...input, maxBytes: input.maxBytes ?? options.maxUploadBytes };
  }

  function targetOf(input: FormInput): { bucket: string; key: string } {
    const { bucket = options.uploadBucket, prefix = DEFAULT_PREFIX } = input;
    const folder = prefix.endsWith('/') ? prefix : `${prefix}/`;
    const name = input.filename === undefined ? '' : `/${baseName(input.filename)}`;
    return { bucket, key: input.key ?? `${folder}${newId()}${name}` };
  }

  return {
    async create({ principal, base }, input) {
      const target = targetOf(input);
      await checkTarget(principal, target);
      const form = await direct?.sign({ ...target, user: principal.name, input: limited(input) });
      return form ?? signInput(await accessKeys.signingPair(principal), base, target, input);
    },

    async createAnonymously(base, input) {
      const pair = await accessKeys.pair(options.anonymousKeyId ?? '');
      if (!pair) {
        throw new KeystowError(
          'unavailable',
          'The access key of ACCESS_KEY_ID, which signs for anybody, was removed.',
        );
      }
      const target = targetOf(input);
      await checkTarget(undefined, target);
      const form = await direct?.sign({ ...target, user: undefined, input: limited(input) });
      return form ?? signInput(pair, base, target, input);
    },

    async submit({ principal, base }, files) {
      const bucket = options.submitBucket;
      const uploads = files.map((file) => {
        const name = withoutFilename(baseName(file.fileName));
        return {
          bucket,
          key: `${submissionFolder(principal)}${newId()}/${name}`,
          submission: file,
        };
      });
      for (const upload of uploads) await checkTarget(principal, upload);
      const { accessKeyId, version } = await accessKeys.signingPair(principal);
      const parent = { id: accessKeyId, version };
      const input = { expiresIn: SHORT_FORM_SECONDS, maxBytes: options.submitMaxBytes };
      return Promise.all(
        uploads.map(async (upload) => {
          const form = await direct?.sign({ ...upload, user: principal.name, input });
          return { ...upload.submission, ...(form ?? signSubmission(parent, base, upload)) };
        }),
      );
    },

    async arrived(by) {
      const { submitBucket } = options;
      const arrived: Arrived[] = [];
      const folder = submissionFolder(by);
      for (const prefix of readablePrefixes(by, `${submitBucket}/${folder}`)) {
        for await (const page of objects.list(
          submitBucket,
          prefix.slice(submitBucket.length + 1),
        )) {
          for (const { key, size, etag, lastModified, submission } of page) {
            if (!submission) continue;
            const at = new Date(lastModified).toISOString();
            arrived.push({ key, ...submission, size, etag: `"${etag}"`, time: at });
          }
        }
      }
      return arrived;
    },

    async save({ principal, base }, { bucket, slot, version }, input) {
      const key = saveKey(slot, version);
      await checkTarget(principal, { bucket, key });
      const pair = await accessKeys.signingPair(principal);
      const fields = [
        ['key', key],
        ['acl', 'private'],
      ] as const;
      const { size } = input;
      const conditions = [
        { bucket },
        { acl: 'private' },
        ['eq', '$key', key] as const,
        ...(size === undefined ? [] : [['content-length-range', size, size] as const]),
      ];
      const signed = sign(pair, {
        version: input.signatureVersion ?? 'v2',
        fields,
        conditions,
        seconds: SHORT_FORM_SECONDS,
      });
      return { key, url: `${base}/${bucket}`, fields: signed };
    },
  };
}

/** Each user's submissions have a folder of their own; a slash in the name would make it another's. */
function submissionFolder({ name }: Principal): string {
  return withoutFilename(`${name.replaceAll('%', '%25').replaceAll('/', '%2F')}/`);
}

/** The server that takes the form would put the name of its file there. */
function withoutFilename(text: string): string {
  return text.replaceAll(FILENAME, FILENAME.replace('$', '%24'));
}

/**
 * The last part of a name or a path, as a part of a key that every client can send and ask for: browsers
 * change line ends in forms, and resolve dots in URLs.
 */
function baseName(fileName: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it replaces.
  const name = fileName.replace(/^.*[/\\]/s, '').replace(/[\x00-\x1f\x7f]/g, '_');
  return /^\.{0,2}$/.test(name) ? 'file' : name;
}

function optionalFields(input: FormInput): (readonly [name: string, value: string])[] {
  const { successActionRedirect, contentType, acl, metadata = {} } = input;
  return [
    ...(successActionRedirect === undefined
      ? []
      : [['success_action_redirect', successActionRedirect] as const]),
    ...(contentType === undefined ? [] : [['Content-Type', contentType] as const]),
    ...(acl === undefined ? [] : [['acl', acl] as const]),
    ...Object.entries(metadata).map(
      ([name, value]) => [`x-amz-meta-${name.toLowerCase()}`, value] as const,
    ),
  ];
}

/** A value with the file's name in it is known up to there only. */
function conditionOf(name: string, value: string): ConditionJson {
  const at = value.indexOf(FILENAME);
  return at < 0 ? { [name]: value } : ['starts-with', `$${name}`, value.slice(0, at)];
}
