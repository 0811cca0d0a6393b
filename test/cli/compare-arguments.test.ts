import { expect, test } from 'vitest'
import { parseCompare } from '../../src/cli/compare-arguments'

const requestOf = (...args: string[]) => {
  return parseCompare(['in', '--weight', 'w', '--activations', 'x', ...args]).request
}

test('the defaults are those of the tables of arXiv 2601.09555', () => {
  expect(requestOf()).toMatchObject({
    settings: [{ id: 'W4A4' }],
    scaleRule: 'floor',
    rounding: 'half-even',
    preScale: { factor: 0.75, variant: 'exact' },
    blockSize: 32,
    seed: 0,
    headDim: null,
    scaleAnalysis: false,
  })
})

test('takes every choice for MX formats', () => {
  const args = ['--scale-rule', 'best', '--rounding', 'half-away', '--block', '64', '--scale-analysis']
  expect(requestOf(...args, '--pre-scale', '0.6', '--pre-scale-variant', 'literal')).toMatchObject({
    scaleRule: 'best',
    rounding: 'half-away',
    preScale: { factor: 0.6, variant: 'literal' },
    blockSize: 64,
    scaleAnalysis: true,
  })
  expect(requestOf('--pre-scale-variant', 'literal').preScale).toEqual({ factor: 0.75, variant: 'literal' })
  expect(requestOf('--pre-scale', 'off').preScale).toBeNull()
})

test('a list of settings is split outside parentheses', () => {
  const { settings, headDim } = requestOf(
    ...['--setting', 'int4(group=128,scheme=asym)/int8, W4A8KV8,16/nvfp4(four-over-six=max)', '--head-dim', '96'],
  )
  expect(settings.map(({ id }) => id)).toEqual([
    'int4(group=128,scheme=asym)/int8',
    'W4A8KV8',
    '16/nvfp4(four-over-six=max)',
  ])
  expect(headDim).toBe(96)
})
