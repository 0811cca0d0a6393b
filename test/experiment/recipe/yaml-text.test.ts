import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { commentLines, type YamlMap, yamlText } from '../../../src/experiment/recipe/yaml-text'

const AWKWARD: YamlMap = {
  empty: {},
  words: ['true', 'null', 'No', '1e5', '0.5', '', 'a: b', '# c', '- d', 're:.*q_proj', "it's", '"', '\\n', 'é', '~'],
  numbers: [0, -1, 0.5, 1e-7, 1e21],
  nested: { 'two words': { deep: null, yes: true }, list: [] },
}

test('a YAML reader reads back what was written', () => {
  expect(parse(yamlText(AWKWARD))).toEqual(AWKWARD)
})

test('plain words stay without quotes, so that recipes look as people write them', () => {
  expect(yamlText({ scheme: 'MXFP4', targets: ['Linear'], actorder: null })).toBe(
    'scheme: MXFP4\ntargets: [Linear]\nactorder: null\n',
  )
})

test('keys without a value are left out', () => {
  expect(yamlText({ a: undefined, b: 1 })).toBe('b: 1\n')
})

test('comments break between words and keep within their width', () => {
  const text = commentLines(`${'word '.repeat(60)}end`)
  const lines = text.trimEnd().split('\n')
  expect(lines.length).toBeGreaterThan(2)
  for (const line of lines) {
    expect(line).toMatch(/^# /)
    expect(line.length).toBeLessThanOrEqual(100)
  }
  expect(text.replaceAll(/#|\s+/g, ' ').split(' ').filter(Boolean)).toHaveLength(61)
})
