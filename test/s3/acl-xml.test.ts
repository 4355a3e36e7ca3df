import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accessControlPolicyXml, parseAccessControlPolicy } from '../../server/s3/acl-xml.ts';
import { type CannedAcl, cannedAcls } from '../../server/s3/canned-acl.ts';
import { told } from './aws-examples.ts';

const owner = { id: 'a'.repeat(64), displayName: 'admin & co' };
const everybody = 'http://acs.amazonaws.com/groups/global/AllUsers';
const authenticated = 'http://acs.amazonaws.com/groups/global/AuthenticatedUsers';

const id = (value: string) => `<ID>${value}</ID>`;
const uri = (value: string) => `<URI>${value}</URI>`;

function grant(grantee: string, permission: string): string {
  return `<Grant><Grantee>${grantee}</Grantee><Permission>${permission}</Permission></Grant>`;
}

function policy(...grants: string[]): string {
  return `<AccessControlPolicy><Owner>${id(owner.id)}</Owner><AccessControlList>${grants.join('')}</AccessControlList></AccessControlPolicy>`;
}

const ownersOwn = grant(id(owner.id), 'FULL_CONTROL');
const publicRead = grant(uri(everybody), 'READ');
const publicWrite = grant(uri(everybody), 'WRITE');
const authenticatedRead = grant(uri(authenticated), 'READ');

/** What the ACL comes to here. */
function kept(acl: CannedAcl): CannedAcl {
  return acl.startsWith('bucket-owner') || acl === 'aws-exec-read' ? 'private' : acl;
}

test('a policy is S3’s document', () => {
  expect(accessControlPolicyXml('public-read', owner)).toBe(
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
      '<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
      `<Owner><ID>${owner.id}</ID><DisplayName>admin &amp; co</DisplayName></Owner>` +
      '<AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">' +
      `<ID>${owner.id}</ID><DisplayName>admin &amp; co</DisplayName></Grantee><Permission>FULL_CONTROL</Permission></Grant>` +
      '<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group">' +
      `<URI>${everybody}</URI></Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>`,
  );
});

test.each(cannedAcls)('%s is read back as what it comes to', (acl) => {
  expect(parseAccessControlPolicy(accessControlPolicyXml(acl, owner), owner.id)).toBe(kept(acl));
});

test('any order and any repetition of its grants reads as the same ACL', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...cannedAcls),
      fc.string({ unit: 'grapheme' }).map((name) => ({ id: `i${name}`, displayName: name })),
      fc.infiniteStream(fc.nat()),
      (acl, someone, numbers) => {
        const xml = accessControlPolicyXml(acl, someone);
        const grants = xml.match(/<Grant>.*?<\/Grant>/gs) ?? [];
        const picked = [...numbers.take(4)].flatMap((n) => grants[n % grants.length] ?? []);
        const mixed = [...picked, ...grants.toReversed()].join('');
        const changed = xml.replace(/<Grant>.*<\/Grant>/s, () => mixed);
        expect(parseAccessControlPolicy(changed, someone.id)).toBe(kept(acl));
      },
    ),
  );
});

describe('parseAccessControlPolicy', () => {
  test.each<[string, CannedAcl, string[]]>([
    ['the owner alone', 'private', [ownersOwn]],
    [
      'FULL_CONTROL in its parts',
      'private',
      ['READ_ACP', 'WRITE', 'READ', 'WRITE_ACP'].map((one) => grant(id(owner.id), one)),
    ],
    ['a part of what the owner has anyway', 'private', [ownersOwn, grant(id(owner.id), 'READ')]],
    ['a grant to everybody before the owner’s', 'public-read', [publicRead, ownersOwn]],
    ['two to everybody', 'public-read-write', [publicWrite, ownersOwn, publicRead]],
    ['one to the authenticated', 'authenticated-read', [authenticatedRead, ownersOwn]],
    ['the same to both groups', 'public-read', [ownersOwn, authenticatedRead, publicRead]],
  ])('takes %s', (_, acl, grants) => {
    expect(parseAccessControlPolicy(policy(...grants), owner.id)).toBe(acl);
  });

  // What s3cmd writes: no names of people, and the attributes in another order.
  test('takes what s3cmd makes of a document', () => {
    const s3cmd = (...grants: string[]) =>
      `<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>${owner.id}</ID></Owner><AccessControlList>${grants.join('')}</AccessControlList></AccessControlPolicy>`;
    const s3cmdGrant = (type: string, grantee: string, permission: string) =>
      `<Grant><Grantee xsi:type="${type}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">${grantee}</Grantee><Permission>${permission}</Permission></Grant>`;
    const own = s3cmdGrant('CanonicalUser', id(owner.id), 'FULL_CONTROL');
    const anonymous = s3cmdGrant('Group', uri(everybody), 'READ');
    expect(parseAccessControlPolicy(s3cmd(own, anonymous), owner.id)).toBe('public-read');
    expect(parseAccessControlPolicy(s3cmd(own), owner.id)).toBe('private');
  });

  test.each<[string, string[]]>([
    ['no grant at all', []],
    ['nothing for the owner', [publicRead]],
    ['less for the owner', [grant(id(owner.id), 'READ')]],
    ['WRITE without READ', [ownersOwn, publicWrite]],
    ['READ_ACP for others', [ownersOwn, publicRead, grant(uri(everybody), 'READ_ACP')]],
    ['FULL_CONTROL for others', [ownersOwn, grant(uri(everybody), 'FULL_CONTROL')]],
    ['WRITE for the authenticated', [ownersOwn, grant(uri(authenticated), 'WRITE')]],
    ['READ for some, WRITE for all', [ownersOwn, authenticatedRead, publicWrite]],
    ['another user', [ownersOwn, grant(id('b'), 'READ')]],
    ['a user whose id is a group', [ownersOwn, grant(id(everybody), 'READ')]],
    ['a user by e-mail', [ownersOwn, grant('<EmailAddress>a@b.c</EmailAddress>', 'READ')]],
    [
      'another group',
      [ownersOwn, grant(uri('http://acs.amazonaws.com/groups/s3/LogDelivery'), 'WRITE')],
    ],
  ])('does not keep %s', (_, grants) => {
    expect(told(() => parseAccessControlPolicy(policy(...grants), owner.id)).slice(0, 3)).toEqual([
      'NotImplemented',
      501,
      'Only access control lists that a canned ACL can say are kept.',
    ]);
  });

  test.each([
    '',
    '<AccessControlPolicy>',
    '<AccessControlPolicy/>',
    policy(ownersOwn).replace(/<Owner>.*<\/Owner>/, ''),
    policy(ownersOwn).replace(/<Owner>.*<\/Owner>/, '<Owner/>'),
    policy(ownersOwn).replaceAll('AccessControlPolicy', 'AccessControlList'),
    policy(`<Grant><Permission>READ</Permission></Grant>`),
    policy('<Grant><Grantee/><Permission>READ</Permission></Grant>'),
    policy(`<Grant><Grantee>${id(owner.id)}</Grantee></Grant>`),
    policy(grant(id(owner.id) + uri(everybody), 'READ')),
    policy(grant(id(owner.id) + id(owner.id), 'READ')),
    policy(grant(id(owner.id), 'full_control')),
    policy(grant('<Name/>', 'READ')),
    policy('<Permission>READ</Permission>'),
    `<!DOCTYPE a>${policy(ownersOwn)}`,
  ])('refuses %j', (xml) => {
    expect(told(() => parseAccessControlPolicy(xml, owner.id)).slice(0, 2)).toEqual([
      'MalformedACLError',
      400,
    ]);
  });

  test('denies it to change the owner', () => {
    expect(told(() => parseAccessControlPolicy(policy(ownersOwn), 'b'))[0]).toBe('AccessDenied');
  });
});
