import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const compress = promisify(gzip);

/** Beside each file the same for browsers that take gzip, which all do: nothing is compressed when it is asked for. */
const gzipped: Plugin = {
  name: 'gzipped',
  async writeBundle({ dir = '' }, bundle) {
    for (const file of Object.values(bundle)) {
      const bytes = file.type === 'chunk' ? file.code : file.source;
      await writeFile(join(dir, `${file.fileName}.gz`), await compress(bytes, { level: 9 }));
    }
  },
};

export default defineConfig({
  root: import.meta.dirname,
  base: '/console/',
  build: {
    outDir: '../dist/console',
    emptyOutDir: true,
    target: 'es2023',
    // A strict Content-Security-Policy: no script, style or picture within the page itself.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  plugins: [gzipped],
  // `npx vite console` beside a running server: what is not the console's is sent there.
  server: {
    proxy: { '^/(?!console)': { target: 'https://localhost:6375', secure: false } },
  },
});
