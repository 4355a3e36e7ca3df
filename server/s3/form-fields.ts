import { S3Error } from './s3-error.ts';

/** One field of a form, its name spelled as it was sent. */
export interface FormField {
  readonly name: string;
  readonly value: string;
}

/** The fields before the file, by their names in lower case, in the order of the form. */
export type FormFields = ReadonlyMap<string, FormField>;

/** All fields before the file together, in bytes as they arrive and in characters once expanded. */
export const MAX_FORM_FIELDS_BYTES = 20_480;

/** What stands for the file's name in a field. */
export const FILENAME = '$' + '{filename}';

/**
 * The fields of a form with `${filename}` replaced in every value: by what follows the last `/` or
 * `\` of the file's name, by the empty string when it has none. Names are case-insensitive; the
 * values of fields with one name are joined with commas, as S3's policies expect.
 * Throws S3Error MaxPostPreDataLengthExceeded when the file's name makes them too large.
 */
export function formFields(
  pairs: Iterable<readonly [name: string, value: string]>,
  filename = '',
): FormFields {
  const baseName = filename.replace(/^.*[/\\]/s, '');
  const fields = new Map<string, FormField>();
  let size = 0;
  for (const [name, raw] of pairs) {
    const parts = raw.includes(FILENAME) ? raw.split(FILENAME) : [raw];
    size += raw.length + (parts.length - 1) * (baseName.length - FILENAME.length);
    if (size > MAX_FORM_FIELDS_BYTES) throw fieldsTooLarge();
    const value = parts.join(baseName);
    const key = fieldKey(name);
    const earlier = fields.get(key);
    fields.set(key, earlier ? { ...earlier, value: `${earlier.value},${value}` } : { name, value });
  }
  return fields;
}

/** Fields over 20,480 bytes. */
export function fieldsTooLarge(): S3Error {
  return new S3Error('MaxPostPreDataLengthExceeded', {
    extra: [['MaxPostPreDataLengthBytes', String(MAX_FORM_FIELDS_BYTES)]],
  });
}

/** The name under which a field is found; only ASCII letters have a case here. */
export function fieldKey(name: string): string {
  if (/^[ -~]*$/.test(name)) return name.toLowerCase();
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** The value of a field by its name in lower case. */
export function fieldValue(fields: FormFields, key: string): string | undefined {
  return fields.get(key)?.value;
}
