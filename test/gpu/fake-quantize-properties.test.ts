import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chooseFormat } from '../../src/formats/format-text'
import type { Quantizer } from '../../src/formats/number-format'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { FORMATS } from '../../src/formats/registry'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import { mismatches } from '../support/golden-formats'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()
const COLS = 96
const runs = { numRuns: 20, seed: 2026 }
/** The families whose scale is a power of two, or none: what holds of them exactly. */
const quantizers: Quantizer[] = FORMATS.map((format) => makeQuantizer(chooseFormat(format), STANDARD_MX)).filter(
  ({ family }) => family === 'mx' || family === 'sixteen-bit',
)
/** Exponents that keep `ordinary` numbers between the limits of the scale, or of FP16. */
const exponentsOf = ({ format }: Quantizer) =>
  format.id === 'fp16' ? fc.integer({ min: -5, max: 0 }) : fc.integer({ min: -40, max: 40 })

async function quantized(values: readonly number[], quantizer: Quantizer): Promise<Float32Array> {
  const matrix = uploadMatrix(t.gpu, t.arena, { rows: 1, cols: COLS, data: Float32Array.from(values) }, 'input')
  const result = fakeQuantize(t.recorder, t.arena, matrix, quantizer)
  t.recorder.submit()
  return (await readMatrix(t.gpu, result)).data
}

const row = (element: fc.Arbitrary<number>) => fc.array(element, { minLength: COLS, maxLength: COLS })
const anything = row(fc.float({ noNaN: true, noDefaultInfinity: true }))
/** Three blocks of ordinary numbers with some spread, far from the limits of f32. */
const ordinary = row(
  fc.tuple(fc.integer({ min: -4095, max: 4095 }), fc.integer({ min: -9, max: 3 })).map(([m, e]) => m * 2 ** e),
)

test.each(quantizers)('quantizing twice changes nothing: $format.id', async (quantizer) => {
  await fc.assert(
    fc.asyncProperty(anything, async (values) => {
      const once = await quantized(values, quantizer)
      expect(mismatches(await quantized([...once], quantizer), once)).toEqual([])
    }),
    runs,
  )
})

test.each(quantizers)('negated numbers give negated results: $format.id', async (quantizer) => {
  await fc.assert(
    fc.asyncProperty(anything, async (values) => {
      const negated = await quantized(
        values.map((value) => -value),
        quantizer,
      )
      expect(
        mismatches(
          negated.map((value) => -value),
          await quantized(values, quantizer),
        ),
      ).toEqual([])
    }),
    runs,
  )
})

test.each(quantizers)('scaling a block by a power of two scales its result: $format.id', async (quantizer) => {
  await fc.assert(
    fc.asyncProperty(ordinary, exponentsOf(quantizer), async (values, exponent) => {
      const scaled = await quantized(
        values.map((value) => value * 2 ** exponent),
        quantizer,
      )
      const plain = await quantized(values, quantizer)
      expect(
        mismatches(
          scaled,
          plain.map((value) => value * 2 ** exponent),
        ),
      ).toEqual([])
    }),
    runs,
  )
})

test.each(quantizers)('inside a block larger numbers give no smaller results: $format.id', async (quantizer) => {
  await fc.assert(
    fc.asyncProperty(ordinary, async (values) => {
      const sorted = Float32Array.from(values)
      for (let at = 0; at < COLS; at += 32) sorted.subarray(at, at + 32).sort()
      const result = await quantized([...sorted], quantizer)
      for (let at = 0; at < COLS; at += 32) {
        const block = [...result.subarray(at, at + 32)]
        expect(block).toEqual(block.toSorted((a, b) => a - b))
      }
    }),
    runs,
  )
})
