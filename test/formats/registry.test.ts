import { expect, test } from 'vitest'
import { InputError } from '../../src/core/errors'
import { infinityCode } from '../../src/formats/codec-element'
import { FORMATS, formatById } from '../../src/formats/registry'

test('every format is found by its id, and ids are unique', () => {
  for (const format of FORMATS) expect(formatById(format.id)).toBe(format)
  expect(new Set(FORMATS.map(({ id }) => id)).size).toBe(FORMATS.length)
})

test('an unknown format is refused with the ids that exist', () => {
  const find = () => formatById('mxfp5')
  expect(find).toThrow(InputError)
  expect(find).toThrow(
    'number format: expected one of mxfp8_e4m3, mxfp8_e5m2, mxint8, mxfp6_e3m2, mxfp6_e2m3, mxfp4, nvfp4, int8, int4, bf16, fp16, found "mxfp5".',
  )
  expect(find).toThrow(expect.objectContaining({ code: 'FM-01' }))
})

test('only E5M2 and the 16-bit floats have an infinity', () => {
  const infinite = FORMATS.filter(({ element }) => element.kind !== 'integer' && infinityCode(element) !== null)
  expect(infinite.map(({ id }) => id)).toEqual(['mxfp8_e5m2', 'bf16', 'fp16'])
})
