import { describe, expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { decodeBlock, encodeWithScale } from '../../src/formats/codec'
import { scaleByteOf } from '../../src/formats/codec-scale'
import { parseFormat } from '../../src/formats/format-text'
import type { MxQuantizer, Quantizer } from '../../src/formats/number-format'
import { type MxChoices, makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import {
  type BlockScales,
  beginScales,
  observeScales,
  searchScales,
  updateScales,
} from '../../src/gpu/kernels/gptq-scales'
import { literalFactor, preMultiply } from '../../src/gpu/kernels/pre-scale'
import { quantize } from '../../src/gpu/kernels/quantize'
import { readBuffer, readWords, uploadMatrix } from '../../src/gpu/transfer'
import { GPTQ_QUANTIZERS } from '../support/gptq'
import { gpuFixture } from '../support/gpu'
import { gaussian } from '../support/matrices'

const t = gpuFixture()

/** Magnitudes over many binades, a block of zeros, and maxima at and beside powers of two. */
function variedWeight(rows: number, cols: number): Matrix {
  const weight = gaussian(rows, cols, 11)
  const data = weight.data.map((value, i) => value * 2 ** (Math.floor(i / 24) % 40) * 2 ** -20)
  data.fill(0, 0, Math.min(cols, 130))
  for (let row = 1; row < rows; row++) data[row * cols] = 2 ** (row % 9) * (1 - (row % 2) * 2 ** -20)
  return { rows, cols, data }
}

const stored = (scales: BlockScales, rows: number) => readWords(t.gpu, scales.stored, 2 * rows * scales.blocks)

test.each(GPTQ_QUANTIZERS)('%s: the scales that quantize stores', async (_, quantizer: Quantizer) => {
  const weight = variedWeight(37, 300)
  const matrix = uploadMatrix(t.gpu, t.arena, weight, 'weight')
  const packed = quantize(t.recorder, t.arena, matrix, quantizer)
  const literal = literalFactor(quantizer)
  const source = literal === null ? matrix : preMultiply(t.recorder, t.arena, matrix, literal)
  const scales = beginScales(t.recorder, t.arena, source, quantizer)
  // In two parts, as fresh scales come.
  updateScales(t.recorder, source, scales, { first: 0, end: 128 })
  updateScales(t.recorder, source, scales, { first: 128, end: 320 })
  t.recorder.submit()
  const found = await stored(scales, weight.rows)
  const bytes = await readBuffer(t.gpu, packed.scales, weight.rows * packed.scaleStride)
  const view = new DataView(bytes)
  const size = scales.plan.scaleBytes
  const expected = Array.from({ length: weight.rows * scales.blocks }, (_, i) => {
    const at = Math.floor(i / scales.blocks) * packed.scaleStride + (i % scales.blocks) * size
    if (size === 0) return [0, 0]
    if (size === 1) return [view.getUint8(at), 0]
    return [view.getUint32(at, true), size === 8 ? view.getUint32(at + 4, true) : 0]
  })
  expect([...found]).toEqual(expected.flat())
})

const MX: readonly [name: string, format: string, choices: Partial<MxChoices>][] = [
  ['mxfp4', 'mxfp4', {}],
  ['mxfp4 rceil half-away', 'mxfp4', { scaleRule: 'rceil', rounding: 'half-away' }],
  ['mxfp4 3/4 in 16', 'mxfp4', { preScale: { factor: 0.75, variant: 'exact' }, blockSize: 16 }],
  ['mxfp4 in 8', 'mxfp4', { blockSize: 8 }],
  ['mxfp8_e5m2', 'mxfp8_e5m2', {}],
  ['mxfp8_e4m3 in 128', 'mxfp8_e4m3', { blockSize: 128 }],
  ['mxint8 in 64', 'mxint8', { blockSize: 64 }],
]

function mxOf(format: string, choices: Partial<MxChoices>): MxQuantizer {
  const quantizer = makeQuantizer(parseFormat(format), { ...STANDARD_MX, ...choices })
  if (quantizer.family !== 'mx') throw new Error(`${format}: expected an MX format`)
  return quantizer
}

/** Blocks of a row, the last of which may be short. */
function blocksOf({ rows, cols, data }: Matrix, size: number): Float32Array[] {
  const blocks: Float32Array[] = []
  for (let row = 0; row < rows; row++) {
    for (let start = 0; start < cols; start += size) {
      blocks.push(data.subarray(row * cols + start, row * cols + Math.min(start + size, cols)))
    }
  }
  return blocks
}

const largestOf = (block: Float32Array) => block.reduce((most, value) => Math.max(most, Math.abs(value)), 0)

const sumOfPowers = (block: ArrayLike<number>, estimate: ArrayLike<number>, power: number) =>
  Array.from(block).reduce((sum, value, i) => sum + Math.abs(value - estimate[i]) ** power, 0)

/** How much larger than the smallest error a choice by f32 sums may be. */
const SUMS = 1 + 2 ** -18

describe.each(MX)('%s', (_, format, choices) => {
  const quantizer = mxOf(format, choices)
  const weight = variedWeight(12, 320)
  const blocks = blocksOf(weight, quantizer.blockSize)

  async function bytes(fill: (scales: BlockScales, matrix: Parameters<typeof searchScales>[1]) => void) {
    const matrix = uploadMatrix(t.gpu, t.arena, weight, 'weight')
    const scales = beginScales(t.recorder, t.arena, matrix, quantizer)
    fill(scales, matrix)
    t.recorder.submit()
    return (await stored(scales, weight.rows)).filter((_, i) => i % 2 === 0)
  }

  test('a searched exponent has the smallest squared error of four', async () => {
    const found = await bytes((scales, matrix) => searchScales(t.recorder, matrix, scales))
    let moved = 0
    for (const [i, block] of blocks.entries()) {
      const own = scaleByteOf(largestOf(block), quantizer)
      const errorOf = (byte: number) => {
        const scale = { kind: 'e8m0', byte } as const
        return sumOfPowers(block, decodeBlock({ scale, codes: encodeWithScale(block, scale, quantizer) }, quantizer), 2)
      }
      moved += Number(found[i] !== own)
      if (largestOf(block) === 0) {
        expect(found[i]).toBe(own)
        continue
      }
      // Of equals the nearest, then the lower one.
      const errors = [own, own - 1, own + 1, own - 2].map((byte) => ({ byte, error: errorOf(byte) }))
      const best = errors.reduce((kept, next) => (next.error < kept.error ? next : kept))
      if (found[i] === best.byte) continue
      expect(errors.some(({ byte }) => byte === found[i])).toBe(true)
      expect(errorOf(found[i])).toBeLessThanOrEqual(SUMS * best.error)
    }
    expect(moved).toBeGreaterThan(0)
  })

  test('an observed exponent is that of the maximum shrunk to where a real scale errs least', async () => {
    const found = await bytes((scales, matrix) => observeScales(t.recorder, matrix, scales, quantizer))
    const plain = { ...quantizer, preScale: null }
    const { maxFinite } = quantizer.format.element
    let moved = 0
    for (const [i, block] of blocks.entries()) {
      const largest = largestOf(block)
      const own = scaleByteOf(largest, quantizer)
      if (largest === 0) {
        expect(found[i]).toBe(own)
        continue
      }
      const candidates = Array.from({ length: 100 }, (_, step) => {
        const shrink = 1 - (0.8 * step) / 100
        const scale = (largest * shrink) / maxFinite
        const scaled = Float32Array.from(block, (value) => value / scale)
        const one = { kind: 'e8m0', byte: 127 } as const
        const values = decodeBlock({ scale: one, codes: encodeWithScale(scaled, one, plain) }, plain)
        const error = sumOfPowers(scaled, values, 2.4) * scale ** 2.4
        return { error, byte: scaleByteOf(largest * shrink, quantizer) }
      })
      const best = candidates.reduce((kept, next) => (next.error < kept.error ? next : kept))
      moved += Number(found[i] !== own)
      if (found[i] === best.byte) continue
      // Another candidate whose error, or whose maximum at a power of two, f32 cannot tell from the best one's.
      const others = candidates.filter(({ byte }) => byte === found[i])
      expect(Math.min(...others.map(({ error }) => error))).toBeLessThanOrEqual(SUMS * best.error)
    }
    if (format === 'mxfp4') expect(moved).toBeGreaterThan(0)
  })
})

test('blocks too small or too large to search keep the exponent of the rule', async () => {
  const quantizer = mxOf('mxfp4', {})
  // 7.9 saturates at 6, and is nearer to 8 under the next exponent.
  const sizes = [-75, 0, 114].map((exponent) => 7.9 * 2 ** exponent)
  const data = Float32Array.from({ length: 96 }, (_, i) => sizes[Math.floor(i / 32)])
  const matrix = uploadMatrix(t.gpu, t.arena, { rows: 3, cols: 32, data }, 'weight')
  const scales = beginScales(t.recorder, t.arena, matrix, quantizer)
  searchScales(t.recorder, matrix, scales)
  t.recorder.submit()
  const found = (await stored(scales, 3)).filter((_, i) => i % 2 === 0)
  const own = sizes.map((size) => scaleByteOf(Math.fround(size), quantizer))
  expect([...found]).toEqual([own[0], own[1] + 1, own[2]])
})

test('the lowest of the four exponents is tried too', async () => {
  const quantizer = mxOf('mxfp4', { scaleRule: 'ceil' })
  // Under the rule's exponent and the next lower one 0.24 is rounded to 0, at 1.8 in all; two lower 4.01 is cut to 3.
  const data = Float32Array.from({ length: 32 }, (_, i) => (i === 9 ? 4.01 : 0.24))
  const matrix = uploadMatrix(t.gpu, t.arena, { rows: 1, cols: 32, data }, 'weight')
  const scales = beginScales(t.recorder, t.arena, matrix, quantizer)
  searchScales(t.recorder, matrix, scales)
  t.recorder.submit()
  expect((await stored(scales, 1))[0]).toBe(scaleByteOf(Math.fround(4.01), quantizer) - 2)
})
