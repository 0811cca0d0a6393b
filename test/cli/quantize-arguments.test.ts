import { expect, test } from 'vitest'
import { describeQuantizer, parseQuantize } from '../../src/cli/quantize-arguments'

const parseFormat = (format: string, ...args: string[]) =>
  parseQuantize(['in', '--format', format, ...args, '-o', 'out'])

function described(format: string, ...args: string[]) {
  const { choice, quantizer } = parseFormat(format, ...args)
  return describeQuantizer(choice, quantizer)
}

test('without choices a format is as its standard says', () => {
  expect(parseFormat('mxfp4')).toMatchObject({ file: 'in', names: [], output: 'out', json: null })
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
