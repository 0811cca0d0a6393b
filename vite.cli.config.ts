import { defineConfig } from 'vite'
import { builtCommit } from './scripts/built-commit.ts'

/** Bundles the headless command for Node into one file: the same engine as the page, shaders included as text. */
export default defineConfig({
  publicDir: false,
  define: { __COMMIT__: JSON.stringify(builtCommit()) },
  build: {
    ssr: 'src/cli/main.ts',
    outDir: 'dist/cli',
    target: 'node20',
    rollupOptions: { output: { entryFileNames: 'mxscope.mjs', codeSplitting: false } },
  },
  ssr: { external: ['webgpu', 'vite', '@playwright/test'], noExternal: true },
})
