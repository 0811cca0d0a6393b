/** What the tests of real-valued scales share: data around every rounding boundary, one pass of the kernels over it. */
import { expect } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { createRandom } from '../../src/core/random'
import type { Quantizer } from '../../src/formats/number-format'
import { dequantize } from '../../src/gpu/kernels/dequantize'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import type { PackedMatrix } from '../../src/gpu/kernels/packed-matrix'
import { quantize } from '../../src/gpu/kernels/quantize'
import { readWords, uploadMatrix } from '../../src/gpu/transfer'
import {
  goldenCases,
  type RealScaleCase,
  realScaleData,
  realScaleMismatches,
  realScaleQuantizer,
} from './golden-formats'
import { goldenText, type TestGpu } from './gpu'
import { readChecked } from './matrices'
import { readGolden } from './safetensors'
import { unpackRealScale } from './unpack'

/** f32 values from bits. */
function floatsOf(words: readonly number[]): number[] {
  return [...new Float32Array(Uint32Array.from(words).buffer)]
}

/** An f32 value and its two neighbours. */
export function around(value: number): number[] {
  const [bits] = new Uint32Array(new Float32Array([value]).buffer)
  const magnitude = bits & 0x7fffffff
  return floatsOf([bits - (magnitude > 0 ? 1 : 0), bits, bits + (magnitude < 0x7f7fffff ? 1 : 0)])
}

/** Largest magnitudes from subnormals to the largest f32, most of them with mantissas of no special form. */
const MAXIMUM_BITS = [
  1, 2, 5, 21, 0x12345, 0x7fffff, 0x800000, 0x800001, 0xdedbee, 0x1abcdef, 0x2c0ffee, 0x3f80000, 0xd9abcde, 0x21555555,
  0x3dcccccd, 0x3f7fffff, 0x3f800000, 0x3fe00000, 0x40c00000, 0x40e00000, 0x42fe0000, 0x437f0000, 0x43e00000,
  0x45280000, 0x54b1c2d3, 0x71fedcba, 0x7e123456, 0x7effffff, 0x7f7ffffe, 0x7f7fffff,
]

/**
 * Rows of `cols` elements. A row of the first kind has one of MAXIMUM_BITS as its largest magnitude, then boundary ·
 * maximum / top and the neighbours of that, with both signs. The others: random bits over a moving window of
 * exponents, random bits of any finite kind, zeros, and one row with a NaN and one with an infinity.
 */
export function boundaryRows(top: number, boundaries: readonly number[], cols: number): Matrix {
  const random = createRandom(5)
  const word = () => Math.floor(random.uniform() * 2 ** 32)
  const rows = floatsOf(MAXIMUM_BITS).flatMap((maximum) => {
    const near = boundaries
      .flatMap((boundary) => around(Math.fround((maximum / top) * boundary)))
      .filter((x) => x <= maximum)
      .flatMap((x) => [x, -x])
    const lines: number[][] = []
    for (let at = 0; at < near.length; at += cols - 1) lines.push([maximum, ...near.slice(at, at + cols - 1)])
    return lines
  })
  for (let exponent = 0; exponent < 250; exponent += 5) {
    const bits = () => (word() & 0x807fffff) | ((exponent + (word() % 5)) << 23)
    rows.push(floatsOf(Array.from({ length: cols }, () => bits() >>> 0)))
  }
  for (let i = 0; i < 8; i++) {
    rows.push(floatsOf(Array.from({ length: cols }, word)).map((x) => (Number.isFinite(x) ? x : 1)))
  }
  const ordinary = Array.from({ length: cols }, () => Math.fround(random.normal()))
  rows.push(Array(cols).fill(0), ordinary, [...ordinary.slice(1), Number.NaN], [-Infinity, ...ordinary.slice(1)])
  const data = new Float32Array(rows.length * cols)
  for (const [i, row] of rows.entries()) data.set(row, i * cols)
  return { rows: rows.length, cols, data }
}

export interface Quantized {
  readonly values: Float32Array
  readonly packed: PackedMatrix
}

/**
 * `input` rounded in one pass, and quantized. Expects what holds for every format: decoding the packed form gives the
 * same bits, padding stays 0.
 */
export async function quantizeBothWays(t: TestGpu, input: Matrix, quantizer: Quantizer): Promise<Quantized> {
  const matrix = uploadMatrix(t.gpu, t.arena, input, 'input')
  const direct = fakeQuantize(t.recorder, t.arena, matrix, quantizer)
  const packed = quantize(t.recorder, t.arena, matrix, quantizer)
  const decoded = dequantize(t.recorder, t.arena, packed)
  t.recorder.submit()
  const words = matrix.rows * matrix.stride
  expect(await readWords(t.gpu, decoded.buffer, words)).toEqual(await readWords(t.gpu, direct.buffer, words))
  return { values: await readChecked(t.gpu, direct), packed }
}

/** The golden cases with real-valued scales of some kinds. */
export function realScaleCases(isWanted: (golden: RealScaleCase) => boolean): RealScaleCase[] {
  return goldenCases(goldenText('formats/index.json')).real.filter(isWanted)
}

/** Runs one golden case through all kernels and compares as its conventions say. */
export async function expectGolden(t: TestGpu, golden: RealScaleCase): Promise<Quantized> {
  const expected = realScaleData(golden, readGolden(`formats/${golden.file}`))
  const quantized = await quantizeBothWays(t, expected.input, realScaleQuantizer(golden))
  const found = await unpackRealScale(t.gpu, quantized.packed, quantized.values)
  expect(realScaleMismatches(golden, found, expected), golden.id).toEqual([])
  return quantized
}
