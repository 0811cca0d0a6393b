import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeBlock, encodeBlock } from '../../src/formats/codec'
import { scaleValue } from '../../src/formats/codec-scale'
import type { Quantizer } from '../../src/formats/number-format'
import { MX_QUANTIZERS, OTHER_QUANTIZERS, quantizerName } from '../support/every-quantizer'
import { mismatches } from '../support/golden-formats'

const runs = { numRuns: 12, seed: 2026 }
const quantizers = [...MX_QUANTIZERS, ...OTHER_QUANTIZERS].map((quantizer) => ({
  name: quantizerName(quantizer),
  quantizer,
}))
const LENGTH = 16
const block = (element: fc.Arbitrary<number>) => fc.array(element, { minLength: LENGTH, maxLength: LENGTH })
const anything = block(fc.float({ noNaN: true, noDefaultInfinity: true }))
/** Ordinary numbers with some spread, far from the limits of f32 and of every scale. */
const ordinary = block(
  fc.tuple(fc.integer({ min: -4095, max: 4095 }), fc.integer({ min: -9, max: 3 })).map(([m, e]) => m * 2 ** e),
)

/** The block as the whole tensor and the whole row. */
function encoded(values: readonly number[], quantizer: Quantizer) {
  const tensorMax = Math.max(...values.map(Math.abs))
  return encodeBlock(values, quantizer, { tensorMax, row: values })
}

const quantized = (values: readonly number[], quantizer: Quantizer) =>
  decodeBlock(encoded(values, quantizer), quantizer)
/** −8 and −128 have no positive counterpart, and half a code beyond the largest reaches them. */
const isOdd = (quantizer: Quantizer) => quantizer.family !== 'integer' || quantizer.scheme === 'sym-max'

test.each(quantizers)('larger numbers never become smaller ones: $name', ({ quantizer }) => {
  fc.assert(
    fc.property(anything, (values) => {
      const sorted = [...values].sort((a, b) => a - b)
      const result = quantized(sorted, quantizer)
      for (let i = 1; i < LENGTH; i++) expect(result[i]).toBeGreaterThanOrEqual(result[i - 1])
    }),
    runs,
  )
})

test.each(quantizers.filter(({ quantizer }) => isOdd(quantizer)))(
  'negated numbers give negated results: $name',
  ({ quantizer }) => {
    fc.assert(
      fc.property(anything, (values) => {
        const negated = quantized(
          values.map((value) => -value),
          quantizer,
        ).map((value) => -value)
        expect(mismatches(negated, quantized(values, quantizer))).toEqual([])
      }),
      runs,
    )
  },
)

/** Scales that follow the block wherever it goes: not E4M3 without a tensor scale, nor the fixed, narrow grid of FP16. */
function isFree(quantizer: Quantizer): boolean {
  return quantizer.family === 'nvfp' ? quantizer.tensorScale : quantizer.format.id !== 'fp16'
}

test.each(quantizers.filter(({ quantizer }) => isFree(quantizer)))(
  'a power of two of the block is one of the result: $name',
  ({ quantizer }) => {
    fc.assert(
      fc.property(ordinary, fc.integer({ min: -40, max: 40 }), (values, k) => {
        const scaled = quantized(
          values.map((value) => value * 2 ** k),
          quantizer,
        )
        const expected = quantized(values, quantizer).map((value) => value * 2 ** k)
        expect(mismatches(scaled, expected)).toEqual([])
      }),
      runs,
    )
  },
)

const toNearest = quantizers.filter(({ quantizer }) => {
  return quantizer.family !== 'mx' || quantizer.rounding !== 'toward-zero'
})

test.each(toNearest)('no code is nearer than the one chosen: $name', ({ quantizer }) => {
  fc.assert(
    fc.property(ordinary, (values) => {
      const { scale, codes } = encoded(values, quantizer)
      if (scaleValue(scale) === 0) return
      const { bits } = quantizer.format.element
      const all = Uint16Array.from({ length: 2 ** Math.min(bits, 8) }, (_, code) => code)
      const around = (code: number) => (bits === 16 ? Uint16Array.from([-1, 0, 1], (step) => code + step) : all)
      const decode = (list: Uint16Array) => decodeBlock({ scale, codes: list }, quantizer)
      const unlimited = quantizer.family === 'mx' && quantizer.format.element.kind === 'fixed' ? [128] : []
      const chosen = decode(codes)
      values.forEach((value, i) => {
        const others = decode(around(codes[i]).filter((code) => !unlimited.includes(code)))
        const nearest = Math.min(...Array.from(others, (other) => Math.abs(other - value)).filter(Number.isFinite))
        // a scale that is no power of two rounds each value to f32, and a pre-scale the product, by half an ulp
        const slack = 2 ** -23 * Math.abs(chosen[i]) + 2 ** -23 * Math.abs(value)
        expect(Math.abs(chosen[i] - value)).toBeLessThanOrEqual(nearest + slack)
      })
    }),
    runs,
  )
})

/** Rules that give a block of representable numbers the same scale again, without the rounding of a pre-scale. */
function keeps(quantizer: Quantizer): boolean {
  if (quantizer.family !== 'mx') return quantizer.family === 'sixteen-bit'
  return quantizer.scaleRule === 'floor' && quantizer.preScale === null
}

test.each(quantizers.filter(({ quantizer }) => keeps(quantizer)))(
  'quantizing twice changes nothing: $name',
  ({ quantizer }) => {
    fc.assert(
      fc.property(anything, (values) => {
        const once = quantized(values, quantizer)
        expect(mismatches(quantized([...once], quantizer), once)).toEqual([])
      }),
      runs,
    )
  },
)
