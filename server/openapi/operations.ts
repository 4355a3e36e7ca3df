import type { ApiOperation } from './operation.ts';
import { accountOperations } from './operations/accounts.ts';
import { batchOperations } from './operations/batch.ts';
import { bucketOperations } from './operations/buckets.ts';
import { changeOperations } from './operations/changes.ts';
import { documentOperations } from './operations/documents.ts';
import { operatingOperations } from './operations/operating.ts';
import { saveOperations } from './operations/saves.ts';
import { serviceOperations } from './operations/service.ts';
import { signedFormOperations } from './operations/signed-forms.ts';
import { uploadOperations } from './operations/uploads.ts';

/** All operations of the JSON API, and POST Object. `test/openapi/routes.test.ts` compares them with the router. */
export const operations: readonly ApiOperation[] = [
  ...documentOperations,
  ...batchOperations,
  ...changeOperations,
  ...accountOperations,
  ...bucketOperations,
  ...signedFormOperations,
  ...saveOperations,
  ...serviceOperations,
  ...operatingOperations,
  ...uploadOperations,
];
