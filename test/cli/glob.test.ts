import { expect, test } from 'vitest'
import { globMatcher, isPattern } from '../../src/cli/glob'

const NAMES = ['model.layers.0.mlp.up_proj.weight', 'model.layers.10.mlp.up_proj.weight', 'model.norm.weight', 'a[3]']

test.each<[string, number[]]>([
  ['model.norm.weight', [2]],
  ['*', [0, 1, 2, 3]],
  ['model.layers.*.weight', [0, 1]],
  ['model.layers.?.mlp.*', [0]],
  ['*.layers.1?.*', [1]],
  ['*{norm,0.mlp}*', [0, 1, 2]],
  ['{a,b}[3]', [3]],
  ['model', []],
  ['*weigh', []],
  ['model.*.weight.*', []],
  ['**norm**weight', [2]],
  ['.*', []],
])('%s', (pattern, expected) => {
  const matches = globMatcher(pattern)
  expect(NAMES.flatMap((name, index) => (matches(name) ? [index] : []))).toEqual(expected)
})

test('brackets and points are ordinary characters; a name without a special one is no pattern', () => {
  expect(globMatcher('a.b')('axb')).toBe(false)
  expect(['a.b', 'w[3]', '{x}', 'a*', 'a?', '{a,b}'].map(isPattern)).toEqual([false, false, false, true, true, true])
})

test('a long name against many stars ends', () => {
  expect(globMatcher(`${'*a'.repeat(50)}b`)('a'.repeat(20_000))).toBe(false)
})
