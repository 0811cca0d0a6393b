import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../../src/ui/', import.meta.url))
const TOKENS = 'app.css'
const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.css'))
const withoutComments = (text: string) => text.replaceAll(/\/\*[\s\S]*?\*\//g, '')
const read = (file: string) => withoutComments(readFileSync(ROOT + file, 'utf8'))
const tokens = read(TOKENS)
const sheets = files.filter((file) => file !== TOKENS).map((file) => ({ file, text: read(file) }))

/** "file: property: value" of every declaration whose property matches. */
function declarations(property: RegExp): readonly { readonly at: string; readonly value: string }[] {
  return sheets.flatMap(({ file, text }) =>
    [...text.matchAll(/([\w-]+)\s*:\s*([^;{}]+);/g)]
      .filter(([, name]) => property.test(name))
      .map(([, name, value]) => ({ at: `${file}: ${name}: ${value}`, value })),
  )
}

const lengths = (value: string) =>
  [...value.matchAll(/(?<![\w.#-])-?(\d+(?:\.\d+)?)px/g)].map(([, size]) => Number(size))

describe('the style sheets', () => {
  it('are found', () => {
    expect(sheets.length).toBeGreaterThan(20)
    expect(declarations(/^font-size$/).length).toBeGreaterThan(50)
  })

  it('take every size of type from the one scale', () => {
    const own = declarations(/^font-size$/).filter(
      ({ value }) => !/^(var\(--mx-font-\w+\)|inherit)$/.test(value.trim()),
    )
    expect(own.map(({ at }) => at)).toEqual([])
    const shorthands = declarations(/^font$/).filter(({ value }) => value.trim() !== 'inherit')
    expect(shorthands.map(({ at }) => at)).toEqual([])
  })

  it('name no colour of their own', () => {
    const literal =
      /#[\da-f]{3,8}\b|\b(?:rgb|hsl|oklch|lab|lch|hwb)a?\(|\b(?:white|black|red|green|blue|gray|grey|orange)\b/i
    const own = declarations(/^(?!content$)/).filter(({ value }) => literal.test(value))
    expect(own.map(({ at }) => at)).toEqual([])
  })

  it('take corners and shadows from the tokens', () => {
    const corners = declarations(/^border(-\w+)*-radius$/).filter(({ value }) => lengths(value).length > 0)
    const shadows = declarations(/^box-shadow$/).filter(({ value }) => !/var\(--mx-|^none$/.test(value))
    expect([...corners, ...shadows].map(({ at }) => at)).toEqual([])
  })

  it('keep distances to steps of four pixels, and half a step inside a line', () => {
    const uneven = declarations(/^((row-|column-)?gap|(padding|margin)(-\w+)*)$/).filter(({ value }) =>
      lengths(value).some((size) => size > 2 && size % 4 !== 0),
    )
    // A pointer's target reaches as far to both sides of what is seen.
    expect(uneven.map(({ at }) => at).filter((at) => !at.includes('margin-left: -22px'))).toEqual([])
  })

  it('use only tokens that exist, and all of them', () => {
    const defined = new Set([...tokens.matchAll(/(--mx-[\w-]+)\s*:/g)].map(([, name]) => name))
    const everything = [tokens, ...sheets.map(({ text }) => text)].join('\n')
    const used = new Set([...everything.matchAll(/var\((--mx-[\w-]+)/g)].map(([, name]) => name))
    expect([...used].filter((name) => !defined.has(name))).toEqual([])
    expect([...defined].filter((name) => !used.has(name))).toEqual([])
  })
})
