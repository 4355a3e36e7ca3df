// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is a variable of S3's forms.
import { describe, expect, test } from 'vitest';
import { formFields } from '../../server/s3/form-fields.ts';
import { told } from './aws-examples.ts';

function values(pairs: [string, string][], filename?: string): [string, string][] {
  return [...formFields(pairs, filename)].map(([key, { value }]) => [key, value]);
}

describe('formFields', () => {
  test('finds fields whatever the case of their names, and keeps their spelling and order', () => {
    const fields = formFields([
      ['Key', 'a'],
      ['X-Amz-Meta-É', 'b'],
    ]);
    expect([...fields.keys()]).toEqual(['key', 'x-amz-meta-É']);
    expect(fields.get('key')).toEqual({ name: 'Key', value: 'a' });
  });

  test('does not take the Kelvin sign for a k', () => {
    expect(formFields([['\u212aey', 'a']]).has('key')).toBe(false);
  });

  test('joins the values of fields with one name with commas', () => {
    const pairs: [string, string][] = [
      ['x-amz-meta-tag', 'Ninja'],
      ['key', 'k'],
      ['X-Amz-Meta-Tag', 'Stallman'],
    ];
    expect(values(pairs)).toEqual([
      ['x-amz-meta-tag', 'Ninja,Stallman'],
      ['key', 'k'],
    ]);
  });

  test.each([
    ['lolcatz.jpg', 'lolcatz.jpg'],
    ['C:\\Program Files\\directory1\\file.txt', 'file.txt'],
    ['a/b\\c/d.txt', 'd.txt'],
    ['a\nb/c', 'c'],
    ['a/', ''],
    ['', ''],
    [undefined, ''],
    ["$& $` $' $$ $1", "$& $` $' $$ $1"],
    ['${filename}', '${filename}'],
  ])('replaces ${filename} in every field: of %j by %j', (filename, replaced) => {
    const pairs: [string, string][] = [
      ['key', 'u/${filename}'],
      ['redirect', '${filename}-${filename}'],
      ['x', '${Filename} $filename'],
    ];
    expect(values(pairs, filename)).toEqual([
      ['key', `u/${replaced}`],
      ['redirect', `${replaced}-${replaced}`],
      ['x', '${Filename} $filename'],
    ]);
  });

  test('are no larger expanded than they may be sent', () => {
    const pairs: [string, string][] = [['key', '${filename}'.repeat(4)]];
    expect(formFields(pairs, 'x'.repeat(5_120)).get('key')?.value).toHaveLength(20_480);
    expect(told(() => formFields(pairs, 'x'.repeat(5_121)))).toEqual([
      'MaxPostPreDataLengthExceeded',
      400,
      'Your POST request fields preceeding the upload file was too large.',
      { MaxPostPreDataLengthBytes: '20480' },
    ]);
    expect(told(() => formFields([...pairs, ['a', 'b']], 'x'.repeat(5_120)))[0]).toBe(
      'MaxPostPreDataLengthExceeded',
    );
  });
});
