import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'

const WORKER = 'service-worker.js'
/** Where the built-in layers lie, below the folder whose files are published as they are. */
const LAYERS = 'layers'

/**
 * Builds the service worker beside the page and writes the list of all other built files and of the built-in layers into
 * it, with a hash of their contents as its version: a build that differs in a byte is another version, one that does not
 * is the same.
 */
export function precache(): Plugin {
  let publicDir = ''
  return {
    name: 'precache',
    apply: 'build',
    configResolved(config) {
      publicDir = config.publicDir
    },
    buildStart() {
      this.emitFile({ type: 'chunk', id: 'src/offline/service-worker.ts', fileName: WORKER })
    },
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const worker = bundle[WORKER]
        if (worker?.type !== 'chunk') throw new Error(`${WORKER}: expected a chunk of the build, found none.`)
        if (worker.imports.length > 0) throw new Error(`${WORKER}: expected no imports, found ${worker.imports}.`)
        const built = Object.values(bundle)
          .filter(({ fileName }) => fileName !== WORKER && !fileName.endsWith('.map'))
          .sort((a, b) => (a.fileName < b.fileName ? -1 : 1))
        const hash = createHash('sha256')
        for (const file of built) hash.update(file.fileName).update(file.type === 'chunk' ? file.code : file.source)
        const layers = readdirSync(join(publicDir, LAYERS))
          .filter((name) => name.endsWith('.safetensors'))
          .sort()
        for (const name of layers) hash.update(name).update(readFileSync(join(publicDir, LAYERS, name)))
        const list = {
          version: hash.digest('hex').slice(0, 12),
          files: built.map(({ fileName }) => `./${fileName}`).filter((name) => name !== './index.html'),
          layers: layers.map((name) => `./${LAYERS}/${name}`),
        }
        worker.code = worker.code.replaceAll('__PRECACHE__', JSON.stringify(list))
      },
    },
  }
}
