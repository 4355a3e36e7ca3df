import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { strongPassword } from '../../console/views/users/strong-password.ts';
import {
  draftOf,
  EMPTY_DRAFT,
  inputOf,
  isChanged,
  nextRowId,
  problemsOf,
} from '../../console/views/users/user-draft.ts';
import {
  accessKeyIdProblem,
  nameProblem,
  passwordProblem,
  prefixProblem,
  secretProblem,
} from '../../console/views/users/user-rules.ts';
import { isAccessKeyId, isSecretAccessKey } from '../../server/services/access-keys.ts';
import { isPassword, isUserName, userInput } from '../../server/services/users.ts';
import { runs } from '../support/long-runs.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ unit: 'grapheme', maxLength: 140 }),
  fc.string({ unit: fc.constantFrom('a', ':', 'é', '😀', '\0', '\x1f', '\x7f', '\ud800', '/') }),
);

describe('the console’s rules for fields', () => {
  it('take what the server takes, and nothing else', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(nameProblem(text) === undefined).toBe(isUserName(text) && !/^\.\.?$/.test(text));
        expect(passwordProblem(text) === undefined).toBe(isPassword(text));
        const grants = [{ prefix: text, access: 'read' }];
        const isGrant = userInput.safeParse({ role: 'member', grants }).success;
        expect(prefixProblem(text) === undefined).toBe(isGrant);
        if (text === '') return;
        expect(accessKeyIdProblem(text) === undefined).toBe(isAccessKeyId(text));
        expect(secretProblem(text) === undefined).toBe(isSecretAccessKey(text));
      }),
      { numRuns: runs(200, 2_000) },
    );
  });

  it('count a password in bytes and a name in characters', () => {
    expect(passwordProblem('é'.repeat(36))).toBeUndefined();
    expect(passwordProblem('é'.repeat(37))).toContain('this one has 74');
    expect(nameProblem('😀'.repeat(64))).toBeUndefined();
    expect(nameProblem('😀'.repeat(65))).toContain('this one has 65');
    expect(prefixProblem('é'.repeat(544))).toBeUndefined();
    expect(prefixProblem('é'.repeat(545))).toContain('this one has 1090');
  });

  it('refuse the names that no browser can send', () => {
    expect(nameProblem('..')).toContain('URL');
    expect(nameProblem('...')).toBeUndefined();
  });
});

describe('a generated password', () => {
  it('has 24 characters, each as likely as any other, none that looks like another', () => {
    const made = Array.from({ length: 500 }, strongPassword);
    expect(new Set(made).size).toBe(500);
    const counts = new Map<string, number>();
    for (const char of made.join('')) counts.set(char, (counts.get(char) ?? 0) + 1);
    for (const password of made) expect(password).toMatch(/^[a-km-zA-HJ-NP-Z2-9]{24}$/);
    // 12,000 of 57: 210 of each on average, with a standard deviation of 14.
    expect(counts.size).toBe(57);
    for (const count of counts.values()) expect(Math.abs(count - 210)).toBeLessThan(100);
  });
});

describe('a draft of a user', () => {
  const ada = {
    name: 'ada',
    role: 'member',
    grants: [
      { prefix: 'data/a/', access: 'read' },
      { prefix: 'data/b/', access: 'write' },
    ],
  } as const;

  it('sends of a present user only what is not as it was', () => {
    const draft = draftOf(ada);
    expect(isChanged(draft, ada)).toBe(false);
    expect(inputOf(draft, ada)).toEqual({ role: 'member' });
    expect(inputOf({ ...draft, password: 'new' }, ada)).toEqual({
      role: 'member',
      password: 'new',
    });
    const fewer = { ...draft, grants: draft.grants.slice(1) };
    expect(isChanged(fewer, ada)).toBe(true);
    expect(inputOf(fewer, ada)).toEqual({
      role: 'member',
      grants: [{ prefix: 'data/b/', access: 'write' }],
    });
  });

  it('neither checks nor sends the grants of an admin, which the form does not show', () => {
    const [first] = draftOf(ada).grants;
    expect(first).toBeDefined();
    const grants = first ? [{ ...first, prefix: '\0' }] : [];
    const draft = { ...draftOf(ada), grants };
    expect(problemsOf(draft, false).grants.size).toBe(1);
    expect(problemsOf({ ...draft, role: 'admin' }, false).grants.size).toBe(0);
    expect(inputOf({ ...draft, role: 'admin' }, ada)).toEqual({ role: 'admin' });
    expect(inputOf({ ...EMPTY_DRAFT, password: 'x' })).toEqual({ role: 'member', password: 'x' });
  });

  it('wants a password of a new user alone, and gives each row an id of its own', () => {
    expect(problemsOf({ ...EMPTY_DRAFT, name: 'x' }, true).password).toBeDefined();
    expect(problemsOf({ ...EMPTY_DRAFT, name: 'x' }, false).password).toBeUndefined();
    const { grants } = draftOf(ada);
    expect(nextRowId(grants)).toBe(2);
    expect(nextRowId(grants.slice(1))).toBe(2);
    expect(nextRowId([])).toBe(0);
  });
});
