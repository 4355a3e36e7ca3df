import { createRequire } from 'node:module';

const manifest: { version: string } = createRequire(import.meta.url)('keystow/package.json');

/** As in package.json. */
export const { version } = manifest;
