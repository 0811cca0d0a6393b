import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { METHOD_CATALOG } from '../src/experiment/catalog'
import { FORMATS } from '../src/formats/registry'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

test.each(['README.md', 'docs/formats.md'])('%s names every format of the registry', (page) => {
  for (const { id } of FORMATS) expect(read(page)).toContain(`\`${id}\``)
})

test('docs/methods.md names every method of the registry, README.md those of papers', () => {
  for (const { id } of METHOD_CATALOG) expect(read('docs/methods.md')).toContain(`\`${id}\``)
  for (const { id, published } of METHOD_CATALOG) if (published) expect(read('README.md')).toContain(`\`${id}\``)
})

test('docs/methods.md gives the source of every method that has a paper', () => {
  const page = read('docs/methods.md')
  for (const { source } of METHOD_CATALOG) {
    const paper = source.match(/arXiv \d{4}\.\d{5}/)?.[0]
    if (paper) expect(page).toContain(paper)
  }
})

test('links between the pages lead somewhere', () => {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    ...readdirSync(new URL('../docs', import.meta.url)).map((f) => `docs/${f}`),
  ]
  for (const page of pages.filter((path) => path.endsWith('.md'))) {
    for (const [, target] of read(page).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      const folder = page.includes('/') ? `${page.slice(0, page.lastIndexOf('/'))}/` : ''
      const url = new URL(`../${folder}${target}`, import.meta.url)
      expect(existsSync(url), `${page} -> ${target}`).toBe(true)
    }
  }
})
