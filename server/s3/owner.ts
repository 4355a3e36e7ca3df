import { createHash } from 'node:crypto';
import type { Owner } from './list-xml.ts';

/**
 * Who owns every bucket and object, as far as S3's clients are told: Keystow's users are told apart by
 * their grants. S3's owners are known by 64 hexadecimal digits.
 */
export const OWNER: Owner = {
  id: createHash('sha256').update('keystow').digest('hex'),
  displayName: 'keystow',
};
