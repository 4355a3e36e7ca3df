import type { CannedAcl } from './canned-acl.ts';
import { S3Error } from './s3-error.ts';
import {
  checkMembers,
  childOf,
  childrenOf,
  readRoot,
  requiredTextOf,
  textOf,
} from './xml-element.ts';
import { S3_NAMESPACE } from './xml-namespace.ts';
import type { XmlElement } from './xml-reader.ts';
import { XML_DECLARATION, xmlElement } from './xml-text.ts';

const XSI_NAMESPACE = 'http://www.w3.org/2001/XMLSchema-instance';
const EVERYBODY = 'http://acs.amazonaws.com/groups/global/AllUsers';
const AUTHENTICATED = 'http://acs.amazonaws.com/groups/global/AuthenticatedUsers';

/** FULL_CONTROL is these four together. */
const permissions = ['READ', 'WRITE', 'READ_ACP', 'WRITE_ACP'] as const;

type Permission = (typeof permissions)[number] | 'FULL_CONTROL';

/** The canned ACLs that differ here, and what each grants to groups besides what the owner has. */
const groupGrants: readonly (readonly [
  acl: CannedAcl,
  grants: readonly (readonly [group: string, permission: Permission])[],
])[] = [
  ['private', []],
  ['public-read', [[EVERYBODY, 'READ']]],
  [
    'public-read-write',
    [
      [EVERYBODY, 'READ'],
      [EVERYBODY, 'WRITE'],
    ],
  ],
  ['authenticated-read', [[AUTHENTICATED, 'READ']]],
];

/** The body of GetBucketAcl and GetObjectAcl. */
export function accessControlPolicyXml(
  acl: CannedAcl,
  owner: { id: string; displayName: string },
): string {
  const ownerXml = xmlElement('ID', owner.id) + xmlElement('DisplayName', owner.displayName);
  const [, grants] = groupGrants.find(([name]) => name === acl) ?? [acl, []];
  const grantsXml = [
    grantXml('CanonicalUser', ownerXml, 'FULL_CONTROL'),
    ...grants.map(([group, permission]) => grantXml('Group', xmlElement('URI', group), permission)),
  ];
  return `${XML_DECLARATION}<AccessControlPolicy xmlns="${S3_NAMESPACE}"><Owner>${ownerXml}</Owner><AccessControlList>${grantsXml.join('')}</AccessControlList></AccessControlPolicy>`;
}

function grantXml(type: string, granteeXml: string, permission: Permission): string {
  return `<Grant><Grantee xmlns:xsi="${XSI_NAMESPACE}" xsi:type="${type}">${granteeXml}</Grantee>${xmlElement('Permission', permission)}</Grant>`;
}

/**
 * The canned ACL that lets the same callers do the same as the body of PutBucketAcl or PutObjectAcl,
 * whatever the order of its grants: a repeated one says nothing more, nor does one to the
 * authenticated of what everybody may do. Throws S3Error MalformedACLError for what is no such
 * document, AccessDenied for another owner, NotImplemented for grants that no canned ACL says.
 */
export function parseAccessControlPolicy(xml: string, ownerId: string): CannedAcl {
  const policy = readPolicy(xml);
  if (policy.ownerId !== ownerId) throw new S3Error('AccessDenied');
  const granted = grantedBy(policy, ownerId);
  for (const permission of permissions) {
    if (!granted.delete(`owner ${permission}`)) throw unsayable();
    if (granted.has(`${EVERYBODY} ${permission}`)) granted.delete(`${AUTHENTICATED} ${permission}`);
  }
  const same = groupGrants.find(
    ([, grants]) =>
      grants.length === granted.size &&
      grants.every(([group, permission]) => granted.has(`${group} ${permission}`)),
  );
  if (same === undefined) throw unsayable();
  return same[0];
}

/** Each permission as `owner READ` or, for a group, as its URI and the permission. */
function grantedBy({ grants }: Policy, ownerId: string): Set<string> {
  const granted = new Set<string>();
  for (const { kind, name, permission } of grants) {
    const isOwner = kind === 'ID' && name === ownerId;
    const isGroup = kind === 'URI' && (name === EVERYBODY || name === AUTHENTICATED);
    if (!isOwner && !isGroup) throw unsayable();
    for (const one of permission === 'FULL_CONTROL' ? permissions : [permission]) {
      granted.add(`${isOwner ? 'owner' : name} ${one}`);
    }
  }
  return granted;
}

function unsayable(): S3Error {
  return new S3Error('NotImplemented', {
    message: 'Only access control lists that a canned ACL can say are kept.',
  });
}

const granteeKinds = ['ID', 'URI', 'EmailAddress'] as const;

interface Grant {
  readonly kind: (typeof granteeKinds)[number];
  readonly name: string;
  readonly permission: Permission;
}

interface Policy {
  readonly ownerId: string;
  readonly grants: readonly Grant[];
}

function readPolicy(xml: string): Policy {
  try {
    const root = readRoot(xml, 'AccessControlPolicy');
    checkMembers(root, ['Owner', 'AccessControlList']);
    const list = childOf(root, 'AccessControlList');
    checkMembers(list, ['Grant']);
    return {
      ownerId: requiredTextOf(childOf(root, 'Owner'), 'ID'),
      grants: childrenOf(list, 'Grant').map(readGrant),
    };
  } catch (cause) {
    if (cause instanceof S3Error) throw new S3Error('MalformedACLError', { cause });
    throw cause;
  }
}

/** A grantee's `xsi:type` says the same as the name of its member, so it is not looked at. */
function readGrant(grant: XmlElement): Grant {
  checkMembers(grant, ['Grantee', 'Permission']);
  const text = requiredTextOf(grant, 'Permission');
  const permission = ([...permissions, 'FULL_CONTROL'] as const).find((known) => known === text);
  const grantee = childOf(grant, 'Grantee');
  checkMembers(grantee, [...granteeKinds, 'DisplayName']);
  const [named, ...others] = granteeKinds.flatMap((kind) => {
    const name = textOf(grantee, kind);
    return name === undefined ? [] : [{ kind, name }];
  });
  if (permission === undefined || named === undefined || others.length > 0) {
    throw new S3Error('MalformedXML');
  }
  return { ...named, permission };
}
