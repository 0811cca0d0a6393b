import { expect, test } from 'vitest'
import { decodeBlock, decodeElement, decodeScale, encodeBlock, infinityCode } from '../../src/formats/codec'
import { FORMATS, formatById } from '../../src/formats/registry'
import { oracleDecode } from '../oracle/mx'
import { dataOf, type GoldenCase, mismatches, quantizerOf } from '../support/golden-formats'
import { goldenText } from '../support/gpu'
import { readGolden } from '../support/safetensors'

const { cases }: { cases: GoldenCase[] } = JSON.parse(goldenText('formats/index.json'))
const files = [...new Set(cases.map(({ file }) => file))]

test.each(FORMATS.map(({ id }) => id))('every code of %s decodes to its value', (id) => {
  const { element } = formatById(id)
  const codes = Array.from({ length: 2 ** element.bits }, (_, code) => code)
  expect(codes.map((code) => decodeElement(element, code))).toEqual(codes.map((code) => oracleDecode(id, code)))
  expect(decodeElement(element, element.maxCode)).toBe(element.maxFinite)
})

test('only E5M2 has an infinity', () => {
  expect(FORMATS.filter(({ element }) => infinityCode(element) !== null).map(({ id }) => id)).toEqual(['mxfp8_e5m2'])
})

test('scale bytes are powers of two from 2^-127 to 2^127, then NaN', () => {
  expect([0, 1, 127, 254, 255].map(decodeScale)).toEqual([2 ** -127, 2 ** -126, 1, 2 ** 127, Number.NaN])
})

test.each(files)('encodes and decodes the golden blocks of %s', (file) => {
  const tensors = readGolden(`formats/${file}`)
  for (const golden of cases.filter((candidate) => candidate.file === file)) {
    const { input, codes, scales, values } = dataOf(golden, tensors)
    const quantizer = quantizerOf(golden)
    const found = { codes: codes.slice(), scales: scales.slice(), values: values.slice() }
    let block = 0
    for (let row = 0; row < input.rows; row++) {
      for (let col = 0; col < input.cols; col += golden.block) {
        const at = row * input.cols + col
        const end = row * input.cols + Math.min(col + golden.block, input.cols)
        const encoded = encodeBlock(input.data.subarray(at, end), quantizer)
        found.values.set(decodeBlock(encoded, quantizer), at)
        // codes of a NaN block mean nothing
        if (encoded.scaleByte !== 255) found.codes.set(encoded.codes, at)
        found.scales[block] = encoded.scaleByte
        block += 1
      }
    }
    expect(block, golden.id).toBe(scales.length)
    expect(found.scales, golden.id).toEqual(scales)
    expect(mismatches(found.values, values, golden.prescale !== null), golden.id).toEqual([])
    const signBit = 2 ** (quantizer.format.element.bits - 1)
    const unsigned = (code: number) => (code === signBit ? 0 : code)
    expect(found.codes.map(unsigned), golden.id).toEqual(codes.map(unsigned))
  }
})
