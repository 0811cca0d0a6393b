import { expect, test } from 'vitest'
import { decodeCode, encodeWithScale } from '../../src/formats/codec'
import { infinityCode } from '../../src/formats/codec-element'
import { codeBits, representableValues, roundingBoundaries, unitScale } from '../../src/formats/codec-grid'
import { scaleValue } from '../../src/formats/codec-scale'
import { parseFormat } from '../../src/formats/format-text'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { MX_QUANTIZERS, OTHER_QUANTIZERS, quantizerName } from '../support/every-quantizer'

const standard = (text: string) => makeQuantizer(parseFormat(text), STANDARD_MX)
const valuesOf = (text: string, zeroPoint?: number) =>
  representableValues(standard(text), zeroPoint).map(({ value }) => value)

test('the values of a format at scale 1, zero once', () => {
  expect(valuesOf('mxfp4')).toEqual([-6, -4, -3, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 4, 6])
  expect(valuesOf('nvfp4')).toEqual(valuesOf('mxfp4'))
  expect(valuesOf('int4')).toEqual([-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7])
  expect(valuesOf('int4(scheme=asym)', 5)).toEqual([-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  const counts = ['mxfp8_e4m3', 'mxfp8_e5m2', 'mxint8', 'mxfp6_e3m2', 'mxfp6_e2m3', 'int8', 'bf16', 'fp16'].map(
    (text) => valuesOf(text).length,
  )
  expect(counts).toEqual([253, 247, 255, 63, 63, 256, 65279, 63487])
})

test('a pre-scale is undone in the values and in the intervals', () => {
  const quantizer = makeQuantizer(parseFormat('mxfp4'), {
    ...STANDARD_MX,
    preScale: { factor: 0.75, variant: 'exact' },
  })
  const four = roundingBoundaries(quantizer).find(({ code }) => code === 6)
  expect(four).toEqual({
    code: 6,
    value: Math.fround(16 / 3),
    from: 14 / 3,
    to: 20 / 3,
    fromIncluded: true,
    toIncluded: true,
  })
})

test('the ends of intervals, by rounding', () => {
  const intervals = (rounding: 'half-even' | 'half-away' | 'toward-zero') =>
    roundingBoundaries(makeQuantizer(parseFormat('mxfp4'), { ...STANDARD_MX, rounding }))
      .slice(6, 10)
      .map(
        ({ value, from, to, fromIncluded, toIncluded }) =>
          `${fromIncluded ? '[' : '('}${from}, ${to}${toIncluded ? ']' : ')'} ${value}`,
      )
  expect(intervals('half-even')).toEqual([
    '(-0.75, -0.25) -0.5',
    '[-0.25, 0.25] 0',
    '(0.25, 0.75) 0.5',
    '[0.75, 1.25] 1',
  ])
  expect(intervals('half-away')).toEqual([
    '(-0.75, -0.25] -0.5',
    '(-0.25, 0.25) 0',
    '[0.25, 0.75) 0.5',
    '[0.75, 1.25) 1',
  ])
  expect(intervals('toward-zero')).toEqual(['(-1, -0.5] -0.5', '(-0.5, 0.5) 0', '[0.5, 1) 0.5', '[1, 1.5) 1'])
})

const all = [...MX_QUANTIZERS, ...OTHER_QUANTIZERS].map((quantizer) => ({ name: quantizerName(quantizer), quantizer }))

test.each(all)('intervals say what encoding does at their ends and beside them: $name', ({ quantizer }) => {
  const zeroPoint = 6
  const scale = unitScale(quantizer, zeroPoint)
  const element = quantizer.format.element
  const infinity = element.kind === 'integer' ? null : infinityCode(element)
  expect(scaleValue(scale)).toBe(1)
  const intervals = roundingBoundaries(quantizer, zeroPoint)
  // of the 16-bit floats every 37th will do
  const some = intervals.filter((_, index) => intervals.length < 1000 || index % 37 === 0)
  const exact = quantizer.family !== 'mx' || quantizer.preScale === null
  const valueAt = (x: number) => decodeCode(encodeWithScale([x], scale, quantizer)[0], scale, quantizer) + 0
  for (const { value, code, from, to, fromIncluded, toIncluded } of some) {
    expect(decodeCode(code, scale, quantizer) + 0).toBe(value + 0)
    expect(from).toBeLessThan(to)
    // ends are exact in f32 but under a pre-scale
    const away = (end: number) => Math.max(Math.abs(end) * 2 ** (exact ? -23 : -20), 2 ** -149)
    if (Number.isFinite(from)) {
      expect(valueAt(Math.fround(from + away(from)))).toBe(value + 0)
      expect(valueAt(Math.fround(from - away(from)))).toBeLessThan(value)
      if (exact) expect(valueAt(from) === value).toBe(fromIncluded)
    }
    if (Number.isFinite(to)) {
      expect(valueAt(Math.fround(to - away(to)))).toBe(value + 0)
      expect(valueAt(Math.fround(to + away(to)))).toBeGreaterThan(value)
      if (exact) expect(valueAt(to) === value).toBe(toIncluded)
    } else if (infinity === null || quantizer.family !== 'sixteen-bit') {
      expect(valueAt(Math.fround(value * 4 + 1e6))).toBe(value)
    }
  }
})

test('codes as bits', () => {
  const bits = [
    ['mxfp4', 0b1101],
    ['mxfp8_e4m3', 0x7e],
    ['mxfp8_e5m2', 0x81],
    ['mxfp6_e2m3', 0b101010],
    ['nvfp4', 1],
    ['mxint8', 0xf9],
    ['int4', 0b1001],
    ['bf16', 0x3f80],
    ['fp16', 0x7bff],
  ] as const
  expect(bits.map(([text, code]) => codeBits(code, standard(text)))).toEqual([
    '1|10|1',
    '0|1111|110',
    '1|00000|01',
    '1|01|010',
    '0|00|1',
    '11111001',
    '1001',
    '0|01111111|0000000',
    '0|11110|1111111111',
  ])
})
