import { describe, expect, test } from 'vitest'
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

describe('notes', () => {
  const notesOf = (...args: string[]) => parseCompare(['in', '--weight', 'w', '--activations', 'x', ...args]).notes
  const given = ['--scale-rule', 'even', '--rounding', 'half-away', '--block', '64', '--pre-scale', '0.8']
  const mx = 'mxfp8_e4m3, mxfp8_e5m2, mxint8, mxfp6_e3m2, mxfp6_e2m3, mxfp4'

  test('name choices that reach no tensor of any setting, and what they are for', () => {
    expect(notesOf('--setting', 'int4/nvfp4,bf16/16', ...given)).toEqual([
      `no tensor of int4/nvfp4, bf16/16 takes --scale-rule, --rounding, --block (only for ${mx}), ` +
        '--pre-scale (only for mxfp4 without fp32 scales)',
    ])
    expect(notesOf('--setting', 'W8A8', ...given, '--pre-scale-variant', 'literal')).toEqual([
      'no tensor of W8A8 takes --pre-scale, --pre-scale-variant (only for mxfp4 without fp32 scales)',
    ])
    expect(notesOf('--scale-rule', 'fp32', '--pre-scale', '0.8')).toHaveLength(1)
  })

  test('are not given for choices that reach one, that were not made, or that change nothing', () => {
    expect(notesOf('--setting', 'int4/nvfp4,16/16/mxfp4', ...given)).toEqual([])
    expect(notesOf('--setting', 'int4/nvfp4')).toEqual([])
    expect(notesOf('--setting', 'int4/nvfp4', '--rounding', 'half-even', '--pre-scale', 'off')).toEqual([])
  })

  test('say that CSV has no scale analysis', () => {
    expect(notesOf('--scale-analysis', '--csv', 'out.csv')).toEqual(['--csv has no scale analysis; --json has it'])
    expect(notesOf('--csv', 'out.csv')).toEqual([])
  })
})

test('a cell named by its halves is the cell, once, with the options given under either name', () => {
  const { request } = parseCompare([
    ...['layer.safetensors', '--weight', 'w', '--synthetic', '--methods', 'identity+gptq,GPTQ,quarot+rtn'],
    ...['--option', 'gptq.damping=0.1'],
  ])
  expect(request.methods).toEqual([
    { id: 'gptq', options: { damping: '0.1' } },
    { id: 'quarot', options: {} },
  ])
})

test('a limit for GPU buffers is a number of bytes', () => {
  const base = ['f.safetensors', '--weight', 'w', '--synthetic']
  expect(parseCompare(base).bufferLimit).toBeNull()
  expect(parseCompare([...base, '--buffer-limit', '4000000']).bufferLimit).toBe(4_000_000)
  expect(() => parseCompare([...base, '--buffer-limit', '4MB'])).toThrow(
    '--buffer-limit: expected a whole number from 1',
  )
  expect(() => parseCompare([...base, '--buffer-limit', '-5'])).toThrow(
    '--buffer-limit: expected a value, found "-5"; one that begins with a dash is written --buffer-limit=-5',
  )
  expect(() => parseCompare([...base, '--buffer-limit=-5'])).toThrow('expected a whole number from 1')
})
