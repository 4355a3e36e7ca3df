import { describe, expect, test } from 'vitest';
import { runs } from './long-runs.ts';
import { readMultipart } from './multipart-oracle.ts';
import { type BaseForm, type MutatedForm, mutateForm } from './mutated-forms.ts';

const BASE: BaseForm = {
  fields: [
    ['key', 'user/eric/MyPicture.jpg'],
    ['acl', 'public-read'],
    ['x-amz-meta-tag', 'Some,Tag,For,Picturé'],
    ['policy', 'eyAiZXhwaXJhdGlvbiI6ICIyMDA3In0='],
  ],
  file: Buffer.from('The content of the file.\r\n'),
};

const FORMS = runs(500, 2_000);

/** Whether the fields before the one file are those of the base form. */
function isIntact({ contentType, body }: MutatedForm): boolean {
  const parts = readMultipart(contentType, body);
  if (parts === undefined) return false;
  const names = parts.map(({ name }) => name.toLowerCase());
  const at = names.indexOf('file');
  if (at === -1 || at !== names.lastIndexOf('file')) return false;
  const fields = parts.slice(0, at).map(({ name, content }) => [name, content.toString()]);
  return JSON.stringify(fields) === JSON.stringify(BASE.fields);
}

/** All there is of a form, quick to compare. */
function textOf(form: MutatedForm | undefined): string {
  return JSON.stringify([
    form?.contentType,
    form?.body.toString('latin1'),
    form?.chunks?.map(({ length }) => length),
    form?.mutations,
  ]);
}

describe('mutateForm', () => {
  const forms = Array.from({ length: FORMS }, (_, seed) => mutateForm(seed, BASE));

  test('makes the same form from the same seed', () => {
    for (let seed = 0; seed < 100; seed += 1) {
      expect(textOf(mutateForm(seed, BASE))).toBe(textOf(forms[seed]));
    }
    expect(new Set(forms.map(({ body }) => body.toString('latin1'))).size).toBeGreaterThan(
      FORMS * 0.95,
    );
  });

  test('leaves more than a third of the forms intact, and spoils more than a quarter', () => {
    expect(forms.filter(isIntact).length).toBeGreaterThan(FORMS / 3);
    const spoilt = forms.filter(({ contentType, body }) => !readMultipart(contentType, body));
    expect(spoilt.length).toBeGreaterThan(FORMS / 4);
  });

  test('spoils only what it says it does', () => {
    const untouched = forms.filter(({ mutations }) => mutations.length === 0);
    expect(untouched.filter((form) => !isIntact(form))).toEqual([]);
  });

  test('splits a body without a loss', () => {
    for (const { body, chunks } of forms) {
      if (chunks !== undefined) expect(Buffer.concat(chunks).equals(body)).toBe(true);
    }
  });
});
