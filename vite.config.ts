import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// `base: './'` makes the built site work from any sub-path; `global` is read by plotly.js at run time.
export default defineConfig({
  plugins: [react()],
  base: './',
  define: { global: 'globalThis' },
  worker: { format: 'es' },
  build: { target: 'es2023', chunkSizeWarningLimit: 1300 },
})
