import type { CallOptions } from './documents.ts';
import type { Requests } from './requests.ts';
import { jsonOf } from './transport.ts';
import { type SignedForm, type Uploaded, type UploadOptions, uploadForm } from './upload-form.ts';

/** What a form is signed for; see docs/signed-forms.md. */
export interface FormInput {
  readonly bucket?: string;
  readonly key?: string;
  readonly prefix?: string;
  readonly filename?: string;
  readonly contentType?: string;
  readonly acl?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly minBytes?: number;
  readonly maxBytes?: number;
  /** Seconds. */
  readonly expiresIn?: number;
  readonly successActionStatus?: 200 | 201 | 204;
  readonly signatureVersion?: 2 | 4;
}

export interface Submission {
  readonly fileName: string;
  readonly spektrDataField: string;
}

export interface ArrivedSubmission extends Submission {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  /** ISO 8601. */
  readonly time: string;
}

export interface StoredUpload extends Uploaded {
  /** With `${filename}` in it, where the form's key has it. */
  readonly key: string;
}

/** Uploads with signed forms. All calls reject with a KeystowClientError. */
export interface Uploads {
  /** A form for others to send, with `uploadForm` or as an HTML form. */
  sign(input?: FormInput, options?: CallOptions): Promise<SignedForm>;
  /** Signs a form and sends the file with it. */
  upload(file: Blob, input?: FormInput, options?: UploadOptions): Promise<StoredUpload>;
  /** Forms of `/submit-files`, one for each file. */
  signSubmissions(
    files: readonly Submission[],
    options?: CallOptions,
  ): Promise<(Submission & SignedForm)[]>;
  /** The submissions of this user that have arrived. */
  submissions(options?: CallOptions): Promise<ArrivedSubmission[]>;
}

export function createUploads(request: Requests, fetchFile: typeof fetch): Uploads {
  async function sign(input: FormInput = {}, { signal }: CallOptions = {}): Promise<SignedForm> {
    const path = '/api/v2/s3/create_signed_url';
    const body = JSON.stringify({ command: 'CreateSignedS3FormData', data: input });
    const answer = await request({ method: 'POST', path, body, signal });
    const { data }: { data: SignedForm } = jsonOf(answer);
    return data;
  }

  return {
    sign,

    async upload(file, input, options = {}) {
      const form = await sign(input, { signal: options.signal });
      const uploaded = await uploadForm(form, file, { fetch: fetchFile, ...options });
      return { ...uploaded, key: form.fields['key'] ?? '' };
    },

    async signSubmissions(files, { signal } = {}) {
      const body = JSON.stringify(files);
      const answer = await request({ method: 'POST', path: '/submit-files', body, signal });
      return jsonOf(answer);
    },

    async submissions({ signal } = {}) {
      const answer = await request({ method: 'GET', path: '/submit-files', signal });
      return jsonOf(answer);
    },
  };
}
