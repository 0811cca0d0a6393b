/** Layers and quantizers for tests of GPTQ, and its rounding through the scalar codec. */
import type { Matrix } from '../../src/core/matrix'
import { createRandom } from '../../src/core/random'
import { decodeCode, encodeBlock, encodeWithScale } from '../../src/formats/codec'
import type { BlockScale } from '../../src/formats/codec-scale'
import { parseFormat } from '../../src/formats/format-text'
import type { Quantizer } from '../../src/formats/number-format'
import { type MxChoices, makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import type { RoundAt } from '../oracle/gptq'
import { sharingOf } from './every-quantizer'

const of = (text: string, choices: Partial<MxChoices> = {}) =>
  makeQuantizer(parseFormat(text), { ...STANDARD_MX, ...choices })

/** Every family, grid library, block size, number of candidate scales and kind of pre-scale. */
export const GPTQ_QUANTIZERS: readonly (readonly [name: string, quantizer: Quantizer])[] = [
  ['mxfp4', of('mxfp4')],
  ['mxfp4 best', of('mxfp4', { scaleRule: 'best' })],
  ['mxfp4 fp32', of('mxfp4', { scaleRule: 'fp32' })],
  ['mxfp4 3/4', of('mxfp4', { preScale: { factor: 0.75, variant: 'exact' } })],
  ['mxfp4 literal 3/4', of('mxfp4', { preScale: { factor: 0.75, variant: 'literal' } })],
  ['mxfp4 in 8', of('mxfp4', { blockSize: 8 })],
  ['mxfp4 best in 16', of('mxfp4', { blockSize: 16, scaleRule: 'best' })],
  ['mxfp4 in 64', of('mxfp4', { blockSize: 64 })],
  ['mxfp6_e2m3 in 128', of('mxfp6_e2m3', { blockSize: 128 })],
  ['mxfp8_e4m3', of('mxfp8_e4m3')],
  ['mxfp8_e5m2 fp32', of('mxfp8_e5m2', { scaleRule: 'fp32' })],
  ['mxint8', of('mxint8')],
  ['nvfp4', of('nvfp4')],
  ['nvfp4 four over six', of('nvfp4(four-over-six=mse)')],
  ['int4', of('int4')],
  ['int4 asymmetric in 32', of('int4(group=32, scheme=asym)')],
  ['int8 in 128', of('int8(group=128)')],
  ['bf16', of('bf16')],
]

/** Rows whose channels are correlated and differ in size; every `deadEvery`-th channel is zero. */
export function correlatedRows(tokens: number, cols: number, deadEvery = 0): Matrix {
  const random = createRandom(7 * tokens + cols)
  const data = new Float32Array(tokens * cols)
  for (let row = 0; row < tokens; row++) {
    const shared = random.normal()
    for (let col = 0; col < cols; col++) {
      const value = (shared + random.normal()) * (1 + ((7 * col) % 11))
      data[row * cols + col] = deadEvery > 0 && col % deadEvery === 1 ? 0 : value
    }
  }
  return { rows: tokens, cols, data }
}

/** Rounds as the codec does, to the scale of the original block, or to that of the block as it is when it begins. */
export function codecRounding(weight: Matrix, quantizer: Quantizer, order: ArrayLike<number>, fresh: boolean): RoundAt {
  const { cols, data } = weight
  const size = sharingOf(quantizer, cols)
  const tensorMax = data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
  const wholeRow = (row: number) => data.subarray(row * cols, (row + 1) * cols)
  const isFresh = fresh && size < cols
  const scales = new Map<string, BlockScale>()
  const scaleFor = (row: number, place: number, current: Float64Array): BlockScale => {
    const block = Math.floor((isFresh ? place : order[place]) / size)
    const key = `${row},${block}`
    const known = scales.get(key)
    if (known) return known
    const from = isFresh ? Float32Array.from(current) : wholeRow(row)
    const values = from.subarray(block * size, (block + 1) * size)
    const { scale } = encodeBlock(values, quantizer, { tensorMax, row: wholeRow(row) })
    scales.set(key, scale)
    return scale
  }
  return (value, { row, place, current }) => {
    const scale = scaleFor(row, place, current)
    const [code] = encodeWithScale([Math.fround(value)], scale, quantizer)
    return decodeCode(code, scale, quantizer)
  }
}
