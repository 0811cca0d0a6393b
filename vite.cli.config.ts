import { defineConfig } from 'vite'

/** Bundles the headless command for Node into one file: the same engine as the page, shaders included as text. */
export default defineConfig({
  publicDir: false,
  build: {
    ssr: 'src/cli/main.ts',
    outDir: 'dist/cli',
    target: 'node20',
    rollupOptions: { output: { entryFileNames: 'mxscope.mjs', codeSplitting: false } },
  },
  ssr: { external: ['webgpu'], noExternal: true },
})
