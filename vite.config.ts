import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'
import { builtCommit } from './scripts/built-commit.ts'
import { precache } from './scripts/precache.ts'

/**
 * In development the React plugin puts a small inline script into the page. Its hash joins the page's policy, which so
 * stays as strict as in the build, where there is no inline script.
 */
function inlineScriptHashes(): Plugin {
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  return {
    name: 'inline-script-hashes',
    apply: 'serve',
    transformIndexHtml: {
      order: 'post',
      handler(html) {
        const inline = [...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)].map(([, text]) => text)
        return html.replace("script-src 'self'", ["script-src 'self'", ...inline.map(hash)].join(' '))
      },
    },
  }
}

// `base: './'` makes the built site work from any sub-path; `global` is read by plotly.js at run time.
export default defineConfig({
  plugins: [react(), inlineScriptHashes(), precache()],
  base: './',
  define: { global: 'globalThis', __COMMIT__: JSON.stringify(builtCommit()) },
  // plotly.js/lib/core brings the styles of map traces, which are not in our bundle.
  resolve: {
    alias: {
      'maplibre-gl/dist/maplibre-gl.css': fileURLToPath(new URL('./src/ui/plot/no-map-styles.css', import.meta.url)),
    },
  },
  // Of the pages in the tree only this one is served; bench/ has packages of its own that may not be there.
  optimizeDeps: { entries: ['index.html'] },
  // Methods are loaded lazily so that the page's shell holds only their facts; the worker is one file with all of them.
  worker: { format: 'es', rolldownOptions: { output: { codeSplitting: false } } },
  build: { target: 'es2023', chunkSizeWarningLimit: 1300 },
})
