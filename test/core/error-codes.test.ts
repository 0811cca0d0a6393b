import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const sources = readdirSync(new URL('src', root), { recursive: true, encoding: 'utf8' }).filter((path) =>
  /\.tsx?$/.test(path),
)

/** Codes that stand in quotes in the source, as they are handed to an error's constructor. */
function codesInSource(): Set<string> {
  const texts = sources.map((path) => readFileSync(new URL(`src/${path}`, root), 'utf8'))
  return new Set(texts.flatMap((text) => [...text.matchAll(/'([A-Z]{2}-\d{2})'/g)].map((match) => match[1])))
}

function codesInDocs(): string[] {
  const text = readFileSync(new URL('docs/errors.md', root), 'utf8')
  const anchors = [...text.matchAll(/^\| <a id="([a-z]{2}-\d{2})"><\/a>([A-Z]{2}-\d{2}) \|/gm)]
  for (const [, id, code] of anchors) expect(id).toBe(code.toLowerCase())
  return anchors.map((match) => match[2])
}

test('docs/errors.md lists every code of the product once, and no other', () => {
  expect(sources.length).toBeGreaterThan(20)
  expect(codesInDocs().sort()).toEqual([...codesInSource()].sort())
})
