import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRest, type Rest } from '../support/rest.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';
import { arrived, createForm, sendAsPage, submitOne } from './forms.ts';

/** Names as people and programs give them: of files, of users, and what they come to in a key. */

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server();
});

afterAll(() => server.stop());

const UUID = '[\\da-f]{8}(?:-[\\da-f]{4}){3}-[\\da-f]{12}';

describe('the name of a submitted file', () => {
  it.each([
    ['document.png', 'document.png'],
    ['C:\\Users\\me\\scan.pdf', 'scan.pdf'],
    ['/home/me/scan.pdf', 'scan.pdf'],
    ['../../../etc/passwd', 'passwd'],
    ['..\\..\\boot.ini', 'boot.ini'],
    ['a\\b/c', 'c'],
    ['folder/', 'file'],
    ['folder\\', 'file'],
    ['.', 'file'],
    ['..', 'file'],
    ['...', '...'],
    ['.hidden', '.hidden'],
    [' spaced  name ', ' spaced  name '],
    ['a+b&c=d?e#f%20g%', 'a+b&c=d?e#f%20g%'],
    ["quo\"ted 'name'; x=<y>", "quo\"ted 'name'; x=<y>"],
    ['отчёт 報告 📎 ñ n\u0303.pdf', 'отчёт 報告 📎 ñ n\u0303.pdf'],
    ['\u202egnp.exe', '\u202egnp.exe'],
    ['a\r\nb\tc\0d\x7f', 'a__b_c_d_'],
    ['$' + '{filename}', '%24{filename}'],
    ['a$' + '{filename}.png', 'a%24{filename}.png'],
    ['$' + '{file\0name}', '$' + '{file_name}'],
    ['$&$1$$', '$&$1$$'],
    ['__proto__', '__proto__'],
    ['x'.repeat(255), 'x'.repeat(255)],
    [`${'鍵'.repeat(85)}`, '鍵'.repeat(85)],
    ['"'.repeat(255), '"'.repeat(255)],
    ['\x01'.repeat(255), '_'.repeat(255)],
  ])('case %#: the file arrives as a page sends it', async (fileName, name) => {
    const label = fileName;
    const form = await submitOne(server.admin, { fileName, spektrDataField: label });
    const key = form.fields['key'] ?? '';
    expect(key).toMatch(new RegExp(`^admin/${UUID}/`));
    expect(key.split('/').slice(2).join('/')).toBe(name);
    const response = await sendAsPage(form, fileName, 'what the page calls it.bin');
    expect(response.status, await response.text()).toBe(204);
    expect(await arrived(server.admin)).toContainEqual(
      expect.objectContaining({ key, fileName, spektrDataField: label }),
    );
    // As any client asks for it.
    const path = `/submissions/${key.split('/').map(encodeURIComponent).join('/')}`;
    expect((await server.admin('GET', path)).text).toBe(Buffer.from(fileName).toString());
  });
});

describe('the name of a user', () => {
  const users = [
    ['maria', 'maria'],
    ['maria/x', 'maria%2Fx'],
    ['maria%2Fx', 'maria%252Fx'],
    ['100%', '100%25'],
    ['...', '...'],
    ['a b+c', 'a b+c'],
    ['Мария 📎', 'Мария 📎'],
    ['back\\slash', 'back\\slash'],
    ['"quoted"', '"quoted"'],
    ['$' + '{filename}', '%24{filename}'],
    ['📎'.repeat(64), '📎'.repeat(64)],
    ['/'.repeat(64), '%2F'.repeat(64)],
  ] as const;

  async function member(name: string, folder: string): Promise<Rest> {
    const grants = [{ prefix: `submissions/${folder}/`, access: 'write' }];
    const path = `/api/users/${encodeURIComponent(name)}`;
    const made = await server.admin('PUT', path, { password: 'p', role: 'member', grants });
    expect(made.status, made.text).toBe(201);
    return createRest(server.url, name, 'p');
  }

  it('is a folder of its own, and no other’s', async () => {
    const keys = new Map<string, string>();
    for (const [name, folder] of users) {
      const rest = await member(name, folder);
      const form = await submitOne(rest, { fileName: '"'.repeat(255) });
      const key = form.fields['key'] ?? '';
      expect(key.slice(0, key.indexOf('/'))).toBe(folder);
      expect((await sendAsPage(form, name)).status).toBe(204);
      keys.set(name, key);
    }
    for (const [name] of users) {
      const listed = await arrived(createRest(server.url, name, 'p'));
      expect(
        listed.map(({ key }) => key),
        name,
      ).toEqual([keys.get(name)]);
    }
  });
});

describe('names in create_signed_url', () => {
  it.each([
    { key: '"quoted" \\ <b>&amp;' },
    { key: '../up' },
    { key: '/leading//double/' },
    { key: 'a\tb' },
    { prefix: 'ü/ö', filename: 'ä.png' },
    { filename: 'x'.repeat(255) },
    { filename: '"'.repeat(255), contentType: '"'.repeat(255) },
    { metadata: { odd: '"\\\u2028 ü 📎' } },
  ])('%j are in the policy as they are in the form', async (data) => {
    const form = await createForm(server.admin, data);
    const response = await sendAsPage(form, 'x');
    expect(response.status, await response.text()).toBe(201);
    expect((await server.read('uploads', form.fields['key'] ?? '')).text).toBe('x');
  });
});
