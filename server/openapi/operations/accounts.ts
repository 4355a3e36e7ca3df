import { z } from 'zod';
import { MAX_ACCESS_KEYS_PER_USER, MAX_USER_NAME_CHARS } from '../../../shared/limits.ts';
import { accessKeyAnswer, accessKeyInput, keyPairAnswer } from '../../services/access-keys.ts';
import { userAnswer, userInput } from '../../services/users.ts';
import { type ApiOperation, inPath, json } from '../operation.ts';

/** Users, and the access keys that sign on their behalf. */

const name = inPath(
  'name',
  `1 to ${MAX_USER_NAME_CHARS} characters, none of them a colon or a control character.`,
  {
    type: 'string',
    minLength: 1,
    maxLength: MAX_USER_NAME_CHARS,
    pattern: '^[^:\\x00-\\x1f]+$',
  },
  'ada',
);
const id = inPath('id', 'The id of an access key.', { type: 'string' }, 'ADAS.KEY.1');

const user = {
  name: 'ada',
  role: 'member',
  grants: [{ prefix: 'data/players/', access: 'write' }],
};
const lastAdmin = 'It is the last admin: make another user one first.';

export const accountOperations: readonly ApiOperation[] = [
  {
    method: 'put',
    path: '/api/users/{name}',
    id: 'putUser',
    tag: 'Users',
    summary: 'Create or change a user',
    description: 'For admins.',
    isWrite: true,
    parameters: [name],
    request: {
      content: json(userInput, { password: 'correct horse', role: 'member', grants: user.grants }),
    },
    answers: {
      200: { description: 'The user, who was changed.', content: json(userAnswer, user) },
      201: { description: 'The user, who is new.', content: json(userAnswer, user) },
      400: 'The name or the body cannot be, or a new user has no password.',
      409: lastAdmin,
    },
  },
  {
    method: 'get',
    path: '/api/users',
    id: 'listUsers',
    tag: 'Users',
    summary: 'List users',
    description: 'For admins.',
    answers: {
      200: { description: 'The users, by name.', content: json(z.array(userAnswer), [user]) },
    },
  },
  {
    method: 'delete',
    path: '/api/users/{name}',
    id: 'deleteUser',
    tag: 'Users',
    summary: 'Delete a user, with their access keys',
    description: 'For admins.',
    isWrite: true,
    parameters: [name],
    answers: {
      204: { description: 'The user is gone, at once.' },
      400: 'The name cannot be read.',
      404: 'There is no user of this name.',
      409: lastAdmin,
    },
  },
  {
    method: 'post',
    path: '/api/access-keys',
    id: 'createAccessKey',
    tag: 'Access keys',
    summary: 'Make an access key',
    description: `What is not given is made. Members make keys only for themselves; a user has ${MAX_ACCESS_KEYS_PER_USER} at most.`,
    isWrite: true,
    request: {
      isOptional: true,
      content: json(accessKeyInput, { user: 'ada', accessKeyId: 'ADAS.KEY.1' }),
    },
    answers: {
      201: {
        description: 'The pair. The secret is shown only here.',
        headers: ['Cache-Control'],
        content: json(keyPairAnswer, {
          accessKeyId: 'ADAS.KEY.1',
          secretAccessKey: 'aSecretThatOnlyThisAnswerShows0123456789',
          user: 'ada',
        }),
      },
      400: 'The body cannot be.',
      404: 'There is no such user.',
      409: 'The id is taken, or the user has as many keys as one may have.',
    },
  },
  {
    method: 'get',
    path: '/api/access-keys',
    id: 'listAccessKeys',
    tag: 'Access keys',
    summary: 'List access keys',
    description: 'Members see their own.',
    answers: {
      200: {
        description: 'The keys, without their secrets.',
        content: json(z.array(accessKeyAnswer), [
          { accessKeyId: 'ADAS.KEY.1', user: 'ada', createdAt: '2026-01-31T12:00:00.000Z' },
        ]),
      },
    },
  },
  {
    method: 'delete',
    path: '/api/access-keys/{id}',
    id: 'deleteAccessKey',
    tag: 'Access keys',
    summary: 'Delete an access key',
    isWrite: true,
    parameters: [id],
    answers: {
      204: { description: 'It signs nothing any more.' },
      400: 'The id cannot be read.',
      404: 'There is no such key.',
    },
  },
];
