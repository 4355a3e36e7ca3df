import { describe } from 'vitest';
import { startCeph } from '../support/ceph.ts';
import { isLongRun } from '../support/long-runs.ts';
import { testS3BlobStore } from './s3-blob-store.ts';

/** In long runs alone, since Debian's packages are needed: then they have to be there. */
describe.runIf(isLongRun)('Ceph', () => testS3BlobStore('s3, Ceph', startCeph));
