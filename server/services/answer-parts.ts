import { z } from 'zod';

/** What several answers have in them. Answers are written down as schemas: the OpenAPI document has them too. */

/** ISO 8601, in UTC. */
export const time = z.string().meta({ format: 'date-time' });

/** An ETag as it stands in headers. */
export const quotedEtag = z.string().regex(/^"[^"]+"$/);
