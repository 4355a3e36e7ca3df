import { z } from 'zod';
import {
  DEFAULT_SUBMIT_MAX_BYTES,
  MAX_SUBMITTED_FILES,
  SHORT_FORM_SECONDS,
} from '../../../shared/limits.ts';
import { commandAnswer, commandBody } from '../../http/routes/signed-forms.ts';
import { submissionsBody } from '../../services/form-input.ts';
import { arrivedAnswer, submissionFormAnswer } from '../../services/signed-forms.ts';
import { type ApiOperation, json } from '../operation.ts';

const tag = 'Signed forms';
const file = { fileName: 'document.png', spektrDataField: 'passport' };

export const signedFormOperations: readonly ApiOperation[] = [
  {
    method: 'post',
    path: '/api/v2/s3/create_signed_url',
    id: 'createSignedUrl',
    tag,
    summary: 'Sign a form for an upload',
    description:
      'All of the body may be left out. Where the server signs for anybody (ANONYMOUS_SIGNING) and no credentials are given, only `filename`, `contentType`, `minBytes` and `maxBytes` of `data` count.',
    auth: 'unless-anonymous-signing',
    isWrite: true,
    request: {
      isOptional: true,
      content: json(commandBody, {
        uuid: '0b9d3f6e-6f0b-4d5e-9a53-0c1f5a3f7c11',
        command: 'CreateSignedS3FormData',
        data: { maxBytes: 1_000_000 },
        async: false,
      }),
    },
    answers: {
      202: {
        description: 'The form.',
        headers: ['Cache-Control', 'X-Runtime'],
        content: json(commandAnswer, {
          status: 'accepted',
          meta: {},
          uuid: '0b9d3f6e-6f0b-4d5e-9a53-0c1f5a3f7c11',
          data: {
            fields: {
              key: 'direct_uploads/b8a1f2f0-7a55-4b43-9d6a-7c3c2b1a0f4e',
              success_action_status: '201',
              policy: 'eyJleHBpcmF0aW9uIjoi…',
              'x-amz-credential': 'ADAS.KEY.1/20260131/us-east-1/s3/aws4_request',
              'x-amz-algorithm': 'AWS4-HMAC-SHA256',
              'x-amz-date': '20260131T120000Z',
              'x-amz-signature': '5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592',
            },
            url: 'https://localhost:6375/uploads',
          },
        }),
      },
      400: 'Another command, or a member that cannot be.',
      404: 'There is no such bucket.',
    },
  },
  {
    method: 'post',
    path: '/submit-files',
    id: 'submitFiles',
    tag,
    summary: 'Get a form for each file to submit',
    description: `One file, or 1 to ${MAX_SUBMITTED_FILES}. A form is good for ${SHORT_FORM_SECONDS / 60} minutes, and for SUBMIT_MAX_BYTES (${DEFAULT_SUBMIT_MAX_BYTES} unless set); its session credentials can do nothing but that upload.`,
    isWrite: true,
    request: { content: json(submissionsBody, [file]) },
    answers: {
      200: {
        description: 'The forms, in the order of the files.',
        headers: ['Cache-Control'],
        content: json(z.array(submissionFormAnswer), [
          {
            ...file,
            url: 'https://localhost:6375/',
            fields: {
              key: 'admin/b8a1f2f0-7a55-4b43-9d6a-7c3c2b1a0f4e/document.png',
              bucket: 'submissions',
              'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
              'X-Amz-Credential': 'ASIAEXAMPLE/20260131/us-east-1/s3/aws4_request',
              'X-Amz-Date': '20260131T120000Z',
              'X-Amz-Security-Token': 'AQEB…',
              Policy: 'eyJleHBpcmF0aW9uIjoi…',
              'X-Amz-Signature': '5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592',
            },
          },
        ]),
      },
      400: 'The body cannot be.',
      404: 'The bucket for submissions was removed.',
    },
  },
  {
    method: 'get',
    path: '/submit-files',
    id: 'listSubmissions',
    tag,
    summary: 'List which of the own submissions have arrived',
    answers: {
      200: {
        description: 'Those that have arrived, by key.',
        content: json(z.array(arrivedAnswer), [
          {
            key: 'admin/b8a1f2f0-7a55-4b43-9d6a-7c3c2b1a0f4e/document.png',
            ...file,
            size: 5,
            etag: '"5d41402abc4b2a76b9719d911017c592"',
            time: '2026-01-31T12:00:00.000Z',
          },
        ]),
      },
    },
  },
];
