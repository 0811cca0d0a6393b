import { expect, test } from 'vitest'
import { describeQuantizer, parseQuantize, quantizerText } from '../../src/cli/quantize-arguments'

const parseFormat = (format: string, ...args: string[]) =>
  parseQuantize(['in', '--format', format, ...args, '-o', 'out'])

function described(format: string, ...args: string[]) {
  const { choice, quantizer } = parseFormat(format, ...args)
  return describeQuantizer(choice, quantizer)
}

test('without choices a format is as its standard says', () => {
  expect(parseFormat('mxfp4')).toMatchObject({ file: 'in', patterns: [], output: 'out', json: null })
  expect(described('mxfp4')).toEqual({
    format: 'mxfp4',
    scaleRule: 'floor',
    rounding: 'half-even',
    blockSize: 32,
    preScale: null,
    preScaleVariant: null,
    flushSubnormalBlocks: false,
  })
  expect(described('nvfp4')).toEqual({ format: 'nvfp4', blockSize: 16, fourOverSix: null, tensorScale: true })
  expect(described('int4')).toEqual({ format: 'int4', group: 'row', scheme: 'sym-max' })
  expect(described('fp16')).toEqual({ format: 'fp16' })
})

test('MX formats take every choice', () => {
  const args = ['--scale-rule', 'best', '--rounding', 'toward-zero', '--block', '128', '--flush-subnormal-blocks']
  expect(described('mxfp4', ...args, '--pre-scale', '0.9', '--pre-scale-variant', 'literal')).toEqual({
    format: 'mxfp4',
    scaleRule: 'best',
    rounding: 'toward-zero',
    blockSize: 128,
    preScale: 0.9,
    preScaleVariant: 'literal',
    flushSubnormalBlocks: true,
  })
  expect(described('mxfp6_e3m2', '--scale-rule', 'fp32', '--block', '8')).toMatchObject({
    blockSize: 8,
    preScale: null,
  })
  // A factor of 1 is none.
  expect(described('mxfp4', '--pre-scale', '1')).toMatchObject({ preScale: null, preScaleVariant: null })
})

test('--block is the group of integers, with or without the option', () => {
  expect(described('int8(scheme=asym)', '--block', '64')).toEqual({
    format: 'int8(group=64,scheme=asym)',
    group: 64,
    scheme: 'asym',
  })
  expect(described('int8(group=64)', '--block', '64')).toMatchObject({ group: 64 })
})

test('saying what a format does anyway is no contradiction', () => {
  const args = ['--rounding', 'half-even', '--pre-scale', 'off']
  expect(described('nvfp4(tensor-scale=off)', ...args, '--block', '16')).toMatchObject({ tensorScale: false })
  expect(described('bf16', ...args)).toEqual({ format: 'bf16' })
  expect(described('mxfp8_e4m3', '--pre-scale', 'off')).toMatchObject({ preScale: null })
})

test('the report line says the choices in the words of compare', () => {
  const said = (format: string, ...args: string[]) => {
    const { choice, quantizer } = parseFormat(format, ...args)
    return quantizerText(choice, quantizer)
  }
  expect(said('mxfp4')).toBe('mxfp4, scale rule floor, rounding half-even, pre-scale off')
  expect(said('mxfp4', '--pre-scale', '0.75', '--block', '64', '--scale-rule', 'best')).toBe(
    'mxfp4, scale rule best, rounding half-even, pre-scale 3/4, block 64 (not the standard)',
  )
  expect(said('mxint8', '--rounding', 'half-away', '--flush-subnormal-blocks')).toBe(
    'mxint8, scale rule floor, rounding half-away, pre-scale off (no 4-bit MX operand), subnormal blocks become zero',
  )
  expect(said('nvfp4(four-over-six=mse)')).toBe('nvfp4(four-over-six=mse), rounding half-even, block 16')
  expect(said('int8')).toBe('int8, rounding half-even, a scale per row')
  expect(said('INT4', '--block', '64')).toBe('int4(group=64), rounding half-even, a scale per group of 64')
  expect(said('bf16')).toBe('bf16, rounding half-even')
})
