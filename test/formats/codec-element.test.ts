import { expect, test } from 'vitest'
import { decodeElement } from '../../src/formats/codec-element'
import { int4 } from '../../src/formats/int4'
import { int8 } from '../../src/formats/int8'
import { nvfp4 } from '../../src/formats/nvfp4'
import { oracleDecode } from '../oracle/mx'
import { MX_FORMATS } from '../support/every-quantizer'

test.each(MX_FORMATS)('every code of $id decodes to its value', ({ id, element }) => {
  const codes = Array.from({ length: 2 ** element.bits }, (_, code) => code)
  expect(codes.map((code) => decodeElement(element, code))).toEqual(codes.map((code) => oracleDecode(id, code)))
  expect(decodeElement(element, element.maxCode)).toBe(element.maxFinite)
})

test('the elements of NVFP4 are those of MXFP4', () => {
  const codes = Array.from({ length: 16 }, (_, code) => code)
  expect(codes.map((code) => decodeElement(nvfp4.element, code))).toEqual(
    codes.map((code) => oracleDecode('mxfp4', code)),
  )
})

test('integers are two’s complement', () => {
  const codes = (bits: number) => Array.from({ length: 2 ** bits }, (_, code) => code)
  expect(codes(4).map((code) => decodeElement(int4.element, code))).toEqual([
    ...Array.from({ length: 8 }, (_, q) => q),
    ...Array.from({ length: 8 }, (_, q) => q - 8),
  ])
  expect(codes(8).map((code) => decodeElement(int8.element, code))).toEqual([
    ...new Int8Array(Uint8Array.from(codes(8)).buffer),
  ])
})
