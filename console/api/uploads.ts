import { KeystowClientError } from '../../shared/client/index.ts';
import { current } from '../session.ts';
import type { FileUpload } from './file-upload.ts';
import { sendForm } from './send-form.ts';

/** Long enough to begin an upload, which is when the form is looked at. */
const FORM_SECONDS = 900;
const ELSEWHERE =
  "This server has files uploaded to another store, which this page's policy does not allow: upload with keystow upload or an S3 client.";
const LINE_BREAK =
  'Browsers change line breaks in forms, so this name cannot be kept: rename the file, or upload it with an S3 client.';

/** Has a form signed for this one file and sends it. */
export async function uploadFile(upload: FileUpload): Promise<void> {
  const { bucket, key, file, signal, onProgress } = upload;
  if (/[\r\n]/.test(key)) throw new KeystowClientError('bad-request', LINE_BREAK);
  const form = await current().client.uploads.sign(
    {
      bucket,
      key,
      minBytes: file.size,
      maxBytes: file.size,
      expiresIn: FORM_SECONDS,
      ...(file.type === '' ? {} : { contentType: file.type }),
    },
    { signal },
  );
  // A form past this server has a key of that store's own: docs/signed-forms.md, "Past this server".
  if (form.fields['key'] !== key) throw new KeystowClientError('not-implemented', ELSEWHERE);
  // A `${filename}` in the key stays what it is by being put in its own place.
  await sendForm(bucket, form, file, { fileName: '$' + '{filename}', signal, onProgress });
}
