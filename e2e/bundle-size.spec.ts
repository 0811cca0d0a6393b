import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { expect, test } from '@playwright/test'
import { repoFile } from './support'

/** Gzipped bytes of the scripts and modules that index.html names: what must arrive before the first paint. */
function initialBytes(extension: 'js' | 'css'): number {
  const html = readFileSync(repoFile('dist/index.html'), 'utf8')
  const files = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map((match) => match[1])
  return files
    .filter((file) => file.endsWith(`.${extension}`))
    .reduce((sum, file) => sum + gzipSync(readFileSync(repoFile(`dist/${file}`)), { level: 9 }).length, 0)
}

test('the shell stays within its download budget, and Plotly is not part of it', () => {
  const script = initialBytes('js')
  expect(script).toBeGreaterThan(10_000)
  expect(script).toBeLessThanOrEqual(250_000)
  expect(initialBytes('css')).toBeLessThanOrEqual(45_000)
})

test('every built file is referenced relatively, so that the site works from any sub-path', () => {
  const html = readFileSync(repoFile('dist/index.html'), 'utf8')
  expect(html).not.toMatch(/(?:src|href)="\//)
  expect(readdirSync(repoFile('dist/layers')).filter((file) => file.endsWith('.safetensors'))).toHaveLength(3)
})
