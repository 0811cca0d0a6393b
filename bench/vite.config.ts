import { defineConfig } from 'vite'

/** Bundles the pages of the benchmark; the product's build knows nothing of them. */
export default defineConfig({
  publicDir: false,
  base: './',
  build: { target: 'es2023', chunkSizeWarningLimit: 4000 },
  // The libraries come with workers and WebAssembly of their own.
  worker: { format: 'es' },
})
