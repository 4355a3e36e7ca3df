import { type SignedForm, type UploadOptions, uploadForm } from '../../shared/client/index.ts';
import { bucketPath } from './object-path.ts';

/**
 * Sends a file with a signed form to this origin: the form names the server as others call it (PUBLIC_URL), where this
 * page may send nothing to. No policy signs a host.
 */
export async function sendForm(
  bucket: string,
  form: SignedForm,
  file: File,
  options: UploadOptions,
): Promise<void> {
  await uploadForm({ ...form, url: location.origin + bucketPath(bucket) }, file, options);
}
