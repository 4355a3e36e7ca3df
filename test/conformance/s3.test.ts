import { startS3rver } from '../support/s3rver.ts';
import { testS3BlobStore } from './s3-blob-store.ts';

testS3BlobStore('s3, s3rver', startS3rver);
