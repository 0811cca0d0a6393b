import { expect, test } from 'vitest'
import { InputError } from '../../src/core/errors'
import { bitsPerElement } from '../../src/formats/number-format'
import { makeQuantizer } from '../../src/formats/quantizer'
import { FORMATS, formatById } from '../../src/formats/registry'

const choices = { scaleRule: 'floor', rounding: 'half-even', preScale: 0.75 } as const

test('every format is found by its id, and ids are unique', () => {
  for (const format of FORMATS) expect(formatById(format.id)).toBe(format)
  expect(new Set(FORMATS.map(({ id }) => id)).size).toBe(FORMATS.length)
})

test('an unknown format is refused with the ids that exist', () => {
  const find = () => formatById('mxfp5')
  expect(find).toThrow(InputError)
  expect(find).toThrow(
    'number format: expected one of mxfp8_e4m3, mxfp8_e5m2, mxint8, mxfp6_e3m2, mxfp6_e2m3, mxfp4, found "mxfp5".',
  )
  expect(find).toThrow(expect.objectContaining({ code: 'FM-01' }))
})

test('the pre-scale reaches 4-bit elements only', () => {
  const preScaled = FORMATS.filter((format) => makeQuantizer(format, choices).preScale !== null)
  expect(preScaled.map(({ id }) => id)).toEqual(['mxfp4'])
  expect(makeQuantizer(formatById('mxfp4'), { ...choices, preScale: null }).preScale).toBeNull()
})

test('a scale byte per block of 32 costs a quarter of a bit per element', () => {
  expect(FORMATS.map(bitsPerElement)).toEqual([8.25, 8.25, 8.25, 6.25, 6.25, 4.25])
})
