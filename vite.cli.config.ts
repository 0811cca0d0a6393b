import { defineConfig } from 'vite'

/** Bundles the headless command for Node: the same engine as the page, shaders included as text. */
export default defineConfig({
  publicDir: false,
  build: {
    ssr: 'src/cli/main.ts',
    outDir: 'dist/cli',
    target: 'node20',
    rollupOptions: { output: { entryFileNames: 'mxscope.mjs' } },
  },
  ssr: { external: ['webgpu'], noExternal: true },
})
