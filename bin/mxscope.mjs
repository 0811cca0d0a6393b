#!/usr/bin/env node
// Starts the headless program. In a checkout it first bundles it (quietly) when the sources are newer than the bundle.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const bundle = join(root, 'dist', 'cli', 'mxscope.mjs')

/** Time of the newest file under `path`, in milliseconds. */
function newest(path) {
  const stats = statSync(path)
  if (!stats.isDirectory()) return stats.mtimeMs
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}

/** One file, written elsewhere and moved into place, so that two processes may build at the same time. */
async function buildBundle() {
  const { build } = await import('vite')
  const folder = join(root, 'dist', `.cli-${process.pid}`)
  try {
    await build({
      root,
      configFile: join(root, 'vite.cli.config.ts'),
      logLevel: 'error',
      build: { outDir: folder, emptyOutDir: true },
    })
    mkdirSync(dirname(bundle), { recursive: true })
    renameSync(join(folder, 'mxscope.mjs'), bundle)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const sources = ['src', 'shaders', 'vite.cli.config.ts', 'package-lock.json'].map((name) => join(root, name))
const inCheckout = existsSync(sources[0])
if (inCheckout && (!existsSync(bundle) || sources.some((path) => newest(path) > statSync(bundle).mtimeMs))) {
  await buildBundle()
}

const { main } = await import(pathToFileURL(bundle).href)
// A reader such as `head` may close the pipe early; that is its right.
process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1))
const code = await main(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  note: (line) => process.stderr.write(`${line}\n`),
})
// Dawn's threads would keep the process alive, so it ends here, once both streams are flushed.
await new Promise((resolve) => process.stdout.write('', resolve))
await new Promise((resolve) => process.stderr.write('', resolve))
process.exit(code)
