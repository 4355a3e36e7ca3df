import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const compress = promisify(gzip);

/** Beside each file what is sent to browsers that take gzip, which all do: nothing is compressed when asked for. */
function gzipped(): Plugin {
  let folder = '';
  return {
    name: 'gzipped',
    configResolved({ root, build }) {
      folder = join(root, build.outDir);
    },
    async closeBundle() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      for (const entry of entries.filter((found) => found.isFile())) {
        const path = join(entry.parentPath, entry.name);
        await writeFile(`${path}.gz`, await compress(await readFile(path), { level: 9 }));
      }
    },
  };
}

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
  plugins: [gzipped()],
  // `npx vite console` beside a running server: what is not the console's is sent there.
  server: {
    proxy: { '^/(?!console)': { target: 'https://localhost:6375', secure: false } },
  },
});
