import { expect, it } from 'vitest';
import { explain } from '../../console/parts/explain.ts';
import { visible } from '../../console/parts/visible.ts';
import { KeystowClientError } from '../../shared/client/index.ts';

it.each([
  ['a direction', 'a\u202egpj', 'a⟨U+202E⟩gpj'],
  ['a line', 'a\nb', 'a⟨U+000A⟩b'],
  ['half a character', 'a\ud800', 'a⟨U+D800⟩'],
  ['a tag, which has no picture anywhere', 'a\u{e0041}', 'a⟨U+E0041⟩'],
  ['a filler', 'a\u3164', 'a⟨U+3164⟩'],
  ['a selector of variants', 'a\ufe01', 'a⟨U+FE01⟩'],
  ['an empty Braille cell', 'a\u2800', 'a⟨U+2800⟩'],
])('what cannot be seen is named: %s', (_, text, shown) => {
  expect(visible(text)).toBe(shown);
});

it('what can be seen stays as it is', () => {
  const text = 'Ünïcode, 日本語, עברית, 😀 <b>&amp;';
  expect(visible(text)).toBe(text);
});

it('a key within the server’s sentence cannot turn the sentence around', () => {
  const error = new KeystowClientError('not-found', 'a\u202eb not found.');
  expect(explain(error)).toMatch(/^a⟨U\+202E⟩b not found\./);
  expect(explain(new Error('c\u2066 failed.'))).toBe('c⟨U+2066⟩ failed.');
});
