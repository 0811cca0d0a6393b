import { describe, expect, it } from 'vitest'
import { blockSpan } from '../../src/experiment/block-span'
import { compareRules, inspectBlock } from '../../src/experiment/inspect-block'
import type { TensorRow } from '../../src/experiment/tensor-blocks'
import { decodeBlock, encodeBlock } from '../../src/formats/codec'
import { parseFormat } from '../../src/formats/format-text'
import { SCALE_RULES } from '../../src/formats/number-format'
import { type MxChoices, makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'

const quantizerOf = (text: string, choices: Partial<MxChoices> = {}) =>
  makeQuantizer(parseFormat(text), { ...STANDARD_MX, ...choices })

const rowOf = (values: ArrayLike<number>, tensorMax = 8): TensorRow => ({
  operand: 'weight',
  row: 0,
  values: Float32Array.from(values),
  tensorMax,
})
/** The largest element stands at 70: not every span that shares its scale holds it. */
const WAVE = rowOf(Array.from({ length: 140 }, (_, i) => (i === 70 ? 8 : Math.sin(1 + i * i) * (1 + (i % 7)))))

describe('one block', () => {
  it('says code, bits, reconstruction and error of every element', () => {
    // floor: 7 has exponent 2, the scale is 1 and 7 clips to 6
    const { scales, elements, zeroed, clipped } = inspectBlock(
      rowOf([7, -3.2, 0.2, 0]),
      { start: 0, end: 4 },
      quantizerOf('mxfp4'),
    )
    expect(scales).toEqual([{ start: 0, end: 4, scale: { kind: 'e8m0', byte: 127 } }])
    expect(elements.map(({ bits }) => bits)).toEqual(['0|11|1', '1|10|1', '0|00|0', '0|00|0'])
    expect(elements.map(({ reconstruction }) => reconstruction)).toEqual([6, -3, 0, 0])
    expect(elements.map(({ error }) => Math.fround(error))).toEqual(
      [-1, Math.fround(3.2) - 3, -0.2, 0].map(Math.fround),
    )
    expect([zeroed, clipped]).toEqual([1, 1])
    expect(elements.map((element) => element.clipped)).toEqual([true, false, false, false])
  })

  it('does not call an element clipped that is the largest value', () => {
    expect(inspectBlock(rowOf([6, -6]), { start: 0, end: 2 }, quantizerOf('mxfp4')).clipped).toBe(0)
  })

  it('measures the ratio of signal to error', () => {
    const { sqnrDb } = inspectBlock(rowOf([6, 3.5]), { start: 0, end: 2 }, quantizerOf('mxfp4'))
    expect(sqnrDb).toBeCloseTo(10 * Math.log10((36 + 12.25) / 0.25), 10)
  })

  it('clips nothing under the exact 3/4 pre-scale', () => {
    const preScale = { factor: 0.75, variant: 'exact' } as const
    const span = { start: 0, end: 1 }
    expect(inspectBlock(rowOf([7.9]), span, quantizerOf('mxfp4', { preScale })).clipped).toBe(0)
    expect(inspectBlock(rowOf([7.9]), span, quantizerOf('mxfp4')).clipped).toBe(1)
  })

  it('has no ratio for zeros and for a block that is NaN, which decodes to NaN as a whole', () => {
    const span = { start: 0, end: 2 }
    expect(inspectBlock(rowOf([0, 0]), span, quantizerOf('mxfp4')).sqnrDb).toBeNaN()
    const broken = inspectBlock(rowOf([1, Number.NaN]), span, quantizerOf('mxfp4'))
    expect(broken.sqnrDb).toBeNaN()
    expect(broken.elements.map(({ reconstruction }) => reconstruction)).toEqual([Number.NaN, Number.NaN])
  })
})

describe('a span that is no block of the format', () => {
  it('is two blocks of NVFP4, scaled by the maximum of the tensor', () => {
    const quantizer = quantizerOf('nvfp4')
    const { scales, elements } = inspectBlock(WAVE, { start: 32, end: 64 }, quantizer)
    expect(scales.map(({ start, end }) => [start, end])).toEqual([
      [32, 48],
      [48, 64],
    ])
    for (const { start, end, scale } of scales) {
      const alone = encodeBlock(WAVE.values.subarray(start, end), quantizer, { tensorMax: 8 })
      expect(scale).toEqual(alone.scale)
      const decoded = decodeBlock(alone, quantizer)
      const shown = elements.filter(({ column }) => column >= start && column < end)
      expect(Float32Array.from(shown, ({ reconstruction }) => reconstruction)).toEqual(decoded)
    }
  })

  it('is cut out of the blocks it lies in', () => {
    const quantizer = quantizerOf('int4(group=64)')
    const whole = encodeBlock(WAVE.values.subarray(64, 128), quantizer)
    const { scales, elements } = inspectBlock(WAVE, { start: 96, end: 128 }, quantizer)
    expect(scales).toEqual([{ start: 96, end: 128, scale: whole.scale }])
    expect(elements.map(({ code }) => code)).toEqual(Array.from(whole.codes.subarray(32)))
    expect(elements.map(({ column }) => column)).toEqual(Array.from({ length: 32 }, (_, i) => 96 + i))
  })

  it('takes the scale of the row for integers per row', () => {
    const quantizer = quantizerOf('int8(scheme=asym)')
    const whole = encodeBlock(WAVE.values, quantizer, { row: WAVE.values })
    const { scales, elements } = inspectBlock(WAVE, { start: 128, end: 140 }, quantizer)
    expect(scales).toEqual([{ start: 128, end: 140, scale: whole.scale }])
    expect(elements.map(({ code }) => code)).toEqual(Array.from(whole.codes.subarray(128)))
  })

  it('needs no scale for 16-bit floats', () => {
    const { scales, elements } = inspectBlock(WAVE, { start: 32, end: 64 }, quantizerOf('bf16'))
    expect(scales).toEqual([{ start: 32, end: 64, scale: { kind: 'none' } }])
    expect(elements.length).toBe(32)
    expect(Math.max(...elements.map(({ value, error }) => Math.abs(error / value)))).toBeLessThanOrEqual(2 ** -8)
  })
})

it('does not call the largest element of an integer row clipped because its scale was rounded', () => {
  for (let i = 1; i < 200; i++) {
    const row = rowOf([Math.fround(i * 0.37), -0.1])
    const span = { start: 0, end: 2 }
    expect(inspectBlock(row, span, quantizerOf('int4')).clipped).toBe(0)
    expect(inspectBlock(row, span, quantizerOf('mxfp4', { scaleRule: 'fp32' })).clipped).toBe(0)
  }
})

it('tries every scale rule, fp32 without the pre-scale', () => {
  const preScale = { factor: 0.75, variant: 'exact' } as const
  const span = { start: 0, end: 4 }
  const row = rowOf([7, -3.2, 0.2, 0])
  const outcomes = compareRules(row, span, quantizerOf('mxfp4', { preScale }))
  expect(outcomes.map(({ rule }) => rule)).toEqual(SCALE_RULES)
  for (const { rule, scale, sqnrDb } of outcomes) {
    const alone = inspectBlock(
      row,
      span,
      quantizerOf('mxfp4', { preScale: rule === 'fp32' ? null : preScale, scaleRule: rule }),
    )
    expect([alone.scales[0].scale, alone.sqnrDb]).toEqual([scale, sqnrDb])
  }
  expect(outcomes.find(({ rule }) => rule === 'rceil')?.scale).toEqual({ kind: 'e8m0', byte: 128 })
  expect(compareRules(row, span, quantizerOf('nvfp4'))).toEqual([])
})

it('cuts the last block short', () => {
  expect(blockSpan(2, 32, 70)).toEqual({ start: 64, end: 70 })
})
