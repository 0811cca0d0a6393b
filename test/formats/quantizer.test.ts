import { expect, test } from 'vitest'
import { InputError } from '../../src/core/errors'
import { bitsPerElement } from '../../src/formats/bits-per-element'
import { parseFormat } from '../../src/formats/format-text'
import { BLOCK_SIZES, type NumberFormat, SCALE_RULES } from '../../src/formats/number-format'
import { checkMxChoices, type MxChoices, makeQuantizer, STANDARD_MX, takesPreScale } from '../../src/formats/quantizer'
import { FORMATS, formatById } from '../../src/formats/registry'

const quantizer = (text: string, choices: Partial<MxChoices> = {}) =>
  makeQuantizer(parseFormat(text), { ...STANDARD_MX, ...choices })
const threeQuarters = { factor: 0.75, variant: 'exact' } as const

test('an MX format is completed by the choices of the run', () => {
  const choices = { scaleRule: 'rceil', rounding: 'half-away', blockSize: 64 } as const
  expect(quantizer('mxfp8_e4m3', choices)).toEqual({
    family: 'mx',
    format: formatById('mxfp8_e4m3'),
    preScale: null,
    flushSubnormalBlocks: false,
    ...choices,
  })
})

test('the other formats are completed by their own options, whatever the MX choices', () => {
  const choices: MxChoices = { scaleRule: 'ceil', rounding: 'toward-zero', blockSize: 7, preScale: threeQuarters }
  const made = (text: string) => {
    const { format, ...rest } = makeQuantizer(parseFormat(text), choices)
    return { id: format.id, ...rest }
  }
  expect(made('nvfp4')).toEqual({ id: 'nvfp4', family: 'nvfp', fourOverSix: null, tensorScale: true })
  expect(made('nvfp4(four-over-six=mae,tensor-scale=off)')).toEqual({
    id: 'nvfp4',
    family: 'nvfp',
    fourOverSix: 'mae',
    tensorScale: false,
  })
  for (const kind of ['mse', 'max']) expect(made(`nvfp4(four-over-six=${kind})`)).toMatchObject({ fourOverSix: kind })
  expect(made('int4')).toEqual({ id: 'int4', family: 'integer', group: 'row', scheme: 'sym-max' })
  for (const group of [32, 64, 128] as const) {
    for (const scheme of ['sym-max', 'sym-half', 'asym']) {
      expect(made(`int8(group=${group},scheme=${scheme})`)).toEqual({ id: 'int8', family: 'integer', group, scheme })
    }
  }
  expect(made('bf16')).toEqual({ id: 'bf16', family: 'sixteen-bit' })
})

test('the pre-scale reaches 4-bit MX elements under a power of two only', () => {
  const preScaled = (format: NumberFormat) => {
    const made = quantizer(format.id, { preScale: threeQuarters })
    return made.family === 'mx' && made.preScale !== null
  }
  expect(FORMATS.filter(preScaled).map(({ id }) => id)).toEqual(['mxfp4'])
  expect(FORMATS.filter((format) => takesPreScale(format, 'floor')).map(({ id }) => id)).toEqual(['mxfp4'])
  const rules = SCALE_RULES.filter((scaleRule) => takesPreScale(formatById('mxfp4'), scaleRule))
  expect(rules).toEqual(['floor', 'rceil', 'ceil', 'even', 'best'])
  expect(quantizer('mxfp4', { preScale: threeQuarters, scaleRule: 'fp32' })).toMatchObject({ preScale: null })
  expect(quantizer('mxfp4', { preScale: threeQuarters })).toMatchObject({ preScale: threeQuarters })
  // multiplying by 1 is doing nothing
  expect(quantizer('mxfp4', { preScale: { factor: 1, variant: 'literal' } })).toMatchObject({ preScale: null })
})

test.each([0, 4, 24, 256, Number.NaN])('block size %d is refused with those that exist', (blockSize) => {
  const check = () => checkMxChoices({ ...STANDARD_MX, blockSize })
  expect(check).toThrow(InputError)
  expect(check).toThrow(
    expect.objectContaining({
      code: 'FM-03',
      message: `block size of MX formats: expected one of 8, 16, 32, 64, 128, found ${blockSize}.`,
    }),
  )
  expect(() => quantizer('mxint8', { blockSize })).toThrow(expect.objectContaining({ code: 'FM-03' }))
})

test.each([0.49, 1.01, -0.75, Number.NaN])('a pre-scale of %d is refused with its range', (factor) => {
  const check = () => checkMxChoices({ ...STANDARD_MX, preScale: { factor, variant: 'exact' } })
  expect(check).toThrow(
    expect.objectContaining({ code: 'FM-04', message: `pre-scale: expected 0.5 to 1, found ${factor}.` }),
  )
  expect(check).toThrow(InputError)
})

test('every block size and both ends of the pre-scale are accepted', () => {
  for (const blockSize of BLOCK_SIZES) checkMxChoices({ ...STANDARD_MX, blockSize })
  for (const factor of [0.5, 1]) checkMxChoices({ ...STANDARD_MX, preScale: { factor, variant: 'literal' } })
  expect(BLOCK_SIZES).toEqual([8, 16, 32, 64, 128])
})

test('bits per element count the scales', () => {
  expect(FORMATS.map(({ id }) => bitsPerElement(quantizer(id)))).toEqual([
    8.25, 8.25, 8.25, 6.25, 6.25, 4.25, 4.5, 8, 4, 16, 16,
  ])
  expect(bitsPerElement(quantizer('mxfp4', { blockSize: 16 }))).toBe(4.5)
  expect(bitsPerElement(quantizer('mxfp4', { scaleRule: 'fp32' }))).toBe(5)
  expect(bitsPerElement(quantizer('mxfp4', { scaleRule: 'fp32', blockSize: 16 }))).toBe(6)
  expect(bitsPerElement(quantizer('int4(group=128)'))).toBe(4.125)
  expect(bitsPerElement(quantizer('int4(group=128,scheme=asym)'))).toBe(4.15625)
  expect(bitsPerElement(quantizer('int4(group=32)'))).toBe(4.5)
  expect(bitsPerElement(quantizer('int8'), 64)).toBe(8.25)
  expect(bitsPerElement(quantizer('int8(scheme=asym)'), 64)).toBe(8.375)
})

test('a short last block has a scale of its own', () => {
  expect(bitsPerElement(quantizer('mxfp4', { blockSize: 128 }), 192)).toBe(4 + (8 * 2) / 192)
  expect(bitsPerElement(quantizer('mxfp4', { blockSize: 128 }), 256)).toBe(4 + 8 / 128)
  expect(bitsPerElement(quantizer('mxfp8_e4m3', { scaleRule: 'fp32' }), 33)).toBe(8 + (32 * 2) / 33)
  expect(bitsPerElement(quantizer('nvfp4'), 17)).toBe(4 + (8 * 2) / 17)
  expect(bitsPerElement(quantizer('int4(group=64,scheme=asym)'), 65)).toBe(4 + ((16 + 4) * 2) / 65)
  expect(bitsPerElement(quantizer('bf16'), 5)).toBe(16)
})
