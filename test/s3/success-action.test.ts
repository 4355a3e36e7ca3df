import { describe, expect, test } from 'vitest';
import { formFields } from '../../server/s3/form-fields.ts';
import {
  objectLocation,
  parseSuccessAction,
  redirectLocation,
} from '../../server/s3/success-action.ts';

function action(...pairs: [string, string][]): string | number {
  const parsed = parseSuccessAction(formFields(pairs));
  return parsed.status === 303 ? parsed.redirect.href : parsed.status;
}

describe('parseSuccessAction', () => {
  test.each([
    [undefined, 204],
    ['200', 200],
    ['201', 201],
    ['204', 204],
    ['404', 204],
    ['', 204],
    [' 200', 204],
  ])('the status %j is %d', (status, expected) => {
    expect(status === undefined ? action() : action(['success_action_status', status])).toBe(
      expected,
    );
  });

  test('a redirect wins over a status, the newer name over the older', () => {
    const redirect: [string, string] = ['redirect', 'http://old.example/'];
    expect(action(redirect, ['success_action_status', '201'])).toBe('http://old.example/');
    expect(action(redirect, ['Success_Action_Redirect', 'https://new.example/'])).toBe(
      'https://new.example/',
    );
    expect(action(redirect, ['success_action_redirect', '/relative'])).toBe('http://old.example/');
  });

  test.each([
    '',
    '/wrong/redirect/relative',
    'javascript:alert(1)',
    'ftp://a/',
    'http://a b/',
    'x',
  ])('the redirect %j counts as absent', (redirect) => {
    expect(action(['success_action_redirect', redirect], ['success_action_status', '200'])).toBe(
      200,
    );
  });
});

describe('redirectLocation', () => {
  test.each([
    ['http://h/p.html', 'http://h/p.html?'],
    ['http://h', 'http://h/?'],
    ['http://h/p?', 'http://h/p?'],
    ['http://h/p?a=b+c%2F&d', 'http://h/p?a=b+c%2F&d&'],
    ['https://u:p@h:8443/p?x#frag', 'https://u:p@h:8443/p?x&'],
  ])('appends to the query of %s', (redirect, expected) => {
    const location = redirectLocation(new URL(redirect), {
      bucket: 'b',
      key: 'user/é r+&=#',
      etag: '39d4',
    });
    const fragment = redirect.includes('#') ? '#frag' : '';
    expect(location).toBe(
      `${expected}bucket=b&key=user%2F%C3%A9+r%2B%26%3D%23&etag=%2239d4%22${fragment}`,
    );
  });

  test('the line breaks of a redirect do not reach the header', () => {
    const redirect = new URL('http://h/\r\nSet-Cookie: a=b');
    expect(redirectLocation(redirect, { bucket: 'b', key: 'k', etag: 'e' })).toMatch(/^[!-~]+$/);
  });
});

test('objectLocation escapes all of the key', () => {
  expect(objectLocation('https://h/b/', 'test_unicode—/a b~')).toBe(
    'https://h/b/test_unicode%E2%80%94%2Fa%20b~',
  );
  expect(objectLocation('https://b.h', 'k')).toBe('https://b.h/k');
});
